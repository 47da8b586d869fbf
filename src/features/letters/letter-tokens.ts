import { randomBytes } from 'node:crypto';
import type { Sql } from '../../database/database';
import { tokenHash } from '../../domain/token-hash';

const HOUR = 3_600_000;

/** The letters that hold a link which proves something, and for how long it does. */
export const TOKEN_LIFE_MS = { confirm: 24 * HOUR, change_email: 24 * HOUR, reset: HOUR } as const;
export type TokenLetterKind = keyof typeof TOKEN_LIFE_MS;

export interface ProvedLetter {
  letterId: number;
  userId: number;
  email: string;
  payload: { passwordHash?: string; fullName?: string; language?: 'en' | 'ru'; timeZone?: string };
}

/** Makes a token for a letter that is being composed, or null if that was withdrawn; the database has its SHA-256 only. */
export async function issueToken(sql: Sql, letterId: number, kind: TokenLetterKind): Promise<string | null> {
  const token = randomBytes(32).toString('base64url');
  const made = await sql.affected(
    `INSERT INTO letter_tokens (token_hash, letter_id, expires_at)
     SELECT $1, id, now() + $3 * interval '1 millisecond' FROM service_letters WHERE id = $2 AND status = 'sending' FOR SHARE`,
    [tokenHash(token), letterId, TOKEN_LIFE_MS[kind]],
  );
  return made > 0 ? token : null;
}

/** What a live token of this kind proves, else null. Uses it up, with all others of the user's letters of this kind. */
export async function redeemToken(sql: Sql, kind: TokenLetterKind, token: string): Promise<ProvedLetter | null> {
  const found = await sql.first<ProvedLetter>(
    `DELETE FROM letter_tokens t USING service_letters l
      WHERE l.id = t.letter_id AND t.token_hash = $1 AND l.kind = $2 AND t.expires_at > now()
      RETURNING l.id AS letter_id, l.user_id, l.email, l.payload`,
    [tokenHash(token), kind],
  );
  if (!found) return null;
  await withdrawTokens(sql, found.userId, kind);
  return found;
}

/** The user's letters of this kind that are not sent yet will not be, and no payload is kept. */
export async function withdrawLetters(sql: Sql, userId: number, kind: TokenLetterKind | 'test'): Promise<void> {
  await sql.affected(
    `UPDATE service_letters SET payload = '{}', status = CASE WHEN status = 'sent' THEN status ELSE 'failed' END,
            outcome = CASE WHEN status IN ('pending', 'sending') THEN 'withdrawn' ELSE outcome END
      WHERE user_id = $1 AND kind = $2 AND (payload <> '{}' OR status IN ('pending', 'sending'))`,
    [userId, kind],
  );
}

/**
 * Ends what the user's earlier letters of this kind prove, also of those that are not sent yet, and forgets the password
 * hashes that went with them.
 */
export async function withdrawTokens(sql: Sql, userId: number, kind: TokenLetterKind): Promise<void> {
  // The letters first: one that is being composed has its token by then, or gets none.
  await withdrawLetters(sql, userId, kind);
  await sql.affected(
    'DELETE FROM letter_tokens t USING service_letters l WHERE l.id = t.letter_id AND l.user_id = $1 AND l.kind = $2',
    [userId, kind],
  );
}

/** Links that are over prove nothing any more. */
export const forgetTokens = (sql: Sql) => sql.affected('DELETE FROM letter_tokens WHERE expires_at < now()');

/** Test letters that are not sent yet will not be, whoever wanted them. @returns how many */
export const withdrawTestLetters = (sql: Sql) =>
  sql.affected(
    `UPDATE service_letters SET status = 'failed', outcome = 'withdrawn', payload = '{}', next_attempt_at = NULL, finished_at = now()
      WHERE kind = 'test' AND status IN ('pending', 'sending')`,
  );

/** The database's clock was put back by so much: no letter waits longer for it. */
export async function lettersPutBack(sql: Sql, backMs: number): Promise<void> {
  const back = `- $1 * interval '1 millisecond'`;
  await sql.affected(
    `UPDATE service_letters SET next_attempt_at = next_attempt_at ${back} WHERE status = 'pending' AND next_attempt_at > now()`,
    [backMs],
  );
  await sql.affected(
    `UPDATE service_letters SET claimed_at = claimed_at ${back} WHERE status = 'sending' AND claimed_at > now()`,
    [backMs],
  );
}
