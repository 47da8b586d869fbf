import { Injectable } from '@nestjs/common';
import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { untilAnswered } from '../database/wait';
import { hardBounces } from '../domain/suppression';
import { type SendOutcome, SenderService } from '../features/sending/sender.service';
import { Outages } from '../features/consent/outages.service';
import { LifecycleService } from '../features/scheduling/lifecycle.service';
import { FeedState } from '../queue/feed-state';
import { DELIVERY_QUEUE, type DeliveryJob } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';
import { promptly } from '../queue/promptly';
import { RunFinisher } from './run-finisher';

/** What a job ends with if its delivery may need another one. */
const AGAIN = 'again';

/**
 * A job is one delivery: the sender sends it, and the outcome determines what happens to the job. A finished job is
 * removed at once: its result is in the ledger, and if the same job is added again, it finds nothing to claim.
 */
@Injectable()
export class DeliveryProcessor {
  constructor(
    private readonly sender: SenderService,
    private readonly lifecycle: LifecycleService,
    private readonly finisher: RunFinisher,
    private readonly outages: Outages,
    private readonly feed: FeedState,
    private readonly redis: RedisConnection,
  ) {
    sender.onProbed = async (outcome, deliveryId) => {
      await this.follow(outcome);
      if (isOpen(outcome)) await this.feedAgain(deliveryId);
    };
  }

  async process(job: Job<DeliveryJob>, token?: string): Promise<typeof AGAIN | undefined> {
    // An unexpected error says nothing about the delivery, so the job is removed and can be added again.
    job.opts.removeOnFail = true;
    const outcome = await this.sender.send(job.data.deliveryId);
    if (outcome.kind === 'stopping') {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (outcome.kind === 'skipped') this.finisher.note(outcome.runId);
    if (outcome.kind === 'recorded') {
      await this.follow(outcome);
      delete job.opts.removeOnFail;
      if (outcome.status === 'failed' || outcome.status === 'unknown') throw new UnrecoverableError(outcome.response);
    }
    return isOpen(outcome) ? AGAIN : undefined;
  }

  /**
   * Only now the job is gone. Before, the feeder would have found it, added no other, and gone on to the deliveries
   * behind this one, which then would have waited for the next sweep.
   */
  async onCompleted(job: Job<DeliveryJob>, result: unknown): Promise<void> {
    if (result === AGAIN) await this.feedAgain(job.data.deliveryId);
  }

  /** What an outcome requires beyond its record in the ledger. */
  private async follow(outcome: SendOutcome): Promise<void> {
    if (outcome.kind !== 'recorded') return;
    const { claim, park, tried } = outcome;
    if (hardBounces.includes(tried.verdict.reason)) await this.outages.note();
    this.finisher.note(claim.runId);
    if (park) await untilAnswered(() => this.lifecycle.park(park.mailingId, park.code, park.text));
  }

  /** Has the delivery tried again at once; if Redis is away, the sweeper finds that it has no job. */
  private async feedAgain(deliveryId: number): Promise<void> {
    await promptly(this.feed.again([deliveryId])).catch((error: unknown) =>
      this.redis.complain(error as Error, DELIVERY_QUEUE),
    );
  }
}

/** Whether the delivery may have to be sent at once: it is pending, or nobody knows without looking. */
function isOpen(outcome: SendOutcome): boolean {
  return outcome.kind === 'nothing' || (outcome.kind === 'recorded' && outcome.status === 'pending');
}
