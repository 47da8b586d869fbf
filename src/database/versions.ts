import { ConflictError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import type { Sql, Transaction } from './database';

/** What rows have whose content people edit; triggers raise the version (migrations/0022_versions.sql). */
export interface Versioned {
  version: number;
  /** Who changed the content last; null if it was no user of this version of the service, or nobody. */
  updatedBy: number | null;
  updatedAt: Date;
}

/** Changes of content in this transaction are this viewer's. */
export const actAs = (tx: Transaction, { userId }: Pick<Viewer, 'userId'>) =>
  tx.rows(`SELECT set_config('gonets.user_id', $1, true)`, [String(userId)]);

/**
 * Refuses a change of a locked row by somebody who began with another version of it. A change that would leave the row
 * as it is passes: the same form may arrive twice.
 * @param given undefined if the caller named no version: then the last one wins
 * @throws ConflictError CHANGED_MEANWHILE with who changed it and when
 */
export async function requireVersion(
  sql: Sql,
  current: Versioned,
  given: number | undefined,
  isSame: () => boolean,
): Promise<void> {
  if (given === undefined || given === current.version || isSame()) return;
  const { version, updatedBy, updatedAt } = current;
  const by = updatedBy === null ? null : await nameOf(sql, updatedBy);
  throw new ConflictError('CHANGED_MEANWHILE', `It was changed meanwhile: it has version ${version}, not ${given}.`, {
    changed: { version, by: by === null ? null : { id: updatedBy!, name: by }, at: updatedAt.toISOString() },
  });
}

/** How a user is called to others who work on the same things; null: there is no such user any more. */
async function nameOf(sql: Sql, userId: number): Promise<string | null> {
  const user = await sql.first<{ name: string }>(
    `SELECT coalesce(nullif(full_name, ''), email) AS name FROM users WHERE id = $1`,
    [userId],
  );
  return user?.name ?? null;
}

/** Whether two values have the same content, whatever the order of their fields. */
export const sameContent = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ) ?? '';
