import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { TransportGate } from '../features/deliveries/transport-gate.service';
import { ServiceLetterSender } from '../features/letters/service-letter-sender';
import { SERVICE_QUEUE, type ServiceJob } from '../queue/queues';

/** The service's own letters, past the queue of mailings. While the SMTP account rests they wait; the sweeper brings them. */
@Injectable()
export class ServiceProcessor extends WorkerHost {
  constructor(
    private readonly sender: ServiceLetterSender,
    private readonly gate: TransportGate,
    private readonly logger: PinoLogger,
  ) {
    super();
  }

  async process(job: Job<ServiceJob>): Promise<string> {
    if (!this.gate.open) return 'waiting';
    const sent = await this.sender.send(job.data.letterId);
    if (!sent) return 'nothing';
    this.gate.note(sent.result, sent.verdict);
    return sent.verdict.delivery;
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ event: 'queue.error', queue: SERVICE_QUEUE, reason: error.message }, 'Queue reported an error');
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<ServiceJob> | undefined, error: Error): void {
    this.logger.warn(
      { event: 'letter.failed', ...job?.data, reason: error.message },
      "One of the service's own letters was not sent; the sweeper will bring it again",
    );
  }
}
