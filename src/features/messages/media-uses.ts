import type { Transaction } from '../../database/database';

/**
 * SQL: whether something shows the picture with this hash: a message, or letters of a run, which point at it as long as
 * they are read, or a sender's logo, whichever way that names it. Whoever keeps a picture elsewhere adds a line.
 */
export const inUse = (hash: string): string => `(EXISTS (SELECT FROM message_media u WHERE u.hash = ${hash})
  OR EXISTS (SELECT FROM run_media u WHERE u.hash = ${hash})
  OR EXISTS (SELECT FROM senders u WHERE strpos(u.logo, ${hash}) > 0))`;

/**
 * Removes a picture that nobody has and nothing shows. Who uploads it again, or begins to show it, changes its row, and
 * so waits or is seen.
 * @returns the key of its bytes, which are to be removed after the commit
 */
export async function removeIfUnused(tx: Transaction, hash: string): Promise<string | null> {
  await tx.rows('SELECT FROM media WHERE hash = $1 FOR UPDATE', [hash]);
  const [removed] = await tx.rows<{ key: string }>(
    `DELETE FROM media m WHERE m.hash = $1 AND NOT EXISTS (SELECT FROM pictures p WHERE p.hash = m.hash)
        AND NOT ${inUse('m.hash')} RETURNING m.key`,
    [hash],
  );
  return removed?.key ?? null;
}

/**
 * Refuses files for which their owner has no room, by the sizes of their pictures and attachments. Nobody adds another
 * one for this owner before the end of the transaction.
 * @returns how many bytes are left
 */
export async function roomLeft(tx: Transaction, ownerId: number, max: number): Promise<number> {
  await tx.rows(`SELECT pg_advisory_xact_lock(hashtext('media'), ($1::bigint % 2147483647)::integer)`, [ownerId]);
  const used = await tx.first<{ bytes: number }>(
    `SELECT ((SELECT coalesce(sum(m.size), 0) FROM pictures p JOIN media m USING (hash) WHERE p.owner_id = $1)
       + (SELECT coalesce(sum(f.size), 0) FROM messages m JOIN message_attachments a ON a.message_id = m.id
            JOIN attachment_files f USING (hash) WHERE m.owner_id = $1))::bigint AS bytes`,
    [ownerId],
  );
  return max - (used?.bytes ?? 0);
}
