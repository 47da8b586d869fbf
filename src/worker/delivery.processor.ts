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
    sender.onProbed = (outcome) => this.follow(outcome);
  }

  async process(job: Job<DeliveryJob>, token?: string): Promise<void> {
    // An unexpected error says nothing about the delivery, so the job is removed and can be added again.
    job.opts.removeOnFail = true;
    const outcome = await this.sender.send(job.data.deliveryId);
    switch (outcome.kind) {
      case 'stopping':
        await job.moveToWait(token);
        throw new WaitingError();
      case 'nothing':
        return;
      case 'skipped':
        this.finisher.note(outcome.runId);
        return;
      case 'recorded':
        await this.follow(outcome);
        delete job.opts.removeOnFail;
        if (outcome.status === 'failed' || outcome.status === 'unknown') throw new UnrecoverableError(outcome.response);
    }
  }

  /** What an outcome requires beyond its record in the ledger. */
  private async follow(outcome: SendOutcome): Promise<void> {
    if (outcome.kind !== 'recorded') return;
    const { claim, status, park, tried } = outcome;
    if (hardBounces.includes(tried.verdict.reason)) await this.outages.note();
    this.finisher.note(claim.runId);
    if (park) await untilAnswered(() => this.lifecycle.park(park.mailingId, park.code, park.text));
    else if (status === 'pending') await this.feedAgain(claim.id);
  }

  /** Has the delivery tried again at once; if Redis is away, the sweeper finds that it has no job. */
  private async feedAgain(deliveryId: number): Promise<void> {
    await promptly(this.feed.again(deliveryId)).catch((error: unknown) =>
      this.redis.complain(error as Error, DELIVERY_QUEUE),
    );
  }
}
