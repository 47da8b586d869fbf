import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { AccountGate } from '../features/accounts/account-gate.service';
import { ServiceLetterSender } from '../features/letters/service-letter-sender';
import { SERVICE_QUEUE, type ServiceJob } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';

/** The service's own letters, past the queue of mailings. While the SMTP account rests they wait, unless a probe is due; the sweeper brings them. */
@Injectable()
export class ServiceProcessor extends WorkerHost {
  constructor(
    private readonly sender: ServiceLetterSender,
    private readonly gate: AccountGate,
    private readonly redis: RedisConnection,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process(job: Job<ServiceJob>): Promise<string> {
    const sent = await this.gate.lend(({ identity }) => this.sender.send(job.data.letterId, identity));
    return sent?.verdict.delivery ?? 'waiting';
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.redis.complain(error, SERVICE_QUEUE);
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<ServiceJob> | undefined, error: Error): void {
    this.logger.warn(
      { event: 'letter.failed', ...job?.data, reason: error.message },
      "One of the service's own letters was not sent; the sweeper will bring it again",
    );
  }
}
