import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { Repeated } from '../../logging/repeated';
import { FeedState } from '../../queue/feed-state';
import { promptly } from '../../queue/promptly';
import { PLAN_QUEUE, type PlanJob } from '../../queue/queues';

/** Jobs that plan runs; added after the transaction that made the runs is committed. */
@Injectable()
export class PlanJobs {
  private readonly said: Repeated;

  constructor(
    @InjectQueue(PLAN_QUEUE) private readonly queue: Queue<PlanJob>,
    private readonly feed: FeedState,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /**
   * Adds plan jobs. Without Redis the sweeper does it later: the runs are in Postgres. `again` is for runs that may
   * have a job already: then a run has one at most, so that sweeps do not pile them up while planning is slow.
   */
  async add(runIds: number[], { again = false } = {}): Promise<void> {
    if (runIds.length === 0) return;
    try {
      const opts = (runId: number) =>
        again ? { jobId: `again-${runId}`, removeOnComplete: true, removeOnFail: true } : {};
      await promptly(
        this.queue.addBulk(runIds.map((runId) => ({ name: 'plan-run', data: { runId }, opts: opts(runId) }))),
      );
    } catch (error) {
      this.queueAway(error);
    }
  }

  /** Has these runs fed from their beginning again, after a pause. */
  async refeed(runIds: number[]): Promise<void> {
    await this.feed.refeed(runIds).catch((error: unknown) => this.queueAway(error));
  }

  private queueAway(error: unknown): void {
    this.said.warn(
      { event: 'queue.unavailable', reason: (error as Error).message },
      'Redis is away; the sweeper will continue this',
    );
  }
}
