import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database } from '../../database/database';
import { RedisConnection } from '../../queue/redis.module';
import { DELIVERY_QUEUE, type DeliveryJob } from '../../queue/queues';

interface LiveRun {
  id: number;
}

/** How much work the queue holds, in time: short enough that a new small mailing is served soon. */
const WINDOW_SECONDS = 10;
const WINDOW_MIN = 1_000;
/** The least that a run gets in one turn. */
const TURN_MIN = 50;

/**
 * Fills the delivery queue from the ledger: at most QUEUE_WINDOW jobs in all states, about ten seconds of work, the
 * sending runs in turn. How far each run was fed stands in Redis beside the jobs, so that both are lost together and a
 * flush starts the feeding anew. A job that is there already is not added again; a doubled one does no harm.
 */
@Injectable()
export class FeederService {
  constructor(
    private readonly database: Database,
    private readonly redis: RedisConnection,
    @InjectQueue(DELIVERY_QUEUE) private readonly queue: Queue<DeliveryJob>,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * One turn; of all workers one feeds at a time.
   * @returns how many jobs were added
   */
  async feed(): Promise<number> {
    return this.database.transaction(async (tx) => {
      const mine = await tx.first<{ locked: boolean }>(
        `SELECT pg_try_advisory_xact_lock(hashtext('gonets.feeder')) AS locked`,
      );
      if (!mine?.locked) return 0;
      const runs = await tx.rows<LiveRun>(
        `SELECT r.id FROM runs r WHERE r.status = 'sending' AND r.paused_at IS NULL AND (r.end_at IS NULL OR r.end_at > app_now())
            AND EXISTS (SELECT FROM transports WHERE id = 1 AND state = 'open') ORDER BY r.id`,
      );
      if (runs.length === 0) return 0;
      failpoint('feeding');
      const room = await this.room();
      if (room <= 0) return 0;
      const again = await this.serveAgain(room);
      return again + (await this.serve(rotate(runs), room - again));
    });
  }

  /** This delivery is pending again, behind how far its run was fed: the next turn feeds it first. */
  async feedAgain(deliveryId: number): Promise<void> {
    await this.redis.client.sadd(this.redis.key('feed-again'), deliveryId);
  }

  /** The next turns start from the beginning of these runs, or of all: after a pause, a flush, a parked account. */
  async refeed(runIds?: number[]): Promise<void> {
    const key = this.redis.key('feed');
    if (!runIds) await this.redis.client.del(key);
    else if (runIds.length > 0) await this.redis.client.hdel(key, ...runIds.flatMap((id) => [`p${id}`, `d${id}`]));
  }

  /** What is lost between the two steps is a delivery without a job, which the sweeper finds. */
  private async serveAgain(room: number): Promise<number> {
    const ids = await this.redis.client.spop(this.redis.key('feed-again'), room);
    if (ids.length === 0) return 0;
    const rows = await this.database.rows<{ id: number; attempts: number }>(
      `SELECT id, attempts FROM deliveries WHERE id = ANY($1::bigint[]) AND status = 'pending' ORDER BY id`,
      [ids],
    );
    await this.queue.addBulk(rows.map(deliveryJob));
    return rows.length;
  }

  private async serve(runs: LiveRun[], room: number): Promise<number> {
    let added = 0;
    let hungry = runs;
    while (hungry.length > 0 && added < room) {
      const share = Math.max(TURN_MIN, Math.floor((room - added) / hungry.length));
      const still: LiveRun[] = [];
      for (const run of hungry) {
        const limit = Math.min(share, room - added);
        if (limit <= 0) break;
        const fed = (await this.feedDue(run, limit)) || (await this.feedPending(run, limit));
        added += fed;
        if (fed > 0) still.push(run);
      }
      hungry = still;
    }
    return added;
  }

  private async feedPending(run: LiveRun, limit: number): Promise<number> {
    const field = `p${run.id}`;
    const cursor = Number((await this.redis.client.hget(this.redis.key('feed'), field)) ?? 0);
    const rows = await this.database.rows<{ id: number; attempts: number }>(
      `SELECT id, attempts FROM deliveries WHERE run_id = $1 AND status = 'pending' AND id > $2 ORDER BY id LIMIT $3`,
      [run.id, cursor, limit],
    );
    return this.add(rows, field, rows.at(-1)?.id);
  }

  private async feedDue(run: LiveRun, limit: number): Promise<number> {
    const field = `d${run.id}`;
    const [at, id] = ((await this.redis.client.hget(this.redis.key('feed'), field)) ?? '-infinity|0').split('|');
    const rows = await this.database.rows<{ id: number; attempts: number; at: string }>(
      `SELECT id, attempts, next_attempt_at::text AS at FROM deliveries
        WHERE run_id = $1 AND status = 'deferred' AND next_attempt_at <= app_now() AND (next_attempt_at, id) > ($2::timestamptz, $3::bigint)
        ORDER BY next_attempt_at, id LIMIT $4`,
      [run.id, at, id, limit],
    );
    const last = rows.at(-1);
    return this.add(rows, field, last && `${last.at}|${last.id}`);
  }

  private async add(
    rows: { id: number; attempts: number }[],
    field: string,
    cursor: number | string | undefined,
  ): Promise<number> {
    if (cursor === undefined) return 0;
    await this.queue.addBulk(rows.map(deliveryJob));
    failpoint('fed');
    await this.redis.client.hset(this.redis.key('feed'), field, cursor);
    return rows.length;
  }

  /** What still fits: by the cap, and by how fast jobs left the queue lately. */
  private async room(): Promise<number> {
    const counts = await this.queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    const held = Object.values(counts).reduce((a, b) => a + b, 0);
    const { queueWindow, rateLimitPerSecond, workerConcurrency } = this.config;
    const speed = await this.speed();
    const bySpeed = Math.max(
      speed * WINDOW_SECONDS,
      rateLimitPerSecond > 0 ? 0 : Math.max(WINDOW_MIN, 4 * workerConcurrency),
    );
    const byLimit = rateLimitPerSecond > 0 ? Math.max(rateLimitPerSecond * WINDOW_SECONDS, TURN_MIN) : Infinity;
    return Math.min(queueWindow, Math.max(Math.min(bySpeed, byLimit), rateLimitPerSecond > 0 ? byLimit : 0)) - held;
  }

  /** Deliveries a second over the last few seconds, from the ledger's own counters. */
  private async speed(): Promise<number> {
    const row = await this.database.first<{ done: number; at: number }>(
      `SELECT coalesce(sum(attempts_ok + attempts_failed + attempts_unknown), 0)::bigint AS done,
              extract(epoch FROM clock_timestamp())::float8 AS at
         FROM stats WHERE bucket_at >= app_now() - interval '30 minutes'`,
    );
    const now = { done: row?.done ?? 0, at: row?.at ?? 0 };
    const before = this.measured;
    if (!before || now.at - before.at > 2)
      this.measured = {
        ...now,
        speed: before && now.at - before.at < 30 ? Math.max(0, now.done - before.done) / (now.at - before.at) : 0,
      };
    return this.measured?.speed ?? 0;
  }

  private measured: { done: number; at: number; speed: number } | undefined;
}

/** The job of a delivery's next attempt. Its id names both, so that one attempt has one job and each try is seen. */
export function deliveryJob(delivery: { id: number; attempts: number }) {
  return {
    name: 'deliver',
    data: { deliveryId: delivery.id },
    opts: { jobId: deliveryJobId(delivery) },
  };
}

export function deliveryJobId(delivery: { id: number; attempts: number }): string {
  return `${delivery.id}-${delivery.attempts + 1}`;
}

let turn = 0;

/** Another run begins each turn, so that none is always first. */
function rotate<T>(list: T[]): T[] {
  turn = (turn + 1) % list.length;
  return [...list.slice(turn), ...list.slice(0, turn)];
}
