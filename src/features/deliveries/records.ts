import type { Database, Transaction } from '../../database/database';
import type { AttemptStatus, DeliveryStatus } from '../../domain/states';

/** What one claim came to: the attempt, if the transaction had begun, and where the delivery goes. */
export interface DeliveryRecord {
  deliveryId: number;
  /** Null if nothing was tried (DNS, connect, TLS, login, fenced, held): the claim is only given back. */
  attempt: {
    number: number;
    status: AttemptStatus;
    replyCode: number | null;
    enhancedCode: string | null;
    serverResponse: string;
    durationMs: number;
  } | null;
  status: DeliveryStatus;
  reason: string | null;
  triesUsed: 0 | 1;
  breaks: 0 | 1;
  lostReplies: 0 | 1;
  /** For `deferred`: from now on the database's clock. */
  delayMs: number | null;
}

/**
 * Writes attempts and the deliveries' new states in one transaction. Only a claim that is still this worker's is recorded.
 * If it was taken over meanwhile, the `unknown` attempt that stands in its place is turned into what the server really
 * answered, and the delivery follows if nothing else has happened to it. A delivery that wants to go on although its run was
 * closed ends as the run did. Harmless to repeat.
 */
export async function recordDeliveries(database: Database, workerId: number, records: DeliveryRecord[]): Promise<void> {
  await database.transaction(async (tx) => {
    const written = await writeRecords(tx, workerId, records);
    if (written.size === records.length) return;
    for (const record of records) if (!written.has(record.deliveryId)) await correctLate(tx, workerId, record);
  });
}

async function writeRecords(tx: Transaction, workerId: number, records: DeliveryRecord[]): Promise<Set<number>> {
  const rows = await tx.rows<{ id: number }>(
    `WITH given AS (
       SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::smallint[], $8::bigint[],
                            $9::smallint[], $10::text[], $11::smallint[], $12::text[], $13::text[], $14::integer[])
         AS g(id, status, reason, tries_used, breaks, lost_replies, delay_ms, attempt_number, attempt_status, reply_code,
              enhanced_code, server_response, duration_ms)),
     moved AS (
       UPDATE deliveries d SET
           status = CASE WHEN may.follow THEN g.status
                         WHEN g.lost_replies > 0 THEN 'unknown'
                         WHEN r.reason <> 'ended' THEN 'cancelled'
                         WHEN d.attempts > 0 OR g.attempt_number IS NOT NULL THEN 'failed' ELSE 'skipped' END,
           reason = CASE WHEN may.follow THEN g.reason ELSE r.reason END,
           next_attempt_at = CASE WHEN may.follow AND g.status = 'deferred' THEN app_now() + g.delay_ms * interval '1 millisecond' END,
           attempts = d.attempts + CASE WHEN g.attempt_number IS NULL THEN 0 ELSE 1 END, tries = d.tries + g.tries_used,
           breaks = d.breaks + g.breaks, lost_replies = d.lost_replies + g.lost_replies, claimed_by = NULL, updated_at = app_now()
         FROM given g, runs r, LATERAL (
           SELECT g.status NOT IN ('pending', 'deferred') OR r.status IN ('planning', 'sending') AS follow) may
        WHERE d.id = g.id AND d.run_id = r.id AND d.status = 'sending' AND d.claimed_by = $1
          AND (g.attempt_number IS NULL OR g.attempt_number = d.attempts + 1)
       RETURNING d.id, d.run_id, d.client_id, r.mailing_id, r.owner_id),
     tried AS (
       INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, reason,
                             reply_code, enhanced_code, server_response, duration_ms)
       SELECT m.id, m.run_id, m.mailing_id, m.owner_id, m.client_id, $1, g.attempt_number, g.attempt_status,
              CASE WHEN g.attempt_status = 'ok' THEN NULL ELSE g.reason END, g.reply_code, g.enhanced_code, g.server_response, g.duration_ms
         FROM moved m JOIN given g ON g.id = m.id WHERE g.attempt_number IS NOT NULL)
     SELECT id FROM moved`,
    [
      workerId,
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
    ],
  );
  return new Set(rows.map((row) => row.id));
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
