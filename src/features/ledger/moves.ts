import type { Sql, Transaction } from '../../database/database';
import { whySuppressed } from '../consent/suppression-sql';
import { hadErased } from './erasure';
import { asItsRun, may, to } from './move-sql';

/** How many pending and how many deferred deliveries are closed in one transaction. */
const CLOSE_AT_ONCE = 5_000;

/** The recipient of a run `r` whose address is in `email`. */
export const ofRun = (email: string) => ({
  email,
  owner: 'r.owner_id',
  mailing: 'r.mailing_id',
  transactional: 'r.transactional',
});

/** The state in which a delivery is planned, by `why.reason`. */
const PLANNED_AS = `CASE WHEN why.reason IS NULL THEN ${to('plan', 'pending')} ELSE ${to('plan', 'skipped')} END`;

/**
 * Plans one page of a run: `page` is a query whose rows have `key` (what the cursor counts in), `client_id`, `email`
 * and the `reason` of those to be skipped; its $1 is the run. Whose address is suppressed is skipped, too; who is not
 * `chosen` gets no delivery. With `again`, clients who have a delivery in the run already are left out.
 */
export const planDeliveries = (tx: Transaction, page: string, params: unknown[], { again = false } = {}) =>
  tx.first<{ cursor: number | null; n: number; added: number }>(
    `WITH page AS (${page}),
     added AS (
       INSERT INTO deliveries (run_id, client_id, email, status, reason)
       SELECT $1, p.client_id, p.email, ${PLANNED_AS}, why.reason
         FROM page p JOIN runs r ON r.id = $1, ${whySuppressed(ofRun('p.email'), 'p.reason')}
        WHERE p.chosen AND NOT ${hadErased('$1', 'p.email')} ORDER BY p.key ${again ? 'ON CONFLICT DO NOTHING' : ''} RETURNING 1)
     SELECT (SELECT max(key) FROM page) AS cursor, (SELECT count(*) FROM page) AS n,
       (SELECT count(*) FROM added) AS added`,
    params,
  );

export interface Closed {
  /** Whether there may be more. */
  more: boolean;
  /** The id of the last pending one. */
  last: number;
}

/**
 * Closes some deliveries of a run that the caller has locked: deferred ones, and pending ones after an id. Claimed
 * deliveries end by their records.
 */
export async function closeDeliveries(tx: Transaction, runId: number, after = 0): Promise<Closed> {
  const closed = await tx.first<Closed>(
    `WITH
     -- Some deferred and some pending deliveries, locked.
     next AS (
       SELECT id FROM deliveries WHERE id IN (
         (SELECT id FROM deliveries WHERE run_id = $1 AND off_path = 'deferred' ORDER BY id LIMIT ${CLOSE_AT_ONCE})
         UNION ALL
         (SELECT o.id FROM runs r, open_deliveries(r.id, r.floor_id, 'pending', $2, ${CLOSE_AT_ONCE}) o
           WHERE r.id = $1))
        ORDER BY id FOR UPDATE),
     -- Their final states, and what they were before.
     closed AS (
       UPDATE deliveries d SET status = ${asItsRun()}, reason = r.reason, next_attempt_at = NULL, updated_at = app_now()
         FROM runs r, next, deliveries old
        WHERE r.id = $1 AND d.id = next.id AND ${may('close')} AND old.id = d.id RETURNING d.id, old.status)
     SELECT count(*) >= ${CLOSE_AT_ONCE} AS more, coalesce(max(id) FILTER (WHERE status = 'pending'), $2) AS last
       FROM closed`,
    [runId, after],
  );
  return closed ?? { more: false, last: after };
}

/**
 * The open deliveries of an address that must not get mail are skipped, in the live runs of an owner (or all), or of
 * one mailing. Call it in a transaction of its own, after the one that suppressed the address is committed: a claim
 * that began before that is waited for here, and one that begins later sees the suppression by itself.
 * @returns the runs concerned
 */
export const skipSuppressed = (
  tx: Transaction,
  of: { emailKey: string; ownerId: number | null; mailingId: number | null },
): Promise<number[]> =>
  skip(
    tx,
    `SELECT d.id FROM runs r JOIN deliveries d ON d.run_id = r.id AND lower(d.email) = $1
      WHERE r.status IN ('planning', 'sending') AND ($2::bigint IS NULL OR r.owner_id = $2)
        AND ($3::bigint IS NULL OR r.mailing_id = $3)`,
    [of.emailKey, of.ownerId, of.mailingId],
  );

/** The same for the addresses of these clients. */
export const skipSuppressedOf = (tx: Transaction, clientIds: number[]): Promise<number[]> =>
  skip(
    tx,
    `SELECT d.id FROM deliveries d JOIN runs r ON r.id = d.run_id
      WHERE d.client_id = ANY($1::bigint[]) AND r.status IN ('planning', 'sending')`,
    [clientIds],
  );

/** @param which a query of the ids of deliveries `d`, without an order */
async function skip(tx: Transaction, which: string, params: unknown[]): Promise<number[]> {
  const rows = await tx.rows<{ runId: number }>(
    `WITH open AS MATERIALIZED (${which} AND ${may('suppress')} ORDER BY d.id FOR UPDATE OF d)
     UPDATE deliveries d SET status = ${to('suppress', 'skipped')}, reason = why.reason, next_attempt_at = NULL,
       updated_at = app_now()
       FROM open, deliveries old JOIN runs r ON r.id = old.run_id, ${whySuppressed(ofRun('old.email'))}
      WHERE d.id = open.id AND old.id = open.id AND why.reason IS NOT NULL AND ${may('suppress')}
     RETURNING d.run_id`,
    params,
  );
  return [...new Set(rows.map(({ runId }) => runId))];
}

/**
 * Waits for pages of planning that may have read these clients, and keeps others from beginning until the commit: who
 * is deleted gets no letter that was being planned.
 */
export const settlePlanning = (tx: Transaction, clientIds: readonly number[]) =>
  tx.rows(
    `SELECT FROM runs WHERE owner_id IN (SELECT owner_id FROM clients WHERE id = ANY($1::bigint[]))
        AND status IN ('planning', 'sending') AND planned_at IS NULL ORDER BY id FOR NO KEY UPDATE`,
    [clientIds],
  );

/** SQL: skips the open ones of some deliveries, because their client was deleted; a claimed one ends by its record. */
const skipOpen = (which: string): string =>
  `UPDATE deliveries d SET status = ${to('deleteClient', 'skipped')}, reason = 'client_deleted',
          next_attempt_at = NULL, updated_at = app_now()
    WHERE ${which} = ANY($1::bigint[]) AND ${may('deleteClient')}`;

/** Of clients who are deleted. */
export const skipDeleted = (tx: Transaction, clientIds: readonly number[]) =>
  tx.affected(skipOpen('client_id'), [clientIds]);

/** Of a person who is forgotten, whoever's client they were. */
export const skipForgotten = (tx: Transaction, deliveryIds: readonly number[]) =>
  tx.affected(skipOpen('id'), [deliveryIds]);

/**
 * Of these clients those to whom nothing was sent, or tried to be. Their open deliveries are locked, so that no claim
 * begins before the end of the transaction; one that began before is waited for and counts.
 */
export async function neverSent(tx: Transaction, clientIds: number[]): Promise<number[]> {
  await tx.rows(
    `SELECT FROM deliveries d WHERE client_id = ANY($1::bigint[]) AND ${may('deleteClient')} ORDER BY id FOR UPDATE`,
    [clientIds],
  );
  const rows = await tx.rows<{ id: number }>(
    `SELECT c.id FROM unnest($1::bigint[]) c (id)
      WHERE NOT EXISTS (SELECT FROM deliveries d
        WHERE d.client_id = c.id AND (d.attempts > 0 OR d.status IN ('sending', 'sent', 'unknown')))`,
    [clientIds],
  );
  return rows.map(({ id }) => id);
}

/** Deliveries `d` whose last attempt `a` got the refusal $1 and is charged for it. */
export const CHARGED = `${may('pardon')} AND a.delivery_id = d.id AND a.attempt_number = d.attempts AND a.refusal = $1
  AND NOT a.pardoned`;

/** Deliveries of these runs that are charged for this refusal are pending again, without those tries. */
export const pardon = (tx: Transaction, refusal: string, ids: number[], runIds: number[]) =>
  tx.rows<{ id: number; runId: number }>(
    `WITH
     -- The deliveries, locked before their attempts, as everybody does.
     charged AS MATERIALIZED (
       SELECT d.id FROM deliveries d, attempts a
        WHERE d.id = ANY($2::bigint[]) AND d.run_id = ANY($3::bigint[]) AND ${CHARGED} ORDER BY d.id FOR UPDATE OF d),
     -- All their tries that ended so: one may have been made before the first was pardoned.
     forgiven AS (
       UPDATE attempts a SET pardoned = true FROM charged
        WHERE a.delivery_id = charged.id AND a.refusal = $1 AND NOT a.pardoned RETURNING a.delivery_id)
     UPDATE deliveries d SET status = ${to('pardon', 'pending')}, reason = NULL, next_attempt_at = NULL,
            tries = greatest(d.tries - f.tries, 0), updated_at = app_now()
       FROM (SELECT delivery_id, count(*) AS tries FROM forgiven GROUP BY delivery_id) f
      WHERE d.id = f.delivery_id AND ${may('pardon')}
     RETURNING d.id, d.run_id`,
    [refusal, ids, runIds],
  );

/** By hand; the caller has locked the run and has seen that the delivery is unknown. */
export const resend = (tx: Transaction, id: number) =>
  tx.affected(
    `UPDATE deliveries d SET status = ${to('resend', 'pending')}, reason = NULL, updated_at = app_now()
      WHERE id = $1 AND ${may('resend')}`,
    [id],
  );

/** By hand; `userId` is the user who decided it. */
export const markSent = (tx: Transaction, id: number, userId: number) =>
  tx.affected(
    `UPDATE deliveries d SET status = ${to('markSent', 'sent')}, reason = NULL, marked_by = $2, updated_at = app_now()
      WHERE id = $1 AND ${may('markSent')}`,
    [id, userId],
  );

/** SQL: a claim `d` of a living worker, which will record it itself. $1 is the take-over time. */
const CLAIM_LIVES = `EXISTS (SELECT FROM workers w WHERE w.id = d.claimed_by AND w.stopped_at IS NULL
    AND w.heartbeat_at >= clock_timestamp() - $1 * interval '1 millisecond')`;
/** SQL: those of the deliveries $2 that may still change. */
const OPEN = `d.id = ANY($2::bigint[]) AND ${may('reconcileSent')} AND NOT ${CLAIM_LIVES}`;
const UNCLAIMED = `reason = NULL, next_attempt_at = NULL, claimed_by = NULL, offered = true, updated_at = app_now()`;

/** How many of these deliveries a comparison with a mail server's log may still change. */
export async function countReconcilable(sql: Sql, takeoverMs: number, ids: number[]): Promise<number> {
  const row = await sql.first<{ n: number }>(`SELECT count(*) AS n FROM deliveries d WHERE ${OPEN}`, [takeoverMs, ids]);
  return row?.n ?? 0;
}

/**
 * Deliveries that the log names. Those that were refused permanently, or closed, stay so: a later log can't be about
 * them.
 */
export const reconcileSent = (tx: Transaction, takeoverMs: number, ids: number[], userId: number) =>
  tx.affected(
    `UPDATE deliveries d SET status = ${to('reconcileSent', 'sent')}, marked_by = $3, ${UNCLAIMED} WHERE ${OPEN}`,
    [takeoverMs, ids, userId],
  );

/** Deliveries that the log does not name. */
export const reconcileOpen = (tx: Transaction, takeoverMs: number, ids: number[]) =>
  tx.affected(
    `UPDATE deliveries d SET status = ${to('reconcileOpen', 'pending')}, ${UNCLAIMED}
      WHERE ${OPEN} AND ${may('reconcileOpen')}`,
    [takeoverMs, ids],
  );

/** Clients of a run that had no delivery yet, planned by hand. @returns the deliveries' ids */
export async function planClients(tx: Transaction, runId: number, clientIds: number[]): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(
    `INSERT INTO deliveries (run_id, client_id, email, status, reason)
     SELECT $1, c.id, c.email, ${PLANNED_AS}, why.reason
       FROM clients c JOIN runs r ON r.id = $1, ${whySuppressed(ofRun('c.email'))}
      WHERE c.id = ANY($2::bigint[]) AND NOT ${hadErased('$1', 'c.email')} ORDER BY c.id ON CONFLICT DO NOTHING RETURNING id`,
    [runId, clientIds],
  );
  return rows.map(({ id }) => id);
}

/** The database's clock was put back by so much: deferred deliveries of live runs wait no longer because of it. */
export const deliveriesPutBack = (tx: Transaction, backMs: number) =>
  tx.affected(
    `UPDATE deliveries SET next_attempt_at = next_attempt_at - $1 * interval '1 millisecond'
      WHERE run_id IN (SELECT id FROM runs WHERE status IN ('planning', 'sending')) AND next_attempt_at > app_now()`,
    [backMs],
  );
