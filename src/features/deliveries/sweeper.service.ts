import { InjectQueue } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { DELIVERY_QUEUE, type DeliveryJob } from '../../queue/queues';
import { RedisConnection } from '../../queue/redis.module';
import { heldClaims } from './claims';
import { deliveryJobId, FeederService } from './feeder.service';

/** How many of a run's oldest fed deliveries are looked for in Redis; the rest become the oldest in time. */
const SAMPLE = 500;
/** Of so many it is asked where in the queue they stand. */
const PROBE = 20;
const BATCH = 1_000;

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
    private readonly feeder: FeederService,
    private readonly redis: RedisConnection,
    @InjectQueue(DELIVERY_QUEUE) private readonly queue: Queue<DeliveryJob>,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  async sweep(): Promise<Swept> {
    const takenOver = await this.takeOver();
    await this.raiseFloors();
    const refedRuns = await this.findLostJobs();
    if (takenOver > 0)
      this.logger.warn(
        { event: 'sweep.taken_over', deliveries: takenOver },
        'Claims of dead workers became unknown attempts',
      );
    if (refedRuns.length > 0)
      this.logger.warn({ event: 'sweep.refed', runs: refedRuns }, 'Deliveries without a job are fed again');
    return { takenOver, refedRuns };
  }

  /**
   * Whether a claim of a dead worker was sent is not known: its attempt is `unknown`, and the mailing's policy decides. An
   * old worker's claim can't come back: its process notices that it was silent and drops what it held.
   */
  private async takeOver(): Promise<number> {
    const claims = await heldClaims(this.database);
    let total = 0;
    for (let from = 0; from < claims.length; from += BATCH) {
      const some = claims.slice(from, from + BATCH);
      const taken = await this.database.transaction((tx) =>
        tx.rows<{ id: number }>(
          `WITH claims AS (SELECT * FROM unnest($3::bigint[], $4::bigint[]) AS c(id, worker_id)),
           dead AS (
             SELECT DISTINCT c.worker_id AS id FROM claims c
              WHERE NOT EXISTS (SELECT FROM workers w WHERE w.id = c.worker_id AND w.stopped_at IS NULL
                                   AND w.heartbeat_at >= clock_timestamp() - $1 * interval '1 millisecond')),
           held AS (
             SELECT d.id, d.run_id FROM claims c JOIN dead ON dead.id = c.worker_id
               JOIN deliveries d ON d.id = c.id AND d.claimed_by = c.worker_id AND d.status = 'sending'
              ORDER BY d.id FOR UPDATE OF d SKIP LOCKED),
           -- As of a close that is under way: it has seen these as sending, and closes them no more.
           found AS MATERIALIZED (
             SELECT r.id, r.mailing_id, r.owner_id, r.on_unknown, r.status FROM runs r
              WHERE r.id IN (SELECT run_id FROM held) ORDER BY r.id FOR KEY SHARE),
           moved AS (
             UPDATE deliveries d SET
                 status = CASE WHEN r.on_unknown = 'resend' AND d.lost_replies = 0 AND r.status IN ('planning', 'sending')
                               THEN 'deferred' ELSE 'unknown' END,
                 next_attempt_at = CASE WHEN r.on_unknown = 'resend' AND d.lost_replies = 0 AND r.status IN ('planning', 'sending')
                                        THEN app_now() + $2 * interval '1 millisecond' END,
                 reason = 'worker_lost', attempts = d.attempts + 1, lost_replies = d.lost_replies + 1,
                 claimed_by = NULL, updated_at = app_now()
               FROM held, found r, deliveries old
              WHERE d.id = held.id AND r.id = d.run_id AND old.id = d.id
             RETURNING d.id, d.run_id, d.client_id, r.mailing_id, r.owner_id, d.attempts, old.claimed_by AS worker_id),
           tried AS (
             INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, reason,
                                   server_response)
             SELECT id, run_id, mailing_id, owner_id, client_id, worker_id, attempts, 'unknown', 'worker_lost',
                    'The worker that was sending this letter stopped before it could write down the answer.' FROM moved)
           SELECT id FROM moved`,
          [
            this.config.takeoverMs,
            this.config.unknownGraceMs,
            some.map((claim) => claim.id),
            some.map((claim) => claim.claimedBy),
          ],
        ),
      );
      total += taken.length;
    }
    return total;
  }

  /** Up to the first delivery that is open still, so that nobody walks through what is done to find what is not. */
  private async raiseFloors(): Promise<void> {
    await this.database.affected(
      `WITH higher AS (
         SELECT r.id, f.id AS floor_id FROM runs r,
           LATERAL (SELECT coalesce(
             (SELECT d.id - 1 FROM deliveries d WHERE d.run_id = r.id AND d.id > r.floor_id AND d.off_path IS NULL
                 AND d.status IN ('pending', 'sending') ORDER BY d.id LIMIT 1),
             (SELECT max(d.id) FROM deliveries d WHERE d.run_id = r.id)) AS id) f
          WHERE (r.status IN ('planning', 'sending') OR r.closing) AND f.id > r.floor_id
          ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED)
       UPDATE runs r SET floor_id = higher.floor_id FROM higher WHERE r.id = higher.id`,
    );
  }

  /** Runs that have fed deliveries whose job is not in the queue any more are fed again from their beginning. */
  private async findLostJobs(): Promise<number[]> {
    const runs = await this.database.rows<{ id: number }>(
      `SELECT id FROM runs WHERE status = 'sending' AND paused_at IS NULL`,
    );
    const cursors = await this.redis.client.hgetall(this.redis.key('feed'));
    const lost: number[] = [];
    for (const { id } of runs) {
      const [at = '', last = ''] = (cursors[`d${id}`] ?? '-infinity|0').split('|');
      if (await this.mendRun(id, Number(cursors[`p${id}`] ?? 0), { at, id: Number(last) })) lost.push(id);
    }
    await this.feeder.refeed(lost);
    return lost;
  }

  /** Whether jobs of a run are lost. Those that Redis knows but that stand in none of its lists are taken away first. */
  private async mendRun(runId: number, fed: number, due: { at: string; id: number }): Promise<boolean> {
    let lost = false;
    for (let after = 0; ;) {
      const page = await this.database.rows<FedDelivery>(
        `(SELECT d.id, d.attempts, d.status FROM runs r, open_deliveries(r.id, r.floor_id, 'pending', $5, ${SAMPLE}) d
           WHERE r.id = $1 AND d.id <= $2 ORDER BY d.id)
         UNION ALL
         (SELECT id, attempts, status FROM deliveries WHERE run_id = $1 AND status = 'deferred' AND next_attempt_at <= app_now()
             AND (next_attempt_at, id) <= ($3::timestamptz, $4::bigint) ORDER BY next_attempt_at, id LIMIT ${SAMPLE})`,
        [runId, fed, due.at, due.id, after],
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
