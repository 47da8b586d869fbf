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

/** What a job ends with if its delivery may need another one: at once if it was tried, else a little later. */
const AGAIN = { now: 0, soon: 1_000 };
type Again = keyof typeof AGAIN;

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
      const when = again(outcome);
      if (when) await this.feedAgain(deliveryId, when);
    };
  }

  async process(job: Job<DeliveryJob>, token?: string): Promise<Again | null> {
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
    return again(outcome);
  }

  /**
   * Gives the delivery back when its job is gone. While the job exists the feeder adds no other and goes on to the
   * deliveries behind this one, which then would wait for the next sweep.
   */
  async onCompleted(job: Job<DeliveryJob>, when: Again | null): Promise<void> {
    if (when) await this.feedAgain(job.data.deliveryId, when);
  }

  /** Finishes runs whose last letters were sent just now. */
  flush(): Promise<void> {
    return this.finisher.flush();
  }

  /** What an outcome requires beyond its record in the ledger. */
  private async follow(outcome: SendOutcome): Promise<void> {
    if (outcome.kind !== 'recorded') return;
    const { claim, park, tried } = outcome;
    if (hardBounces.includes(tried.verdict.reason)) await this.outages.note();
    this.finisher.note(claim.runId);
    if (park) await untilAnswered(() => this.lifecycle.park(park.mailingId, park.code, park.text));
  }

  /** Has the delivery tried again; if Redis is away, the sweeper finds that it has no job. */
  private async feedAgain(deliveryId: number, when: Again): Promise<void> {
    await promptly(this.feed.again([deliveryId], AGAIN[when])).catch((error: unknown) =>
      this.redis.complain(error as Error, DELIVERY_QUEUE),
    );
  }
}

/**
 * Whether the delivery may need another job: it is pending after a try, or nothing was done and nobody knows without
 * looking. The latter waits, so that what is turned away for long goes round once a second.
 */
function again(outcome: SendOutcome): Again | null {
  if (outcome.kind === 'nothing') return 'soon';
  return outcome.kind === 'recorded' && outcome.status === 'pending' ? 'now' : null;
}
