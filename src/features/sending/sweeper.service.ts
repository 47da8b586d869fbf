import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { DELIVERY_QUEUE, type DeliveryJob } from '../../queue/queues';
import { RedisConnection } from '../../queue/redis.module';
import { takeOver } from '../ledger/take-over';
import { raiseFloors } from '../runs/run-moves';
import { type FeedCursor, FeedState } from '../../queue/feed-state';
import { deliveryJobId } from './feeder.service';

/** How many of a run's oldest fed deliveries are looked for in Redis; the others become the oldest in later sweeps. */
const SAMPLE = 500;
/** For so many of them it is checked in which list of the queue they are. */
const PROBE = 20;

interface FedDelivery {
  id: number;
  attempts: number;
  status: string;
}

/** What a sweep found and repaired. */
export interface Swept {
  takenOver: number;
  refedRuns: number[];
}

/** Takes over claims of dead workers and finds lost jobs. */
@Injectable()
export class DeliverySweeper {
  constructor(
    private readonly database: Database,
    private readonly feed: FeedState,
    private readonly redis: RedisConnection,
    @InjectQueue(DELIVERY_QUEUE) private readonly queue: Queue<DeliveryJob>,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  async sweep(): Promise<Swept> {
    const { takenOver, givenBack } = await takeOver(this.database, this.config.unknownGraceMs);
    await raiseFloors(this.database);
    const refedRuns = await this.findLostJobs();
    if (takenOver > 0)
      this.logger.warn(
        { event: 'sweep.taken_over', deliveries: takenOver },
        'Claims of dead workers became unknown attempts',
      );
    if (givenBack > 0)
      this.logger.warn(
        { event: 'sweep.released', deliveries: givenBack },
        'Claims of dead workers that were not offered to the server are pending again',
      );
    if (refedRuns.length > 0)
      this.logger.warn({ event: 'sweep.fed_again', runs: refedRuns }, 'Deliveries without a job are fed again');
    return { takenOver, refedRuns };
  }

  /** Runs that have fed deliveries whose job is not in the queue any more are fed again from their beginning. */
  private async findLostJobs(): Promise<number[]> {
    const runs = await this.database.rows<{ id: number }>(
      `SELECT id FROM runs WHERE status = 'sending' AND paused_at IS NULL`,
    );
    const lost: number[] = [];
    const { cursors } = await this.feed.read(runs.map(({ id }) => id));
    for (const [i, cursor] of cursors.entries()) {
      const { id = 0 } = runs[i] ?? {};
      if (await this.mendRun(id, cursor)) lost.push(id);
    }
    await this.feed.refeed(lost);
    return lost;
  }

  /**
   * Whether jobs of a run are lost. Jobs that exist in Redis but are in none of the queue's lists are removed first.
   */
  private async mendRun(runId: number, fed: FeedCursor): Promise<boolean> {
    let lost = false;
    for (let after = 0; ;) {
      const page = await this.database.rows<FedDelivery>(
        `(SELECT d.id, d.attempts, d.status FROM runs r, open_deliveries(r.id, r.floor_id, 'pending', $5, ${SAMPLE}) d
           WHERE r.id = $1 AND d.id <= $2 ORDER BY d.id)
         UNION ALL
         (SELECT id, attempts, status FROM deliveries
           WHERE run_id = $1 AND status = 'deferred' AND next_attempt_at <= app_now()
             AND (next_attempt_at, id) <= ($3::timestamptz, $4::bigint) ORDER BY next_attempt_at, id LIMIT ${SAMPLE})`,
        [runId, fed.pendingId, fed.dueAt, fed.dueId, after],
      );
      const stale = await this.stillOpen(await this.withoutPlace(page));
      for (const delivery of stale) await this.queue.remove(deliveryJobId(delivery));
      lost ||= stale.length > 0 || (await this.stillOpen(await this.withoutKey(page))).length > 0;
      after = page.findLast((delivery) => delivery.status === 'pending')?.id ?? Infinity;
      if (stale.length === 0 || after === Infinity) return lost;
    }
  }

  private async withoutKey(deliveries: FedDelivery[]): Promise<FedDelivery[]> {
    if (deliveries.length === 0) return [];
    const pipeline = this.redis.client.pipeline();
    for (const delivery of deliveries) pipeline.exists(this.queue.toKey(deliveryJobId(delivery)));
    const answers = (await pipeline.exec()) ?? [];
    return deliveries.filter((_, i) => answers[i]?.[1] === 0);
  }

  /**
   * If a list was lost, its oldest jobs have been waiting longest: only if the oldest are in no list, all are checked.
   */
  private async withoutPlace(deliveries: FedDelivery[]): Promise<FedDelivery[]> {
    const homeless = async (some: FedDelivery[]) => {
      const states = await Promise.all(some.map((delivery) => this.queue.getJobState(deliveryJobId(delivery))));
      return some.filter((_, i) => ['unknown', 'completed', 'failed'].includes(states[i] ?? 'unknown'));
    };
    const oldest = await homeless(deliveries.slice(0, PROBE));
    return oldest.length === 0 ? [] : [...oldest, ...(await homeless(deliveries.slice(PROBE)))];
  }

  /** Between the two checks a job may have ended and its delivery changed. */
  private async stillOpen(deliveries: FedDelivery[]): Promise<FedDelivery[]> {
    if (deliveries.length === 0) return [];
    const rows = await this.database.rows<{ id: number }>(
      `SELECT d.id FROM unnest($1::bigint[], $2::smallint[]) AS m(id, attempts) JOIN deliveries d USING (id)
        WHERE d.attempts = m.attempts AND d.status IN ('pending', 'deferred')`,
      [deliveries.map((d) => d.id), deliveries.map((d) => d.attempts)],
    );
    const open = new Set(rows.map((row) => row.id));
    return deliveries.filter((delivery) => open.has(delivery.id));
  }
}
