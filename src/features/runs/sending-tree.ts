import type { Sql, Transaction } from '../../database/database';
import { ConflictError } from '../../domain/errors';

/**
 * A sending is a run and all runs to those who failed in it or in one of these: a tree by `source_run_id`, mostly of
 * two or three runs. Nobody gets the letter by two of them.
 */

/**
 * SQL, to begin a statement: for the runs that `select` finds (`id`, `mailing_id`, `source_run_id`), `origins` has these
 * and those from which they come, up to the first ones; `sending` has all runs of their sendings, each with its first
 * one as `root`.
 */
export const SENDINGS = (select: string) => `WITH RECURSIVE origins AS (
  ${select}
  UNION ALL
  SELECT s.id, s.mailing_id, s.source_run_id FROM origins o JOIN runs s ON s.id = o.source_run_id),
  sending AS (
  SELECT id AS root, id, mailing_id FROM origins WHERE source_run_id IS NULL
  UNION ALL
  SELECT s.root, n.id, n.mailing_id FROM sending s
    JOIN runs n ON n.mailing_id = s.mailing_id AND n.id > s.id AND n.source_run_id = s.id)`;

const SENDING = (run: string) => SENDINGS(`SELECT id, mailing_id, source_run_id FROM runs WHERE id = ${run}`);

/** SQL: an array of the ids of all runs of the sending to which this run belongs. It is computed once a statement. */
const sendingOf = (run: string) => `ARRAY(${SENDING(run)} SELECT id FROM sending)`;

/**
 * SQL: whether the client of the delivery `d` of this run has the letter by another run of the same sending, or may
 * still get it by one. They are not sent to once more. OFFSET keeps it a look-up in the key of clients and runs for
 * each delivery that is asked about, so that it never reads whole runs, which may have a million of deliveries.
 */
export const hasItElsewhere = (run: string): string => `EXISTS (SELECT FROM deliveries other
  WHERE other.client_id = d.client_id AND other.run_id = ANY(${sendingOf(run)}) AND other.run_id <> ${run}
    AND other.status IN ('sent', 'pending', 'sending', 'deferred') OFFSET 0)`;

/** SQL: an array of the ids of these runs and of those from which they come. */
export const originsOf = (runs: string) =>
  `ARRAY(${SENDINGS(`SELECT id, mailing_id, source_run_id FROM runs WHERE id = ANY(${runs}::bigint[])`)} SELECT id FROM origins)`;

/**
 * Locks a run and those from which it comes, the first one before the others: so that of one sending only one transaction
 * at a time decides who gets the letter again. Before them its mailing, so that a pause, a finish or a deletion that is
 * under way is waited for, and none comes in between. Without effect if the run is not this owner's (null: anybody's).
 * @returns whether it is
 */
export async function lockSending(tx: Transaction, runId: number, ownerId: number | null): Promise<boolean> {
  await tx.rows(
    `SELECT id FROM mailings WHERE id = (SELECT mailing_id FROM runs
        WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)) FOR SHARE`,
    [runId, ownerId],
  );
  const locked = await tx.rows<{ id: number }>(
    `SELECT id FROM runs WHERE id = ANY(ARRAY(${SENDING('$1')} SELECT id FROM origins))
        AND EXISTS (SELECT FROM runs WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2))
      ORDER BY id FOR NO KEY UPDATE`,
    [runId, ownerId],
  );
  return locked.length > 0;
}

/**
 * The run of the same sending that is sending to those who failed at present; null if there is none. `planning`: only
 * one of which it is not known yet to whom it goes.
 */
export async function resendingRun(sql: Sql, runId: number, { planning = false } = {}): Promise<number | null> {
  const live = await sql.first<{ id: number }>(
    `SELECT id FROM runs WHERE id = ANY(${sendingOf('$1')}) AND source_run_id IS NOT NULL
        AND status IN ('planning', 'sending') AND (NOT $2 OR planned_at IS NULL) ORDER BY id LIMIT 1`,
    [runId, planning],
  );
  return live?.id ?? null;
}

/** `runId`: the run that sends to those who failed. */
export const RUN_RESENDING = (runId: number) =>
  new ConflictError('RUN_RESENDING', 'Those who failed are being sent to again already.', { runId });

/** Those of these deliveries of a run whose clients have the letter by another run of the same sending, or may get it. */
export async function haveItElsewhere(sql: Sql, runId: number, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.rows<{ id: number }>(
    `SELECT d.id FROM deliveries d WHERE d.run_id = $1 AND d.id = ANY($2::bigint[]) AND ${hasItElsewhere('$1')}`,
    [runId, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Those of these deliveries of a run that are not to be tried again because the same letter went, goes or will go to
 * their clients by another run of the same sending: they have it or may still get it by one, or a later one was theirs,
 * whatever came of it, or one is being planned. The caller has locked the sending.
 */
export async function leftToOtherRuns(tx: Transaction, runId: number, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const other = await tx.first(`${SENDING('$1')} SELECT FROM sending WHERE id <> $1 LIMIT 1`, [runId]);
  if (!other) return new Set();
  if ((await resendingRun(tx, runId, { planning: true })) !== null) return new Set(ids);
  const rows = await tx.rows<{ id: number }>(
    `SELECT d.id FROM deliveries d WHERE d.run_id = $1 AND d.id = ANY($2::bigint[]) AND (${hasItElsewhere('$1')}
        OR EXISTS (SELECT FROM deliveries later WHERE later.client_id = d.client_id AND later.run_id > $1
          AND later.run_id = ANY(${sendingOf('$1')}) OFFSET 0))`,
    [runId, ids],
  );
  return new Set(rows.map(({ id }) => id));
}
