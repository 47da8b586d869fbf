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

/** How many of a run's oldest fed deliveries are looked for in Redis; the rest become the oldest in time. */
const SAMPLE = 500;
/** Of so many it is asked where in the queue they stand. */
const PROBE = 20;

interface FedDelivery {
  id: number;
  attempts: number;
  status: string;
}

/** What a sweep found and mended. */
export interface Swept {
  takenOver: number;
  refedRuns: number[];
}

/** Makes dead workers' claims and lost jobs harmless. */
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
        { event: 'sweep.given_back', deliveries: givenBack },
        'Claims of dead workers that no server was told of are pending again',
      );
    if (refedRuns.length > 0)
      this.logger.warn({ event: 'sweep.refed', runs: refedRuns }, 'Deliveries without a job are fed again');
    return { takenOver, refedRuns };
  }

  /** Runs that have fed deliveries whose job is not in the queue any more are fed again from their beginning. */
  private async findLostJobs(): Promise<number[]> {
    const runs = await this.database.rows<{ id: number }>(
      `SELECT id FROM runs WHERE status = 'sending' AND paused_at IS NULL`,
    );
    const lost: number[] = [];
    const cursors = await this.feed.cursors(runs.map(({ id }) => id));
    for (const [i, cursor] of cursors.entries()) {
      const { id = 0 } = runs[i] ?? {};
      if (await this.mendRun(id, cursor)) lost.push(id);
    }
    await this.feed.refeed(lost);
    return lost;
  }

  /** Whether jobs of a run are lost. Those that Redis knows but that stand in none of its lists are taken away first. */
  private async mendRun(runId: number, fed: FeedCursor): Promise<boolean> {
    let lost = false;
    for (let after = 0; ;) {
      const page = await this.database.rows<FedDelivery>(
        `(SELECT d.id, d.attempts, d.status FROM runs r, open_deliveries(r.id, r.floor_id, 'pending', $5, ${SAMPLE}) d
           WHERE r.id = $1 AND d.id <= $2 ORDER BY d.id)
         UNION ALL
         (SELECT id, attempts, status FROM deliveries WHERE run_id = $1 AND status = 'deferred' AND next_attempt_at <= app_now()
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

  /** Lost lists make old jobs first: only if the oldest have no place, all are looked at. */
  private async withoutPlace(deliveries: FedDelivery[]): Promise<FedDelivery[]> {
    const homeless = async (some: FedDelivery[]) => {
      const states = await Promise.all(some.map((delivery) => this.queue.getJobState(deliveryJobId(delivery))));
      return some.filter((_, i) => ['unknown', 'completed', 'failed'].includes(states[i] ?? 'unknown'));
    };
    const oldest = await homeless(deliveries.slice(0, PROBE));
    return oldest.length === 0 ? [] : [...oldest, ...(await homeless(deliveries.slice(PROBE)))];
  }

  /** Between the two looks a job may have ended and its delivery moved on. */
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
