import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database } from '../../database/database';
import { queueSize } from '../../domain/queue-window';
import { MAIN_ACCOUNT_OPEN } from '../accounts/accounts.service';
import { FeedState } from '../../queue/feed-state';
import { DELIVERY_QUEUE, type DeliveryJob } from '../../queue/queues';

/** A delivery to be fed; `dueAt` if it was deferred, as exactly as Postgres knows it. */
interface Fed {
  runId: number;
  id: number;
  attempts: number;
  dueAt: string | null;
}

/**
 * How many deliveries are read and added at once, so that memory does not grow with the window and sending continues in
 * between.
 */
const BATCH = 1_000;
/** The smallest share of a run in its turn. */
const SHARE_MIN = 5;

/**
 * Fills the delivery queue from the ledger: at most QUEUE_WINDOW jobs in all states, about ten seconds of work, the
 * sending runs in turn. After a flush of Redis feeding begins again. A job that exists already is not added again; a
 * doubled one does no harm.
 */
@Injectable()
export class FeederService {
  private measured: { done: number; at: number; speed: number } | undefined;

  constructor(
    private readonly database: Database,
    private readonly state: FeedState,
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
      const runs = await tx.rows<{ id: number }>(
        `SELECT r.id FROM runs r WHERE r.status = 'sending' AND r.paused_at IS NULL
          AND (r.end_at IS NULL OR r.end_at > app_now())
            AND ${MAIN_ACCOUNT_OPEN} ORDER BY r.id`,
      );
      if (runs.length === 0) return 0;
      failpoint('feeding');
      const room = await this.room();
      if (room <= 0) return 0;
      const again = await this.feedAgain(room);
      return again + (await this.serve(rotate(runs.map((run) => run.id)), room - again));
    });
  }

  /**
   * Feeds deliveries whose job ended without sending them for good, in whatever place of their run they are. Those of
   * paused runs are fed when the run goes on, deferred ones when they are due.
   */
  private async feedAgain(room: number): Promise<number> {
    const ids = await this.state.takeAgain(Math.min(room, BATCH));
    if (ids.length === 0) return 0;
    try {
      const rows = await this.database.rows<Fed>(
        `SELECT d.id, d.attempts FROM deliveries d JOIN runs r ON r.id = d.run_id
          WHERE d.id = ANY($1::bigint[]) AND r.status = 'sending' AND r.paused_at IS NULL
            AND (r.end_at IS NULL OR r.end_at > app_now())
            AND (d.status = 'pending' OR (d.status = 'deferred' AND d.next_attempt_at <= app_now()))`,
        [ids],
      );
      await this.queue.addBulk(rows.map(deliveryJob));
      return rows.length;
    } catch (error) {
      await this.state.again(ids).catch(() => undefined);
      throw error;
    }
  }

  /** Runs in turn, each its share, until the room is full or none has more. */
  private async serve(runs: number[], room: number): Promise<number> {
    let left = room;
    for (let hungry = runs; hungry.length > 0 && left > 0;) {
      const batch = Math.min(left, BATCH);
      const share = Math.min(batch, Math.max(SHARE_MIN, Math.floor(batch / hungry.length)));
      const turn = hungry.slice(0, Math.floor(batch / share));
      const { begun, rows } = await this.next(turn, share);
      await this.add(begun, rows);
      left -= rows.length;
      const got = new Map<number, number>();
      for (const { runId } of rows) got.set(runId, (got.get(runId) ?? 0) + 1);
      hungry = [...hungry.slice(turn.length), ...turn.filter((runId) => got.get(runId) === share)];
    }
    return room - left;
  }

  /** The next deliveries of each run after its cursors: deferred ones that are due, then pending ones. */
  private async next(runs: number[], limit: number): Promise<{ begun: string; rows: Fed[] }> {
    const { begun, cursors } = await this.state.read(runs);
    const rows = await this.database.rows<Fed>(
      `SELECT r.run_id, d.id, d.attempts, d.due_at
         FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[])
           AS r(run_id, due_at, due_id, pending_id)
         JOIN runs ON runs.id = r.run_id,
              LATERAL (
         SELECT * FROM (
           (SELECT id, attempts, next_attempt_at::text AS due_at FROM deliveries
             WHERE run_id = r.run_id AND status = 'deferred' AND next_attempt_at <= app_now()
               AND (next_attempt_at, id) > (r.due_at, r.due_id) ORDER BY next_attempt_at, id LIMIT $5)
           UNION ALL
           (SELECT id, attempts, NULL FROM open_deliveries(r.run_id, runs.floor_id, 'pending', r.pending_id, $5)
             ORDER BY id)) both_kinds
          LIMIT $5) d`,
      [runs, cursors.map((c) => c.dueAt), cursors.map((c) => c.dueId), cursors.map((c) => c.pendingId), limit],
    );
    return { begun, rows };
  }

  /** Adds the jobs, then moves the cursors: after a crash in between they are added twice, which does no harm. */
  private async add(begun: string, rows: Fed[]): Promise<void> {
    if (rows.length === 0) return;
    await this.queue.addBulk(rows.map(deliveryJob));
    failpoint('fed');
    await this.state.pass(begun, rows);
  }

  /** How many jobs still fit: by the limit, and by how fast jobs left the queue lately. */
  private async room(): Promise<number> {
    const counts = await this.queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    const held = Object.values(counts).reduce((a, b) => a + b, 0);
    return queueSize(this.config, await this.speed()) - held;
  }

  /** Deliveries a second over the last few seconds, from the ledger's own counters. */
  private async speed(): Promise<number> {
    const row = await this.database.first<{ done: number }>(
      `SELECT coalesce(sum(attempts_ok + attempts_failed + attempts_unknown), 0)::bigint AS done
         FROM stats WHERE bucket_at >= app_now() - interval '30 minutes'`,
    );
    const now = { done: row?.done ?? 0, at: performance.now() / 1_000 };
    const before = this.measured;
    if (!before || now.at - before.at > 2)
      this.measured = {
        ...now,
        speed: before && now.at - before.at < 30 ? Math.max(0, now.done - before.done) / (now.at - before.at) : 0,
      };
    return this.measured?.speed ?? 0;
  }
}

/** The job of a delivery's next attempt. Its id contains both, so that each attempt has one job of its own. */
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

/** Each turn begins with another run, so that none is always first. */
function rotate<T>(list: T[]): T[] {
  turn = (turn + 1) % list.length;
  return [...list.slice(turn), ...list.slice(0, turn)];
}
