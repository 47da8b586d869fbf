import type { Transaction } from '../../database/database';

/** Takes what a pattern finds out of the filters of segments. */
export const eraseFromSegments = (tx: Transaction, ownerId: number | null, pattern: string) =>
  tx.affected(
    `UPDATE segments SET filter = regexp_replace(filter::text, $2, '[erased]', 'gi')::jsonb
      WHERE ($1::bigint IS NULL OR owner_id = $1) AND filter::text ~* $2`,
    [ownerId, pattern],
  );
