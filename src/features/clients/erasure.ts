import type { Transaction } from '../../database/database';
import { ConflictError } from '../../domain/errors';

/**
 * Takes what a pattern finds out of what is left of files of clients: rejected lines, and files that wait for their
 * import, whole, because they may be packed or in any encoding.
 * @throws ConflictError IMPORT_RUNNING: it might bring the person back
 */
export async function eraseFromImports(tx: Transaction, ownerId: number | null, pattern: string): Promise<void> {
  const running = await tx.first(
    `SELECT id FROM imports WHERE status = 'running' AND ($1::bigint IS NULL OR owner_id = $1) LIMIT 1`,
    [ownerId],
  );
  if (running) throw new ConflictError('IMPORT_RUNNING', 'An import is under way; try again when it is done.');
  await tx.affected(
    `DELETE FROM import_files f USING imports i
      WHERE i.id = f.import_id AND ($1::bigint IS NULL OR i.owner_id = $1)`,
    [ownerId],
  );
  const owned = 'i.id = r.import_id AND ($1::bigint IS NULL OR i.owner_id = $1)';
  await tx.affected(`DELETE FROM import_rejected r USING imports i WHERE ${owned} AND r.record ~* $2`, [
    ownerId,
    pattern,
  ]);
  await tx.affected(
    `UPDATE import_errors r SET message = regexp_replace(r.message, $2, '[erased]', 'gi') FROM imports i
      WHERE ${owned} AND r.message ~* $2`,
    [ownerId, pattern],
  );
}

/** Takes what a pattern finds out of what bulk actions were asked for; those that are done need it no more. */
export const eraseFromJobs = (tx: Transaction, ownerId: number | null, pattern: string) =>
  tx.affected(
    `UPDATE bulk_jobs SET filter = CASE WHEN status = 'running'
            THEN regexp_replace(filter::text, $2, '[erased]', 'gi')::jsonb ELSE '{}' END
      WHERE ($1::bigint IS NULL OR owner_id = $1) AND filter::text ~* $2`,
    [ownerId, pattern],
  );
