import type { Sql, Transaction } from '../../database/database';
import type { MailingCode } from '../../domain/codes';
import type { Decision } from '../../domain/schedule-decision';
import type { MailingStatus } from '../../domain/states';
import { GROWING } from '../audiences/audiences';
import type { CheckedMailing } from './mailing-input';
import type { Mailing } from './mailing.entity';

/** A locked mailing and the decision of its calendar. */
export interface Decided {
  mailing: Mailing;
  decision: Decision;
}

/** Why a mailing is in its status, if not by its owner. */
export interface StatusReason {
  code: MailingCode | null;
  text: string | null;
  by: number | null;
}

export const NO_REASON: StatusReason = { code: null, text: null, by: null };
/** A locked mailing whose status changes, and why. */
export interface StatusChange {
  mailing: Mailing;
  reason: StatusReason;
}

/** Moves the cursors; a mailing that is done forgets clients who have joined. */
export async function setCalendar(tx: Transaction, decided: Decided[]): Promise<void> {
  await tx.affected(
    `UPDATE mailings m SET next_run_at = d.next_run_at, waited_until = CASE WHEN d.waits THEN app_now() END,
            joined_from = CASE WHEN NOT d.done THEN m.joined_from END
       FROM unnest($1::bigint[], $2::timestamptz[], $3::boolean[], $4::boolean[]) AS d(id, next_run_at, waits, done)
      WHERE m.id = d.id`,
    [
      decided.map(({ mailing }) => mailing.id),
      decided.map(({ decision }) => decision.nextRunAt),
      decided.map(({ decision }) => decision.wait),
      decided.map(({ decision }) => decision.done),
    ],
  );
}

export async function setStatus(tx: Transaction, status: MailingStatus, changes: StatusChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.affected(
    `UPDATE mailings m SET status = $1, status_code = c.code, status_text = c.text, status_by = c.by,
      status_since = app_now()
       FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) AS c(id, code, text, by) WHERE m.id = c.id`,
    [
      status,
      changes.map(({ mailing }) => mailing.id),
      changes.map(({ reason }) => reason.code),
      changes.map(({ reason }) => reason.text),
      changes.map(({ reason }) => reason.by),
    ],
  );
}

/** Its occurrences go out without a postal address from now on. */
export const waiveAddress = (tx: Transaction, id: number) =>
  tx.affected('UPDATE mailings SET address_waived = true WHERE id = $1', [id]);

/** Stores what its owner changed. @param alsoClients the selected clients, too, which stand in another table */
export const edit = (
  tx: Transaction,
  id: number,
  { schedule, ...checked }: CheckedMailing,
  alsoClients: boolean,
): Promise<number> =>
  tx.affected(
    `UPDATE mailings SET name = $2, message_id = $3, audience = $4, start_at = $5, end_at = $6, period = $7,
            time_zone = $8, on_unknown = $9, kind = $10, transactional_reason = $11, language = $12,
            segment_id = $13, exclude_segment_id = $14, version = version + $15::int, updated_at = app_now()
      WHERE id = $1`,
    [
      id,
      checked.name,
      checked.messageId,
      checked.audience,
      schedule.startAt,
      schedule.endAt,
      schedule.period,
      schedule.timeZone,
      checked.onUnknown,
      checked.kind,
      checked.transactionalReason,
      checked.language,
      checked.segmentId,
      checked.excludeSegmentId,
      Number(alsoClients),
    ],
  );

/** The mailing has no next occurrence any more. */
export const clearCalendar = (tx: Transaction, id: number) =>
  tx.affected('UPDATE mailings SET next_run_at = NULL, joined_from = NULL, waited_until = NULL WHERE id = $1', [id]);

/** Hides it; its ledger stays. */
export const hide = (tx: Transaction, id: number) =>
  tx.affected('UPDATE mailings SET deleted_at = app_now(), next_run_at = NULL, joined_from = NULL WHERE id = $1', [id]);

/** Corrects cursors whose instant has changed with the rules of their zones. */
export const moveCursors = (sql: Sql, changes: { id: number; was: Date | null; at: Date | null }[]) =>
  sql.affected(
    `UPDATE mailings m SET next_run_at = c.at
      FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS c(id, was, at)
      WHERE m.id = c.id AND date_trunc('milliseconds', m.next_run_at) = c.was AND status IN ('started', 'paused')
        AND deleted_at IS NULL`,
    [changes.map(({ id }) => id), changes.map(({ was }) => was), changes.map(({ at }) => at)],
  );

/**
 * Notes that clients with ids from `firstId` on have joined: this mailing, or all mailings of the owner whose audience
 * grows.
 */
export const noteJoined = (tx: Transaction, { id, ownerId }: { id?: number; ownerId: number }, firstId: number) =>
  tx.affected(
    `UPDATE mailings SET joined_from = least(coalesce(joined_from, $2), $2)
      WHERE owner_id = $1 AND (id = $3 OR ($3::bigint IS NULL AND audience IN (${GROWING})))
        AND status IN ('started', 'paused') AND deleted_at IS NULL AND (joined_from IS NULL OR joined_from > $2)`,
    [ownerId, firstId, id ?? null],
  );

/** Removes the mark that clients have joined. @returns whether the mailing is started; a paused one keeps the mark */
export async function takeJoined(tx: Transaction, id: number): Promise<boolean> {
  return (await tx.affected(`UPDATE mailings SET joined_from = NULL WHERE id = $1 AND status = 'started'`, [id])) > 0;
}

/** `once` mailings whose runs are over are done. */
export async function finishOnce(tx: Transaction): Promise<void> {
  // First the lock, then the check: a send that is under way has committed its run by then.
  const over = await tx.rows<{ id: number }>(
    `SELECT id FROM mailings m WHERE status = 'started' AND period = 'once' AND next_run_at IS NULL
        AND joined_from IS NULL AND deleted_at IS NULL AND EXISTS (SELECT FROM runs r
          WHERE r.mailing_id = m.id AND r.status IN ('done', 'cancelled', 'missed'))
        AND NOT EXISTS (SELECT FROM runs r WHERE r.mailing_id = m.id AND r.status IN ('planning', 'sending'))
      ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`,
  );
  if (over.length === 0) return;
  await tx.affected(
    `UPDATE mailings m SET status = 'done', next_run_at = NULL, joined_from = NULL, status_code = NULL,
      status_text = NULL,
            status_since = app_now(), status_by = NULL
      WHERE m.id = ANY($1) AND NOT EXISTS (SELECT FROM runs r
        WHERE r.mailing_id = m.id AND r.status IN ('planning', 'sending'))`,
    [over.map((mailing) => mailing.id)],
  );
}

const RESTORED = `status_code = 'restored', status_text = NULL, status_by = NULL, status_since = app_now()`;

/**
 * The database was restored: pauses all started mailings. The caller has locked them and the live runs. @returns how
 * many
 */
export async function pauseRestored(tx: Transaction): Promise<number> {
  const paused = await tx.affected(
    `UPDATE mailings SET status = 'paused', ${RESTORED} WHERE status = 'started' AND deleted_at IS NULL`,
  );
  await tx.affected(
    `UPDATE mailings m SET ${RESTORED} WHERE status = 'done' AND deleted_at IS NULL
        AND EXISTS (SELECT FROM runs r WHERE r.mailing_id = m.id AND r.status IN ('planning', 'sending'))`,
  );
  return paused;
}

/** A mailing that is done stays so, but its reopened run is paused until the mailing is resumed. */
export const markRestored = (tx: Transaction, id: number) =>
  tx.affected(
    `UPDATE mailings SET ${RESTORED} WHERE id = $1 AND status = 'done' AND status_code IS DISTINCT FROM 'restored'`,
    [id],
  );
