import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';

/** So many attempts, and so many events, are counted in one transaction. */
const BATCH = 20_000;
const EVENTS = 5_000;
/** So long one round goes on, in milliseconds, if there is much to count. */
const ROUND_MS = 5_000;
/** Those who write are over within some milliseconds. */
const PAUSE_MS = 100;

const NAMES = ['sent', 'refused', 'deferred', 'bounced', 'soft_bounced', 'complained'] as const;
const COLUMNS = NAMES.join(', ');
const ADDED = (t: string) => NAMES.map((name) => `${name} = ${t}.${name} + excluded.${name}`).join(', ');
const SUMS = NAMES.map((name) => `sum(${name})::integer AS ${name}`).join(', ');

/** SQL: counts `told (owner_id, at, email, …)`: of domains whose provider is known at the provider, else at the domain. */
const ADD = `
   summed AS MATERIALIZED (
     SELECT t.owner_id, stats_bucket(t.at) AS bucket_at, coalesce(lower(split_part(t.email, '@', 2)), '') AS domain, ${SUMS}
       FROM told t GROUP BY 1, 2, 3),
   -- Of a person who was erased no domain is left.
   placed AS MATERIALIZED (
     SELECT s.*, CASE WHEN s.domain = '' THEN 'other' ELSE p.provider END AS provider
       FROM summed s LEFT JOIN domain_providers p ON p.domain = s.domain),
   known AS (
     INSERT INTO provider_stats AS c (owner_id, bucket_at, provider, ${COLUMNS})
     SELECT owner_id, bucket_at, provider, ${SUMS} FROM placed WHERE provider IS NOT NULL GROUP BY 1, 2, 3
     ON CONFLICT (owner_id, bucket_at, provider) DO UPDATE SET ${ADDED('c')}),
   asked AS (
     INSERT INTO domain_providers (domain) SELECT DISTINCT domain FROM placed WHERE provider IS NULL
     ON CONFLICT DO NOTHING),
   unknown AS (
     INSERT INTO domain_stats AS c (domain, owner_id, bucket_at, ${COLUMNS})
     SELECT domain, owner_id, bucket_at, ${COLUMNS} FROM placed WHERE provider IS NULL
     ON CONFLICT (domain, owner_id, bucket_at) DO UPDATE SET ${ADDED('c')})`;

/**
 * SQL: a delivery by its primary key, whatever the statistics of Postgres say: of a ledger of many millions nothing may be
 * read but what is counted.
 */
const deliveryOf = (t: string) => `LATERAL (SELECT email FROM deliveries WHERE id = ${t}.delivery_id OFFSET 0) d`;
const ITS_DELIVERY = deliveryOf('a');

/** An attempt that was interrupted counts once its answer is known. */
const OF_ATTEMPT = `a.owner_id, a.created_at AS at, d.email, (a.status = 'ok')::integer AS sent,
  (a.status = 'failed' AND a.reply_code BETWEEN 500 AND 599)::integer AS refused,
  (a.status = 'failed' AND a.reply_code BETWEEN 400 AND 499)::integer AS deferred,
  0 AS bounced, 0 AS soft_bounced, 0 AS complained`;

/**
 * SQL: counts the next attempts, and those whose answer came late, all as one snapshot shows them: a late answer that
 * is seen is in its attempt, too.
 */
const COUNT_ATTEMPTS = `
  WITH bounds AS MATERIALIZED (
     SELECT counted_to AS after, least(seen_to, counted_to + ${BATCH}) AS upto, seen_to, seen_at FROM provider_counting),
   late AS (DELETE FROM uncounted_attempts u USING bounds b WHERE u.id <= b.upto RETURNING u.id, u.id <= b.after AS missed),
   told AS (
     SELECT ${OF_ATTEMPT} FROM (
        SELECT * FROM attempts WHERE id > (SELECT after FROM bounds) AND id <= (SELECT upto FROM bounds)
         ORDER BY id LIMIT ${BATCH}) a, ${ITS_DELIVERY}
      WHERE a.status <> 'unknown'
     UNION ALL
     SELECT ${OF_ATTEMPT} FROM late l, LATERAL (SELECT * FROM attempts WHERE id = l.id OFFSET 0) a, ${ITS_DELIVERY}
      WHERE l.missed AND a.status <> 'unknown'),
   ${ADD}
  UPDATE provider_counting SET counted_to = b.upto, counted_until = CASE WHEN b.upto = b.seen_to THEN b.seen_at
      ELSE coalesce((SELECT created_at FROM attempts WHERE id > b.after AND id <= b.upto ORDER BY id DESC LIMIT 1),
                    counted_until) END
    FROM bounds b RETURNING b.upto < b.seen_to AS more`;

const COUNT_EVENTS = `
  WITH taken AS (DELETE FROM uncounted_events WHERE id IN (
     SELECT id FROM uncounted_events ORDER BY id LIMIT ${EVENTS}) RETURNING id),
   told AS MATERIALIZED (
     SELECT e.owner_id, e.created_at AS at, d.email, 0 AS sent, 0 AS refused, 0 AS deferred,
            (e.kind = 'bounced')::integer AS bounced, (e.kind = 'soft_bounced')::integer AS soft_bounced,
            (e.kind = 'complained')::integer AS complained
       FROM taken t, LATERAL (SELECT * FROM delivery_events WHERE id = t.id OFFSET 0) e, ${deliveryOf('e')}),
   ${ADD}
  SELECT count(*) AS n FROM taken`;

/** SQL: sees how far attempts are written now. */
const SEE = `
  UPDATE provider_counting SET seen_to = greatest(seen_to, coalesce((SELECT max(id) FROM attempts), 0)),
         seen_xmax = pg_snapshot_xmax(pg_current_snapshot()), seen_at = app_now()`;

/**
 * SQL: whether what was seen may be counted: every transaction that was writing then is over, for an id is given out
 * before its row is committed. Null: nothing was seen, or on another server, whose transactions had other numbers.
 */
const IS_SAFE = `
  SELECT CASE WHEN seen_xmax <= pg_snapshot_xmax(pg_current_snapshot())
    THEN seen_xmax <= pg_snapshot_xmin(pg_current_snapshot()) END AS is_safe FROM provider_counting`;

/**
 * Counts how letters fare at the providers of mailboxes, some seconds behind the letters: what is counted when a letter
 * is sent costs each of them. Everything is counted exactly once: what is counted and how far are one transaction, and
 * one process at a time counts.
 */
@Injectable()
export class ProviderCounts {
  constructor(private readonly database: Database) {}

  /** Counts all that happened until now, for some seconds at most. */
  async count(): Promise<'all' | 'not_all' | 'busy'> {
    const until = performance.now() + ROUND_MS;
    let hasSeen = false;
    while (performance.now() < until) {
      const step = await this.database.transaction((tx) => countOnce(tx, hasSeen));
      if (step === 'all' || step === 'busy') return step;
      if (step === 'seen') hasSeen = true;
      if (step !== 'more') await new Promise((wake) => setTimeout(wake, PAUSE_MS).unref());
    }
    return 'not_all';
  }
}

/** @param hasSeen whether what is counted next was seen by this round, so that it may end */
async function countOnce(tx: Transaction, hasSeen: boolean): Promise<'all' | 'busy' | 'more' | 'seen' | 'waiting'> {
  if (!(await tx.first('SELECT id FROM provider_counting FOR UPDATE SKIP LOCKED'))) return 'busy';
  const events = await tx.first<{ n: number }>(COUNT_EVENTS);
  const state = await tx.first<{ isSafe: boolean | null }>(IS_SAFE);
  const attempts = state?.isSafe ? await tx.first<{ more: boolean }>(COUNT_ATTEMPTS) : undefined;
  if (attempts?.more || events?.n === EVENTS) return 'more';
  if (state?.isSafe === false) return 'waiting';
  if (hasSeen) return 'all';
  await tx.affected(SEE);
  return 'seen';
}

/** SQL: moves what was counted at the domains `$1` to the providers `$2` that they turned out to have. */
export const MOVE_TO_PROVIDERS = `
  WITH found AS (SELECT * FROM unnest($1::text[], $2::text[]) AS f(domain, provider)),
   moved AS (DELETE FROM domain_stats s USING found f WHERE s.domain = f.domain
     RETURNING s.owner_id, s.bucket_at, f.provider, ${NAMES.map((name) => `s.${name}`).join(', ')})
  INSERT INTO provider_stats AS c (owner_id, bucket_at, provider, ${COLUMNS})
  SELECT owner_id, bucket_at, provider, ${SUMS} FROM moved GROUP BY 1, 2, 3
  ON CONFLICT (owner_id, bucket_at, provider) DO UPDATE SET ${ADDED('c')}`;
