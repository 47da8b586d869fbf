import { ForbiddenError, NotFoundError } from '../domain/errors';
import { readableOwner, type Viewer } from '../domain/permissions';
import type { Sql } from './database';

/** Tables whose rows have an owner, by the name used in error messages. */
const TABLES = {
  Client: 'SELECT owner_id FROM clients WHERE id = $1',
  Form: 'SELECT owner_id FROM signup_forms WHERE id = $1 AND deleted_at IS NULL',
  Tag: 'SELECT owner_id FROM tags WHERE id = $1',
  Message: 'SELECT owner_id FROM messages WHERE id = $1',
  Attachment: 'SELECT m.owner_id FROM message_attachments a JOIN messages m ON m.id = a.message_id WHERE a.id = $1',
  Picture: 'SELECT owner_id FROM pictures WHERE id = $1',
  Mailing: 'SELECT owner_id FROM mailings WHERE id = $1 AND deleted_at IS NULL',
  Segment: 'SELECT owner_id FROM segments WHERE id = $1',
  Run: 'SELECT owner_id FROM runs WHERE id = $1',
  Import: 'SELECT owner_id FROM imports WHERE id = $1',
  Delivery: 'SELECT r.owner_id FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = $1',
} as const;

/**
 * The error for a write that found no row it may change: 403 if the viewer may read the object, else 404, as if it did
 * not exist.
 */
export async function notWritable(
  sql: Sql,
  viewer: Viewer,
  what: keyof typeof TABLES,
  id: number,
): Promise<ForbiddenError | NotFoundError> {
  const found = await sql.first<{ ownerId: number }>(TABLES[what], [id]);
  const readable = readableOwner(viewer);
  return found && (readable === null || readable === found.ownerId)
    ? new ForbiddenError(`${what} ${id} is another user's: you may look at it, but not change it.`)
    : new NotFoundError(what, id);
}
