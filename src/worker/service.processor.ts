import { Injectable } from '@nestjs/common';
import type { Job } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { AccountGate } from '../features/accounts/account-gate.service';
import { InboundJudge } from '../features/inbound/inbound-judge.service';
import { ProofSender } from '../features/inbound/proof-sender';
import { NoticeSender } from '../features/notices/notice-sender';
import { ReturnWatch } from '../features/scheduling/return-watch.service';
import type { ServiceJob } from '../queue/queues';

/**
 * Sends notices, ahead of the mailings' letters, and judges letters that came back. While the SMTP account rests,
 * notices wait, unless a probe is due; then the sweeper enqueues them.
 */
@Injectable()
export class ServiceProcessor {
  constructor(
    private readonly sender: NoticeSender,
    private readonly gate: AccountGate,
    private readonly judge: InboundJudge,
    private readonly returns: ReturnWatch,
    private readonly proofs: ProofSender,
    private readonly logger: PinoLogger,
  ) {}

  async process({ data }: Job<ServiceJob>): Promise<string> {
    if ('inboundId' in data) return this.judgeLetter(data.inboundId);
    const sent = await this.gate.lend(({ identity }) =>
      'proofId' in data ? this.proofs.send(data.proofId, identity) : this.sender.send(data.noticeId, identity),
    );
    return sent?.verdict.delivery ?? 'waiting';
  }

  private async judgeLetter(id: number): Promise<string> {
    const judged = await this.judge.judge(id);
    if (!judged) return 'nothing';
    const { verdict, mailingId } = judged;
    if (mailingId !== null) this.returns.note(mailingId, verdict);
    return verdict.kind;
  }

  /** Pauses mailings of which too much came back just now. */
  flush(): Promise<void> {
    return this.returns.flush();
  }

  onFailed(job: Job<ServiceJob> | undefined, error: Error): void {
    const isInbound = job !== undefined && 'inboundId' in job.data;
    this.logger.warn(
      { event: isInbound ? 'inbound.failed' : 'notice.failed', ...job?.data, reason: error.message },
      isInbound
        ? 'An incoming letter was not judged; the sweeper will enqueue it again'
        : 'A notice was not sent; the sweeper will enqueue it again',
    );
  }
}
