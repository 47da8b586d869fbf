import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { untilAnswered } from '../database/wait';
import { type SendOutcome, SenderService } from '../features/sending/sender.service';
import { LifecycleService } from '../features/scheduling/lifecycle.service';
import { FeedState } from '../queue/feed-state';
import { DELIVERY_QUEUE, type DeliveryJob } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';
import { promptly } from '../queue/promptly';
import { RunFinisher } from './run-finisher';

/**
 * One job, one delivery: the sender does it, and its outcome becomes a verb of the queue. A job that was done is removed at
 * once: what came of it stands in the ledger, and should the same one be added again, it finds nothing to do.
 */
@Injectable()
export class DeliveryProcessor extends WorkerHost {
  constructor(
    private readonly sender: SenderService,
    private readonly lifecycle: LifecycleService,
    private readonly finisher: RunFinisher,
    private readonly feed: FeedState,
    private readonly redis: RedisConnection,
  ) {
    super();
    sender.onProbed = (outcome) => this.follow(outcome);
  }

  async process(job: Job<DeliveryJob>, token?: string): Promise<void> {
    // Whatever is thrown here unexpectedly says nothing of the delivery: the same attempt's job can be added again.
    job.opts.removeOnFail = true;
    const outcome = await this.sender.send(job.data.deliveryId);
    switch (outcome.kind) {
      case 'stopping':
        await job.moveToWait(token);
        throw new WaitingError();
      case 'nothing':
        return;
      case 'recorded':
        await this.follow(outcome);
        delete job.opts.removeOnFail;
        if (outcome.status === 'failed' || outcome.status === 'unknown') throw new UnrecoverableError(outcome.response);
    }
  }

  /** What a result entails beyond its record. */
  private async follow(outcome: SendOutcome): Promise<void> {
    if (outcome.kind !== 'recorded') return;
    const { claim, status, park } = outcome;
    this.finisher.note(claim.runId);
    if (park) await untilAnswered(() => this.lifecycle.park(park.mailingId, park.code, park.text));
    else if (status === 'pending') await this.feedAgain(claim.id);
  }

  /** Another attempt at once; if Redis is away, the sweeper finds the delivery without a job. */
  private async feedAgain(deliveryId: number): Promise<void> {
    await promptly(this.feed.again(deliveryId)).catch((error: unknown) => this.onError(error as Error));
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.redis.complain(error, DELIVERY_QUEUE);
  }
}
