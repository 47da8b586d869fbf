import type { Sql } from '../../database/database';

/**
 * Uses up what may come with one content only, and again with the same, which is sent anew if our answer was lost.
 * @param digests SHA-256 of it, and of the content
 * @returns false if it came with another content before
 */
export async function useNonce(sql: Sql, digest: Buffer, content: Buffer): Promise<boolean> {
  await sql.affected('INSERT INTO webhook_nonces (digest, content) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    digest,
    content,
  ]);
  const used = await sql.first<{ content: Buffer }>('SELECT content FROM webhook_nonces WHERE digest = $1', [digest]);
  return used?.content.equals(content) ?? false;
}

/** Deletes those whose signatures are too old anyway. */
export const forgetNonces = (sql: Sql) =>
  sql.affected(`DELETE FROM webhook_nonces WHERE digest IN (SELECT digest FROM webhook_nonces
    WHERE used_at < app_now() - interval '1 hour' ORDER BY used_at LIMIT 5000)`);
