import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { AccountGate } from '../features/accounts/account-gate.service';
import { NoticeSender } from '../features/notices/notice-sender';
import type { ServiceJob } from '../queue/queues';

/**
 * Sends notices, ahead of the mailings' letters. While the SMTP account rests they wait, unless a probe is due; then
 * the sweeper enqueues them.
 */
@Injectable()
export class ServiceProcessor {
  constructor(
    private readonly sender: NoticeSender,
    private readonly gate: AccountGate,
    private readonly logger: PinoLogger,
  ) {}

  async process(job: Job<ServiceJob>): Promise<string> {
    const sent = await this.gate.lend(({ identity }) => this.sender.send(job.data.noticeId, identity));
    return sent?.verdict.delivery ?? 'waiting';
  }

  onFailed(job: Job<ServiceJob> | undefined, error: Error): void {
    this.logger.warn(
      { event: 'notice.failed', ...job?.data, reason: error.message },
      'A notice was not sent; the sweeper will enqueue it again',
    );
  }
}
