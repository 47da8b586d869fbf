import type { Database } from '../../database/database';
import { hardBounces } from '../../domain/suppression';
import { storable } from '../../domain/storable';
import type { Claim } from './claims';
import { isHardBounced, suppressBounced, whySuppressed } from '../consent/suppression-sql';
import { asItsRun, may, to } from './move-sql';
import type { DeliveryRecord } from './records';

/**
 * What one job asks of the ledger: to claim the delivery with this id, to mark a claim as offered to the server, or to
 * record the result of a claim.
 */
export type Entry = { claim: number } | { offer: Claim } | { record: DeliveryRecord };

/** Few letters need it (see `offered` in the claims), so it is a separate statement. */
const OFFER = `
  UPDATE deliveries SET offered = true WHERE id = ANY($2::bigint[]) AND ${may('offer', 'status')} AND claimed_by = $1
    RETURNING id`;

const OF_CLAIM = { email: 'c.email', owner: 'r.owner_id', mailing: 'r.mailing_id', transactional: 'r.transactional' };
/** SQL: why a delivery is skipped whose client (`k`) was deleted while it waited, or before it was to be tried again. */
const GONE = `CASE WHEN k.id IS NULL THEN 'client_deleted' END`;

/** Addresses that get no mail, as the answers that are recorded say. */
const BOUNCED = suppressBounced(`SELECT c.email, m.owner_id, g.server_response AS detail, m.id AS delivery_id
     FROM moved m JOIN given g ON g.id = m.id JOIN concerned c ON c.id = m.id
    WHERE ${isHardBounced('g', 'attempt_status')}`);

/**
 * Claims and records in one statement: one round trip, one commit, and one run of the counting triggers for all waiting
 * jobs of a worker.
 *
 * `held` takes the runs concerned FOR KEY SHARE, in id order, before it reads their state: it waits for a pause or
 * finish that has locked one FOR UPDATE and then sees its result. So no claim is committed after their answer, and no
 * delivery becomes pending or deferred in a run that was closed. A claim checks in the same statement whether its
 * recipient is suppressed, and then skips the delivery: it sees what was committed before the statement began, and
 * whoever suppresses an address later waits in `skipSuppressed` until this statement is committed. `concerned` is read
 * by primary key, and the updates join by it alone: whatever the statistics of Postgres say about a ledger that has
 * just grown by a million rows, no query plan of this statement can walk through a run.
 * @param bounces whether there may be addresses to suppress: most statements have none, and are spared preparing for it
 */
const write = (bounces: boolean) => `
  WITH
   -- The records to be written.
   given AS MATERIALIZED (
     SELECT * FROM unnest(
         $3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::smallint[], $8::smallint[], $9::bigint[],
         $10::smallint[], $11::text[], $12::smallint[], $13::text[], $14::text[], $15::integer[], $16::text[])
       AS g(id, status, reason, tries_used, breaks, lost_replies, delay_ms, attempt_number, attempt_status, reply_code,
            enhanced_code, server_response, duration_ms, refusal)),
   -- All deliveries to be claimed or recorded, by primary key.
   concerned AS MATERIALIZED (
     SELECT d.id, d.run_id, d.client_id, d.email, d.id = ANY($2::bigint[]) AS asked FROM deliveries d
      WHERE d.id = ANY($2::bigint[] || $3::bigint[])),
   -- Their runs, locked before their state is read.
   held AS MATERIALIZED (
     SELECT r.id, r.mailing_id, r.owner_id, r.on_unknown, r.transactional, r.reason,
       r.status IN ('planning', 'sending') AS open,
            r.status = 'sending' AND r.paused_at IS NULL AND (r.end_at IS NULL OR r.end_at > app_now()) AS live
       FROM runs r WHERE r.id IN (SELECT c.run_id FROM concerned c) ORDER BY r.id FOR KEY SHARE),
   -- Records: the delivery goes where the record says, or ends as its run did. Claims that were taken over stay.
   moved AS (
     UPDATE deliveries d SET
         status = CASE WHEN may.follow THEN g.status
                       WHEN g.lost_replies > 0 THEN ${to('record', 'unknown')}
                       ELSE ${asItsRun('d.attempts > 0 OR g.attempt_number IS NOT NULL')} END,
         reason = CASE WHEN may.follow THEN g.reason ELSE r.reason END,
         next_attempt_at = CASE WHEN may.follow AND g.status = 'deferred'
           THEN app_now() + g.delay_ms * interval '1 millisecond' END,
         attempts = d.attempts + CASE WHEN g.attempt_number IS NULL THEN 0 ELSE 1 END, tries = d.tries + g.tries_used,
         rests = d.rests + CASE WHEN g.status = 'deferred' AND g.attempt_number IS NULL THEN 1 ELSE 0 END,
         breaks = d.breaks + g.breaks, lost_replies = d.lost_replies + g.lost_replies,
         claimed_by = NULL, offered = true, updated_at = app_now()
       FROM given g JOIN concerned c ON c.id = g.id JOIN held r ON r.id = c.run_id, LATERAL (
         SELECT g.status NOT IN ('pending', 'deferred') OR r.open AS follow) may
      WHERE d.id = g.id AND ${may('record')} AND d.claimed_by = $1
        AND (g.attempt_number IS NULL OR g.attempt_number = d.attempts + 1)
     RETURNING d.id, d.run_id, d.client_id, r.mailing_id, r.owner_id),
   -- The attempts of the deliveries that were moved.
   tried AS (
     INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status,
                           reason, reply_code, enhanced_code, server_response, duration_ms, refusal)
     SELECT m.id, m.run_id, m.mailing_id, m.owner_id, m.client_id, $1, g.attempt_number, g.attempt_status,
            CASE WHEN g.attempt_status = 'ok' THEN NULL ELSE g.reason END, g.reply_code, g.enhanced_code,
            g.server_response, g.duration_ms, g.refusal
       FROM moved m JOIN given g ON g.id = m.id WHERE g.attempt_number IS NOT NULL),
   ${bounces ? `bounced AS (${BOUNCED}),` : ''}
   -- Claims, by compare-and-set on the delivery's state; a claim of this worker is returned again.
   claimed AS (
     UPDATE deliveries d SET
         status = CASE WHEN why.reason IS NULL OR d.status = 'sending' THEN ${to('claim', 'sending')}
                       ELSE ${to('claim', 'skipped')} END,
         reason = CASE WHEN d.status = 'sending' THEN NULL ELSE why.reason END,
         claimed_by = CASE WHEN why.reason IS NULL OR d.status = 'sending' THEN $1 END,
         offered = r.on_unknown = 'resend' OR (why.reason IS NOT NULL AND d.status <> 'sending'),
         next_attempt_at = NULL, updated_at = app_now()
       FROM concerned c JOIN held r ON r.id = c.run_id LEFT JOIN clients k ON k.id = c.client_id,
            ${whySuppressed(OF_CLAIM, GONE)}
      WHERE d.id = c.id AND c.asked AND r.live
        AND ${may('claim')} AND (d.status <> 'deferred' OR d.next_attempt_at <= app_now())
        AND (d.status <> 'sending' OR d.claimed_by = $1)
     RETURNING d.id, d.run_id, r.mailing_id, r.owner_id, d.client_id, d.email, d.attempts, d.tries, d.breaks,
               d.lost_replies, r.on_unknown, d.offered, d.reason AS skipped_for,
               coalesce(k.full_name, '') AS full_name, coalesce(k.comment, '') AS comment,
               coalesce(k.fields::text, '{}') AS fields)
  SELECT * FROM claimed
  UNION ALL
  SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM moved`;
const WRITE = write(false);
const WRITE_BOUNCES = write(true);

/**
 * Writes entries of several jobs, durably before it returns, in one transaction. Harmless to repeat, because the answer
 * may have been lost.
 *
 * Claims are compare-and-set: another job for the same delivery gets nothing. Only deliveries of runs that are sending,
 * not paused and not ended are claimed. A claim of this very worker is returned again, so callers must not ask for a
 * delivery that they have claimed.
 *
 * Only a claim that is still this worker's is recorded. A delivery that would be tried again although its run was
 * closed ends as the run did.
 * @returns for each entry that asks for a claim the claim (with `skippedFor` it is none, the delivery is skipped), or
 * null: another worker has it, it is final or not due, or its run is not sending; for each offer its claim, or null if
 * that was taken over; for each record null. `late` are the records of claims that were taken over: nothing of them is
 * written.
 */
export async function writeEntries(
  database: Database,
  workerId: number,
  entries: Entry[],
): Promise<{ answers: (Claim | null)[]; late: DeliveryRecord[] }> {
  const ids = entries.flatMap((entry) => ('claim' in entry ? [entry.claim] : []));
  const records = entries.flatMap((entry) => ('record' in entry ? [entry.record] : []));
  const offered = await offer(database, workerId, entries);
  const bounces = records.some(({ reason }) => reason !== null && hardBounces.includes(reason));
  const [name, statement] = bounces ? ['ledger-bounces', WRITE_BOUNCES] : ['ledger', WRITE];
  const rows = await database.prepared<Claim | { id: number; runId: null }>(name, statement, [
    workerId,
    ids,
    records.map((r) => r.deliveryId),
    records.map((r) => r.status),
    records.map((r) => r.reason),
    records.map((r) => r.triesUsed),
    records.map((r) => r.breaks),
    records.map((r) => r.lostReplies),
    records.map((r) => r.delayMs),
    records.map((r) => r.attempt?.number ?? null),
    records.map((r) => r.attempt?.status ?? null),
    records.map((r) => r.attempt?.replyCode ?? null),
    records.map((r) => r.attempt?.enhancedCode ?? null),
    records.map((r) => (r.attempt ? storable(r.attempt.serverResponse) : null)),
    records.map((r) => r.attempt?.durationMs ?? null),
    records.map((r) => r.attempt?.refusal ?? null),
  ]);
  const claims = new Map<number, Claim>();
  const written = new Set<number>();
  for (const row of rows) {
    if (row.runId === null) written.add(row.id);
    else claims.set(row.id, row);
  }
  const answers = entries.map((entry) => {
    if ('claim' in entry) return claims.get(entry.claim) ?? null;
    return 'offer' in entry && offered.has(entry.offer.id) ? entry.offer : null;
  });
  return { answers, late: records.filter((record) => !written.has(record.deliveryId)) };
}

async function offer(database: Database, workerId: number, entries: Entry[]): Promise<Set<number>> {
  const ids = entries.flatMap((entry) => ('offer' in entry ? [entry.offer.id] : []));
  if (ids.length === 0) return new Set();
  const rows = await database.prepared<{ id: number }>('offer', OFFER, [workerId, ids]);
  return new Set(rows.map(({ id }) => id));
}
