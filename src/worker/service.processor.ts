import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { AccountGate } from '../features/accounts/account-gate.service';
import { NoticeSender } from '../features/notices/notice-sender';
import { SERVICE_QUEUE, type ServiceJob } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';

/**
 * Sends notices, ahead of the mailings' letters. While the SMTP account rests they wait, unless a probe is due; then
 * the sweeper enqueues them.
 */
@Injectable()
export class ServiceProcessor extends WorkerHost {
  constructor(
    private readonly sender: NoticeSender,
    private readonly gate: AccountGate,
    private readonly redis: RedisConnection,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process(job: Job<ServiceJob>): Promise<string> {
    const sent = await this.gate.lend(({ identity }) => this.sender.send(job.data.noticeId, identity));
    return sent?.verdict.delivery ?? 'waiting';
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.redis.complain(error, SERVICE_QUEUE);
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<ServiceJob> | undefined, error: Error): void {
    this.logger.warn(
      { event: 'notice.failed', ...job?.data, reason: error.message },
      'A notice was not sent; the sweeper will enqueue it again',
    );
  }
}
