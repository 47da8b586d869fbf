import type { Database } from '../../database/database';

/** At most so many deliveries of each run are considered. */
const SOME = 50;
const LOOKED_BACK = 5_000;
const LIVE = `r.status = 'sending' AND r.paused_at IS NULL AND (r.end_at IS NULL OR r.end_at > app_now())`;

/**
 * A letter that may be sent now, for a probe: one that was tried least, so that it is not always the same.
 * @param lost whether it may be one whose reply was lost before
 */
export async function anyLetter(database: Database, not: number[], lost: boolean): Promise<number | null> {
  const row = await database.first<{ id: number }>(
    `SELECT d.id FROM runs r, LATERAL (
       (SELECT id, attempts, lost_replies FROM open_deliveries(r.id, r.floor_id, 'pending', 0, ${SOME}))
       UNION ALL
       (SELECT id, attempts, lost_replies FROM deliveries WHERE run_id = r.id AND status = 'deferred'
           AND next_attempt_at <= app_now() AND ($2 OR lost_replies = 0) ORDER BY next_attempt_at, id LIMIT ${SOME})) d
      WHERE ${LIVE} AND ($2 OR d.lost_replies = 0) AND d.id <> ALL($1::bigint[]) ORDER BY d.attempts, d.id LIMIT 1`,
    [not, lost],
  );
  return row?.id ?? null;
}

/** The delivery that got this refusal first; one that got it again counts as later. */
export async function firstRefused(database: Database, refusal: string): Promise<number | null> {
  const row = await database.first<{ id: number }>(
    `SELECT d.id FROM (SELECT id, delivery_id, attempt_number FROM attempts
      WHERE refusal = $1 ORDER BY id DESC LIMIT ${LOOKED_BACK}) a
       JOIN deliveries d ON d.id = a.delivery_id AND d.attempts = a.attempt_number AND d.status = 'pending'
       JOIN runs r ON r.id = d.run_id
      WHERE ${LIVE} ORDER BY a.id LIMIT 1`,
    [refusal],
  );
  return row?.id ?? null;
}

/**
 * A letter that was not tried yet and differs most from those that were refused: of another run and to another domain,
 * if there is one, and far from them in its run.
 */
export async function untriedLetter(database: Database, refused: number[]): Promise<number | null> {
  const row = await database.first<{ id: number }>(
    `WITH alike AS (SELECT run_id, lower(split_part(email, '@', 2)) AS domain FROM deliveries
      WHERE id = ANY($1::bigint[]))
     SELECT d.id FROM runs r, LATERAL (
       (SELECT id, run_id, email, attempts FROM open_deliveries(r.id, r.floor_id, 'pending', 0, ${SOME}))
       UNION ALL
       (SELECT id, run_id, email, attempts FROM (
          SELECT id, run_id, email, attempts, status FROM deliveries
            WHERE run_id = r.id ORDER BY id DESC LIMIT ${SOME}) last
         WHERE status = 'pending')) d
      WHERE ${LIVE} AND d.attempts = 0
      ORDER BY d.run_id IN (SELECT run_id FROM alike),
        lower(split_part(d.email, '@', 2)) IN (SELECT domain FROM alike), d.id DESC
      LIMIT 1`,
    [refused],
  );
  return row?.id ?? null;
}

/** Whether some letter whose reply was lost is still to be sent once more. */
export async function waitsForAnswer(database: Database): Promise<boolean> {
  const row = await database.first(
    `SELECT d.id FROM runs r JOIN deliveries d ON d.run_id = r.id AND d.off_path IN ('pending', 'deferred')
      WHERE ${LIVE} AND d.lost_replies > 0 LIMIT 1`,
  );
  return row !== undefined;
}
