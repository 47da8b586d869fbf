import type { Database, Transaction } from '../../database/database';
import type { Claim } from './claims';
import type { DeliveryRecord } from './records';

/** What one job wants of the ledger: the delivery with this id claimed, or what its claim came to written. */
export type Entry = { claim: number } | { record: DeliveryRecord };

/**
 * Claims and records in one statement: one round trip, one commit, one run of the counting triggers for all that a
 * worker's jobs want at a moment.
 *
 * `held` takes the runs concerned FOR KEY SHARE, in id order, before it reads their state: it waits for a pause or finish
 * that holds one FOR UPDATE and then sees its result. So no claim is committed after their answer, and no delivery goes
 * back to wait in a run that was closed.
 * `concerned` is read by primary key, and the updates join by it alone: whatever the planner knows of a ledger
 * that has just grown by a million rows, no plan of this statement can walk through a run.
 */
const WRITE = `
  WITH given AS MATERIALIZED (
     SELECT * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::smallint[], $8::smallint[], $9::bigint[],
                          $10::smallint[], $11::text[], $12::smallint[], $13::text[], $14::text[], $15::integer[])
       AS g(id, status, reason, tries_used, breaks, lost_replies, delay_ms, attempt_number, attempt_status, reply_code,
            enhanced_code, server_response, duration_ms)),
   concerned AS MATERIALIZED (SELECT d.id, d.run_id FROM deliveries d WHERE d.id = ANY($2::bigint[] || $3::bigint[])),
   held AS MATERIALIZED (
     SELECT r.id, r.mailing_id, r.owner_id, r.on_unknown, r.reason, r.status IN ('planning', 'sending') AS open,
            r.status = 'sending' AND r.paused_at IS NULL AND (r.end_at IS NULL OR r.end_at > app_now()) AS live
       FROM runs r WHERE r.id IN (SELECT c.run_id FROM concerned c) ORDER BY r.id FOR KEY SHARE),
   moved AS (
     UPDATE deliveries d SET
         status = CASE WHEN may.follow THEN g.status
                       WHEN g.lost_replies > 0 THEN 'unknown'
                       WHEN r.reason <> 'ended' THEN 'cancelled'
                       WHEN d.attempts > 0 OR g.attempt_number IS NOT NULL THEN 'failed' ELSE 'skipped' END,
         reason = CASE WHEN may.follow THEN g.reason ELSE r.reason END,
         next_attempt_at = CASE WHEN may.follow AND g.status = 'deferred' THEN app_now() + g.delay_ms * interval '1 millisecond' END,
         attempts = d.attempts + CASE WHEN g.attempt_number IS NULL THEN 0 ELSE 1 END, tries = d.tries + g.tries_used,
         holds = d.holds + CASE WHEN g.status = 'deferred' AND g.attempt_number IS NULL THEN 1 ELSE 0 END,
         breaks = d.breaks + g.breaks, lost_replies = d.lost_replies + g.lost_replies, claimed_by = NULL, updated_at = app_now()
       FROM given g JOIN concerned c ON c.id = g.id JOIN held r ON r.id = c.run_id, LATERAL (
         SELECT g.status NOT IN ('pending', 'deferred') OR r.open AS follow) may
      WHERE d.id = g.id AND d.status = 'sending' AND d.claimed_by = $1
        AND (g.attempt_number IS NULL OR g.attempt_number = d.attempts + 1)
     RETURNING d.id, d.run_id, d.client_id, r.mailing_id, r.owner_id),
   tried AS (
     INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, reason,
                           reply_code, enhanced_code, server_response, duration_ms)
     SELECT m.id, m.run_id, m.mailing_id, m.owner_id, m.client_id, $1, g.attempt_number, g.attempt_status,
            CASE WHEN g.attempt_status = 'ok' THEN NULL ELSE g.reason END, g.reply_code, g.enhanced_code, g.server_response, g.duration_ms
       FROM moved m JOIN given g ON g.id = m.id WHERE g.attempt_number IS NOT NULL),
   claimed AS (
     UPDATE deliveries d SET status = 'sending', claimed_by = $1, next_attempt_at = NULL, reason = NULL, updated_at = app_now()
       FROM concerned c JOIN held r ON r.id = c.run_id
      WHERE d.id = c.id AND d.id = ANY($2::bigint[]) AND r.live
        AND (d.status = 'pending' OR (d.status = 'deferred' AND d.next_attempt_at <= app_now())
             OR (d.status = 'sending' AND d.claimed_by = $1))
     RETURNING d.id, d.run_id, r.mailing_id, r.owner_id, d.client_id, d.email, d.attempts, d.tries, d.breaks, d.lost_replies,
               r.on_unknown)
  SELECT claimed.*, coalesce(c.full_name, '') AS full_name, coalesce(c.comment, '') AS comment
    FROM claimed LEFT JOIN clients c ON c.id = claimed.client_id
  UNION ALL
  SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM moved`;

/**
 * Writes what jobs want of the ledger, durably before it returns; all of it is one transaction, but for records whose
 * claim was taken over. Harmless to repeat, because the answer may have been lost.
 *
 * Claims are compare-and-set: whoever else has a job for that delivery gets nothing. Only of runs that are sending, not
 * paused and not ended. A claim of this very worker is given out again; so callers must not ask for a delivery that they
 * hold.
 *
 * Only a claim that is still this worker's is recorded. If it was taken over meanwhile, the `unknown` attempt that stands
 * in its place is turned into what the server really answered, and the delivery follows if nothing else has happened to
 * it. A delivery that wants to go on although its run was closed ends as the run did.
 * @returns for each entry that asks for a claim the claim, or null: somebody else has it, it is final, not due, or its
 *   run is not sending; for each record null
 */
export async function writeLedger(database: Database, workerId: number, entries: Entry[]): Promise<(Claim | null)[]> {
  const ids = entries.flatMap((entry) => ('claim' in entry ? [entry.claim] : []));
  const records = entries.flatMap((entry) => ('record' in entry ? [entry.record] : []));
  const rows = await database.prepared<Claim | { id: number; runId: null }>('ledger', WRITE, [
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
  ]);
  const claims = new Map<number, Claim>();
  const written = new Set<number>();
  for (const row of rows) {
    if (row.runId === null) written.add(row.id);
    else claims.set(row.id, row);
  }
  for (const record of records) {
    if (!written.has(record.deliveryId)) await database.transaction((tx) => correctLate(tx, workerId, record));
  }
  return entries.map((entry) => ('claim' in entry ? (claims.get(entry.claim) ?? null) : null));
}

/**
 * The server's answer to an attempt that was taken over as `unknown` meanwhile. The delivery follows if nothing was tried
 * since; otherwise the attempt stays `unknown`, because another copy may be out, and only the answer is noted.
 */
async function correctLate(tx: Transaction, workerId: number, record: DeliveryRecord): Promise<void> {
  const { attempt } = record;
  if (!attempt || attempt.status === 'unknown') return;
  // The delivery before its attempts: the order in which everybody locks.
  const delivery = await tx.first<{ follows: boolean; live: boolean }>(
    `SELECT d.attempts = $2 AND d.status IN ('deferred', 'unknown') AS follows, r.status IN ('planning', 'sending') AS live
       FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1 FOR NO KEY UPDATE OF d`,
    [record.deliveryId, attempt.number],
  );
  const corrected = await tx.affected(
    `UPDATE attempts SET status = $4, reason = $5, reply_code = $6, enhanced_code = $7, server_response = $8, duration_ms = $9
      WHERE delivery_id = $1 AND attempt_number = $2 AND worker_id = $3 AND status = 'unknown'`,
    [
      record.deliveryId,
      attempt.number,
      workerId,
      delivery?.follows ? attempt.status : 'unknown',
      attempt.status === 'ok' ? null : record.reason,
      attempt.replyCode,
      attempt.enhancedCode,
      storable(attempt.serverResponse),
      attempt.durationMs,
    ],
  );
  if (corrected === 0 || !delivery?.follows) return;
  const final = record.status === 'sent' || record.status === 'failed';
  await tx.affected(
    `UPDATE deliveries SET status = $2, reason = $3, tries = tries + $4, lost_replies = lost_replies - 1, updated_at = app_now(),
            next_attempt_at = CASE WHEN $2 = 'deferred' THEN app_now() + $5 * interval '1 millisecond' END
      WHERE id = $1`,
    [
      record.deliveryId,
      final ? record.status : delivery.live ? 'deferred' : 'failed',
      record.reason,
      record.triesUsed,
      record.delayMs ?? 0,
    ],
  );
}

/** Postgres can't store NUL; an answer of the server is kept whole up to 4,000 characters. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').slice(0, 4_000);
}
