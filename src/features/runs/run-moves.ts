import type { Database, Sql, Transaction } from '../../database/database';
import { originsOf } from './sending-tree';

/** SQL: a run `r` of a mailing `m` of a user `u` in which a delivery may be tried again. */
export const GOES_ON = `(r.end_at IS NULL OR r.end_at > app_now()) AND (r.status = 'sending'
  OR (r.status = 'done' AND m.deleted_at IS NULL AND u.status = 'active'
    AND (m.status <> 'done' OR m.status_by IS NULL)))`;

/**
 * Locks runs, with those from which they come (see `lockSending`), before their deliveries are changed: mailings before
 * runs, runs before deliveries is the order in which everybody locks.
 * @returns those in which a delivery may be tried again: they are sending, or done but not ended, finished by hand,
 * deleted or of a blocked owner
 */
export async function lockRunsThatGoOn(
  tx: Transaction,
  runs: readonly { runId: number; mailingId: number }[],
): Promise<number[]> {
  const runIds = runs.map(({ runId }) => runId);
  await tx.rows('SELECT id FROM mailings WHERE id = ANY($1::bigint[]) ORDER BY id FOR SHARE', [
    runs.map(({ mailingId }) => mailingId),
  ]);
  await tx.rows(`SELECT id FROM runs WHERE id = ANY(${originsOf('$1')}) ORDER BY id FOR NO KEY UPDATE`, [runIds]);
  const open = await tx.rows<{ id: number }>(
    `SELECT r.id FROM runs r JOIN mailings m ON m.id = r.mailing_id JOIN users u ON u.id = r.owner_id
      WHERE r.id = ANY($1::bigint[]) AND ${GOES_ON}`,
    [runIds],
  );
  return open.map(({ id }) => id);
}

/** Those of these locked runs that are done are sending again, or paused if their mailing is. */
export async function reopenRuns(tx: Transaction, runIds: readonly number[]): Promise<void> {
  await tx.affected(
    `UPDATE runs SET status = 'sending', finished_at = NULL,
            paused_at = (SELECT app_now() FROM mailings m WHERE m.id = mailing_id AND m.status = 'paused')
      WHERE id = ANY($1::bigint[]) AND status = 'done'`,
    [runIds],
  );
}

/**
 * By hand: a run that has ended is sending again for some of its deliveries, however it ended; `paused`: it waits until
 * its mailing is resumed.
 */
export const reopenRun = (tx: Transaction, runId: number, paused: boolean) =>
  tx.affected(
    `UPDATE runs SET status = 'sending', reason = NULL, finished_at = NULL, end_at = NULL,
      planned_at = coalesce(planned_at, app_now()),
            paused_at = (SELECT app_now() FROM mailings m WHERE m.id = mailing_id AND ($2 OR m.status = 'paused'))
      WHERE id = $1 AND status IN ('done', 'cancelled')`,
    [runId, paused],
  );

/** Stores how far the run is planned; with the last page the run is sending. */
export const advancePlan = (tx: Transaction, runId: number, cursor: number, last: boolean) =>
  tx.affected(
    `UPDATE runs SET plan_cursor = greatest(plan_cursor, $2), planned_at = CASE WHEN $3 THEN app_now() END,
            started_at = CASE WHEN $3 THEN coalesce(started_at, app_now()) ELSE started_at END,
            status = CASE WHEN $3 THEN 'sending' ELSE status END
      WHERE id = $1`,
    [runId, cursor, last],
  );

/**
 * Planning continues from the first client that has joined; a run that is done is sending again. The caller has locked
 * the mailing and has seen that it is started: the run may have ended while it was paused, or when it had another end.
 */
export const planFrom = (tx: Transaction, runId: number, joinedFrom: number) =>
  tx.affected(
    `UPDATE runs r SET plan_cursor = least(plan_cursor, $2::bigint - 1), planned_at = NULL, finished_at = NULL,
            paused_at = NULL, end_at = m.end_at, status = CASE r.status WHEN 'done' THEN 'sending' ELSE r.status END
       FROM mailings m WHERE r.id = $1 AND m.id = r.mailing_id`,
    [runId, joinedFrom],
  );

/**
 * Makes a run with the content of this one, for those who failed in it. A run that began without a postal address gives
 * way to the one that its owner has entered since.
 */
export async function beginResend(tx: Transaction, runId: number): Promise<number> {
  const run = await tx.first<{ id: number }>(
    `INSERT INTO runs (mailing_id, owner_id, trigger, source_run_id, status, on_unknown, subject, body, body_text,
                       mailing_name, time_zone, transactional, language, reply_to, postal_address, unsubscribe_text,
       letter_key)
     SELECT r.mailing_id, r.owner_id, 'resend', r.id, 'planning', r.on_unknown, r.subject, r.body, r.body_text,
       r.mailing_name,
            r.time_zone, r.transactional, r.language, r.reply_to,
       coalesce(nullif(r.postal_address, ''), nullif(u.postal_address, '')), r.unsubscribe_text, gen_random_uuid()
       FROM runs r LEFT JOIN senders u ON u.owner_id = r.owner_id WHERE r.id = $1
     RETURNING id`,
    [runId],
  );
  return run?.id ?? 0;
}

/** Pauses every live run; the caller has locked them. @returns how many there are */
export const pauseAllRuns = (tx: Transaction) =>
  tx.affected(`UPDATE runs SET paused_at = coalesce(paused_at, app_now()) WHERE status IN ('planning', 'sending')`);

/**
 * Stores facts that the run does not have yet, so that they are the same for all of its letters. `from` is the
 * account's name and address; a sender's own name replaces the first.
 */
export const settleSnapshot = (
  sql: Sql,
  runId: number,
  from: { name: string; address: string },
  postalAddress: string,
) =>
  sql.affected(
    `UPDATE runs r SET mailing_name = coalesce(r.mailing_name, m.name), time_zone = coalesce(r.time_zone, m.time_zone),
            postal_address = coalesce(r.postal_address, $4::text),
            sender = coalesce(r.sender, format('%s <%s>', coalesce(nullif(u.name, ''), $2::text), $3::text))
       FROM mailings m LEFT JOIN senders u ON u.owner_id = m.owner_id WHERE r.id = $1 AND m.id = r.mailing_id
        AND (r.sender IS NULL OR r.mailing_name IS NULL OR r.time_zone IS NULL OR r.postal_address IS NULL)`,
    [runId, from.name, from.address, postalAddress],
  );

/**
 * Raises the floor of runs to their first open delivery, so that searches for open deliveries skip those that are done.
 */
export const raiseFloors = (database: Database) =>
  database.affected(
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

/** Takes what a pattern finds out of the filters with which runs began. */
export const eraseFromRuns = (tx: Transaction, ownerId: number | null, pattern: string) =>
  tx.affected(
    `UPDATE runs SET segment_filter = regexp_replace(segment_filter::text, $2, '[erased]', 'gi')::jsonb,
            exclude_filter = regexp_replace(exclude_filter::text, $2, '[erased]', 'gi')::jsonb
      WHERE ($1::bigint IS NULL OR owner_id = $1) AND (segment_filter::text ~* $2 OR exclude_filter::text ~* $2)`,
    [ownerId, pattern],
  );
