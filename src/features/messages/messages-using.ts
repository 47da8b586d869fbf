import type { Transaction } from '../../database/database';
import type { Use } from '../../domain/errors';
import { type ContentSource, ownFieldsIn } from '../../domain/template';
import type { Used } from '../clients/uses';

/** So many are named; who changes these and tries again sees the next. */
const NAMED = 5;
const PAGE = 20;

/** The owner's messages that show a field. Those that do not contain its key anywhere need not be parsed. */
export async function messagesUsing(tx: Transaction, ownerId: number, used: Used): Promise<Use[]> {
  if (!('field' in used)) return [];
  const found: Use[] = [];
  for (let after = 0; found.length < NAMED;) {
    const page = await tx.rows<ContentSource & { id: number; name: string }>(
      `SELECT id, name, subject, body, body_text FROM messages
        WHERE owner_id = $1 AND id > $3 AND strpos(concat_ws(' ', subject, body, body_text), $2) > 0
        ORDER BY id LIMIT ${PAGE}`,
      [ownerId, used.field, after],
    );
    for (const message of page)
      if (ownFieldsIn(message).has(used.field))
        found.push({ kind: 'message', id: message.id, name: message.name || message.subject });
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
  }
  return found.slice(0, NAMED);
}
