import type { Sql } from '../../database/database';
import type { Mailing } from './mailing.entity';

/** That the database was restored: how many mailings are still paused for it, and since when. */
export interface Restored {
  since: Date;
  mailings: number;
}

/**
 * What is still paused because the database was restored: of this owner, or (null) of all; null if nothing is. A
 * mailing that was done already counts as long as a run of it is live.
 */
export async function restoredNote(sql: Sql, ownerId: number | null): Promise<Restored | null> {
  const row = await sql.first<{ since: Date | null; mailings: number }>(
    `SELECT min(m.status_since) AS since, count(*) AS mailings FROM mailings m
      WHERE m.status_code = 'restored' AND m.deleted_at IS NULL AND ($1::bigint IS NULL OR m.owner_id = $1)
        AND (m.status = 'paused' OR EXISTS (SELECT FROM runs r
          WHERE r.mailing_id = m.id AND r.status IN ('planning', 'sending')))`,
    [ownerId],
  );
  return row?.since ? { since: row.since, mailings: row.mailings } : null;
}

/**
 * Whether the mailing is done, but a run of it (to those who failed, or one that sends again) was paused: it was under way
 * in the backup from which the database was restored, or its sender or content was refused.
 */
export const pausedWhenDone = ({ status, statusCode }: Pick<Mailing, 'status' | 'statusCode'>): boolean =>
  status === 'done' && statusCode !== null && statusCode !== 'ended';
