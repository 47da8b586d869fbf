import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { DeliveryCounts, RunStatus } from '../../domain/states';
import type { EventCounts } from '../../domain/suppression';
import { RECIPIENTS } from '../audiences/audiences';
import { type Restored, restoredNote } from '../mailings/restored';
import { RedisConnection } from '../../queue/redis.module';
import { LIVING_WORKERS } from '../ledger/living-workers';

export interface Statistics {
  mailings: number;
  activeMailings: number;
  uniqueRecipients: number;
  attempts: { ok: number; failed: number; unknown: number };
}

/** One day of the reader's calendar; `day` is `2027-03-14`. */
export interface DayCount {
  day: string;
  sent: number;
  failed: number;
  unknown: number;
  unsubscribed: number;
}

/** The numbers of the home page: today's are the last of `days`, of which there are always 30. */
export interface Overview extends Statistics {
  days: DayCount[];
}

/** What is open in live runs, and how many of those and of workers there are. */
export interface OpenCounts {
  liveRuns: number;
  pending: number;
  sending: number;
  deferred: number;
  workers: number;
}

export interface LiveWorker {
  id: number;
  host: string;
  pid: number;
  version: string;
  startedAt: Date;
  heartbeatAt: Date;
  /** Why it can't work with its Redis; null if it can. */
  redisReason: string | null;
}

export interface LiveRun {
  runId: number;
  mailingId: number;
  mailingName: string;
  status: RunStatus;
  paused: boolean;
  startedAt: Date | null;
  counts: DeliveryCounts;
}

/** Live runs, next mailings and present problems, as the home page shows them. */
export interface Present {
  live: LiveRun[];
  next: { id: number; name: string; nextRunAt: Date; timeZone: string; recipients: number | null }[];
  stopped: { id: number; name: string; code: string; text: string | null; since: Date }[];
  /** Set while mailings are paused because the database was restored. */
  restored: Restored | null;
  liveWorkers: number;
}

const CACHE_SECONDS = 5;
const SHOWN = 5;

@Injectable()
export class StatisticsService {
  constructor(
    private readonly database: Database,
    private readonly redis: RedisConnection,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The home page's numbers, from stored counters. */
  async home(viewer: Viewer): Promise<Statistics> {
    const owner = readableOwner(viewer);
    const row = await this.database.first<
      Record<'mailings' | 'active' | 'unique' | 'ok' | 'failed' | 'unknown', number>
    >(
      `SELECT (SELECT count(*) FROM mailings
        WHERE deleted_at IS NULL AND ($1::bigint IS NULL OR owner_id = $1)) AS mailings,
              (SELECT count(*) FROM mailings
                WHERE deleted_at IS NULL AND status = 'started' AND ($1::bigint IS NULL OR owner_id = $1)) AS active,
              coalesce((SELECT clients FROM client_totals WHERE owner_id = coalesce($1, 0)), 0) AS unique, a.*
         FROM (SELECT coalesce(sum(attempts_ok), 0)::bigint AS ok, coalesce(sum(attempts_failed), 0)::bigint AS failed,
                      coalesce(sum(attempts_unknown), 0)::bigint AS unknown
                 FROM stats WHERE ($1::bigint IS NULL OR owner_id = $1)) a`,
      [owner],
    );
    if (!row) throw new Error('no statistics');
    const { ok, failed, unknown } = row;
    return {
      mailings: row.mailings,
      activeMailings: row.active,
      uniqueRecipients: row.unique,
      attempts: { ok, failed, unknown },
    };
  }

  /**
   * The home page's numbers with 30 days of the viewer's calendar, at most five seconds old, and never older than the
   * viewer's own last change (`forget`). Without Redis they are read anew each time.
   */
  async overview(viewer: Viewer, timeZone: string): Promise<Overview> {
    const key = this.key(viewer);
    const kept = await this.redis.client.hget(key, timeZone).catch(() => null);
    if (kept) return JSON.parse(kept) as Overview;
    const [numbers, days] = await Promise.all([this.home(viewer), this.days(viewer, timeZone)]);
    const overview = { ...numbers, days };
    await this.redis.client
      .multi()
      .hset(key, timeZone, JSON.stringify(overview))
      .expire(key, CACHE_SECONDS, 'NX')
      .exec()
      .catch(() => null);
    return overview;
  }

  /** The viewer changed something, so the next overview is not taken from the cache. */
  async forget(viewer: Viewer): Promise<void> {
    await this.redis.client.del(this.key(viewer)).catch(() => 0);
  }

  /** What is paused because the database was restored, of what the viewer may see. */
  restored(viewer: Viewer): Promise<Restored | null> {
    return restoredNote(this.database, readableOwner(viewer));
  }

  /** Always read anew: few rows, by their indexes. */
  async present(viewer: Viewer): Promise<Present> {
    const owner = readableOwner(viewer);
    const [live, next, stopped, restored, workers] = await Promise.all([
      this.database.rows<LiveRun>(
        `SELECT r.id AS run_id, r.mailing_id, coalesce(nullif(m.name, ''), r.subject) AS mailing_name, r.status,
                r.paused_at IS NOT NULL AS paused, r.started_at, (SELECT jsonb_build_object(
                  'total', coalesce(sum(pending + sending + deferred + sent + failed + unknown + skipped
                    + cancelled), 0),
                  'pending', coalesce(sum(pending), 0), 'sending', coalesce(sum(sending), 0),
                  'deferred', coalesce(sum(deferred), 0),
                  'sent', coalesce(sum(sent), 0), 'failed', coalesce(sum(failed), 0),
                  'unknown', coalesce(sum(unknown), 0),
                  'skipped', coalesce(sum(skipped), 0), 'cancelled', coalesce(sum(cancelled), 0)) FROM run_counts
                    WHERE run_id = r.id) AS counts
           FROM runs r JOIN mailings m ON m.id = r.mailing_id
          WHERE r.status IN ('planning', 'sending') AND ($1::bigint IS NULL OR r.owner_id = $1)
            ORDER BY r.id DESC LIMIT ${SHOWN}`,
        [owner],
      ),
      this.database.rows<Present['next'][number]>(
        `SELECT m.id, coalesce(nullif(m.name, ''), s.subject, '') AS name, m.next_run_at, m.time_zone,
                ${RECIPIENTS} AS recipients
           FROM mailings m LEFT JOIN messages s ON s.id = m.message_id
          WHERE m.status = 'started' AND m.deleted_at IS NULL AND m.next_run_at IS NOT NULL
            AND ($1::bigint IS NULL OR m.owner_id = $1)
          ORDER BY m.next_run_at LIMIT ${SHOWN}`,
        [owner],
      ),
      this.database.rows<Present['stopped'][number]>(
        `SELECT m.id, coalesce(nullif(m.name, ''), s.subject, '') AS name, m.status_code AS code,
          m.status_text AS text, m.status_since AS since
           FROM mailings m LEFT JOIN messages s ON s.id = m.message_id
          WHERE ((m.status = 'paused' AND m.status_code <> 'restored')
            OR (m.status = 'done' AND m.status_code = 'restored')
            OR (m.status = 'done' AND m.status_code <> 'ended' AND EXISTS (SELECT FROM runs r
              WHERE r.mailing_id = m.id AND r.status IN ('planning', 'sending') AND r.paused_at IS NOT NULL)))
            AND m.deleted_at IS NULL AND ($1::bigint IS NULL OR m.owner_id = $1)
          ORDER BY m.status_since DESC LIMIT ${SHOWN}`,
        [owner],
      ),
      restoredNote(this.database, owner),
      this.liveWorkers(),
    ]);
    return { live, next, stopped, restored, liveWorkers: workers.length };
  }

  /** Worker processes whose heartbeat is young. */
  liveWorkers(): Promise<LiveWorker[]> {
    return this.database.rows(
      `SELECT id, host, pid, version, started_at, heartbeat_at, redis_reason FROM workers
        WHERE ${LIVING_WORKERS} ORDER BY id`,
      [this.config.takeoverMs],
    );
  }

  async open(): Promise<OpenCounts> {
    const row = await this.database.first<OpenCounts>(
      `SELECT (SELECT count(*) FROM runs WHERE status IN ('planning', 'sending')) AS live_runs,
              coalesce(sum(pending), 0)::bigint AS pending, coalesce(sum(sending), 0)::bigint AS sending,
              coalesce(sum(deferred), 0)::bigint AS deferred, (SELECT count(*) FROM workers
                WHERE ${LIVING_WORKERS}) AS workers
         FROM run_counts WHERE run_id IN (SELECT id FROM runs WHERE status IN ('planning', 'sending'))`,
      [this.config.takeoverMs],
    );
    if (!row) throw new Error('no counts');
    return row;
  }

  /** Of everybody, in the last 24 hours. */
  async recentAttempts(): Promise<Statistics['attempts']> {
    const row = await this.database.first<Statistics['attempts']>(
      `SELECT coalesce(sum(attempts_ok), 0)::bigint AS ok, coalesce(sum(attempts_failed), 0)::bigint AS failed,
              coalesce(sum(attempts_unknown), 0)::bigint AS unknown FROM stats
                WHERE bucket_at > app_now() - interval '1 day'`,
    );
    if (!row) throw new Error('no statistics');
    return row;
  }

  /** Of everybody, in the last 24 hours. */
  async recentEvents(): Promise<EventCounts> {
    const row = await this.database.first<EventCounts>(
      `SELECT coalesce(sum(bounced), 0)::bigint AS bounced, coalesce(sum(soft_bounced), 0)::bigint AS soft_bounced,
              coalesce(sum(complained), 0)::bigint AS complained,
              coalesce(sum(unsubscribed), 0)::bigint AS unsubscribed
         FROM stats WHERE bucket_at > app_now() - interval '1 day'`,
    );
    if (!row) throw new Error('no statistics');
    return row;
  }

  private days(viewer: Viewer, timeZone: string): Promise<DayCount[]> {
    return this.database.rows(
      `WITH
       -- The last 30 days in the viewer's zone,
       calendar AS (
         SELECT day::date AS day FROM generate_series((app_now() AT TIME ZONE $2)::date - 29,
           (app_now() AT TIME ZONE $2)::date, interval '1 day') AS day),
       -- what happened on those that have counters,
       counted AS (
         SELECT (bucket_at AT TIME ZONE $2)::date AS day, sum(sent)::bigint AS sent, sum(failed)::bigint AS failed,
           sum(unknown)::bigint AS unknown, sum(unsubscribed)::bigint AS unsubscribed
           FROM stats WHERE bucket_at >= ((SELECT min(day) FROM calendar)::timestamp AT TIME ZONE $2)
             AND ($1::bigint IS NULL OR owner_id = $1)
          GROUP BY 1)
       -- and zeros for the others.
       SELECT c.day::text, coalesce(n.sent, 0) AS sent, coalesce(n.failed, 0) AS failed,
         coalesce(n.unknown, 0) AS unknown, coalesce(n.unsubscribed, 0) AS unsubscribed
         FROM calendar c LEFT JOIN counted n USING (day) ORDER BY c.day`,
      [readableOwner(viewer), timeZone],
    );
  }

  private key(viewer: Viewer): string {
    return this.redis.key(`home:${viewer.userId}`);
  }
}
