import { randomBytes } from 'node:crypto';
import type { Sql } from '../../database/database';
import { tokenHash } from '../../domain/token-hash';

const HOUR = 3_600_000;

/** The notices with a link that proves something, and for how long it does. */
export const TOKEN_LIFE_MS = {
  confirm: 24 * HOUR,
  change_email: 24 * HOUR,
  reset: HOUR,
  signup: 7 * 24 * HOUR,
  invite: 7 * 24 * HOUR,
} as const;
export type TokenNoticeKind = keyof typeof TOKEN_LIFE_MS;

export interface ProvedNotice {
  noticeId: number;
  userId: number;
  email: string;
  payload: { passwordHash?: string; fullName?: string; language?: 'en' | 'ru'; timeZone?: string };
}

/**
 * Makes a token for a notice that is being composed; null if the notice was withdrawn. The database has only its
 * SHA-256.
 */
export async function issueToken(sql: Sql, noticeId: number, kind: TokenNoticeKind): Promise<string | null> {
  const token = randomBytes(32).toString('base64url');
  const made = await sql.affected(
    `INSERT INTO notice_tokens (token_hash, notice_id, expires_at)
     SELECT $1, id, now() + $3 * interval '1 millisecond' FROM notices WHERE id = $2 AND status = 'sending' FOR SHARE`,
    [tokenHash(token), noticeId, TOKEN_LIFE_MS[kind]],
  );
  return made > 0 ? token : null;
}

/**
 * What a valid token of this kind proves, else null. Uses it up, and the tokens of all other notices of this kind to
 * the user.
 */
export async function redeemToken(sql: Sql, kind: TokenNoticeKind, token: string): Promise<ProvedNotice | null> {
  const found = await sql.first<ProvedNotice>(
    `DELETE FROM notice_tokens t USING notices n
      WHERE n.id = t.notice_id AND t.token_hash = $1 AND n.kind = $2 AND t.expires_at > now()
      RETURNING n.id AS notice_id, n.user_id, n.email, n.payload`,
    [tokenHash(token), kind],
  );
  if (!found) return null;
  await withdrawTokens(sql, found.userId, kind);
  return found;
}

/** Whose valid token of this kind it is, else null; it stays valid. */
export async function userOfToken(sql: Sql, kind: TokenNoticeKind, token: string): Promise<number | null> {
  const found = await sql.first<{ userId: number }>(
    `SELECT n.user_id FROM notice_tokens t JOIN notices n ON n.id = t.notice_id
      WHERE t.token_hash = $1 AND n.kind = $2 AND t.expires_at > now()`,
    [tokenHash(token), kind],
  );
  return found?.userId ?? null;
}

/** Withdraws the user's notices of this kind that are not sent yet, and forgets the payload of all of them. */
export async function withdrawNotices(sql: Sql, userId: number, kind: TokenNoticeKind | 'test'): Promise<void> {
  await sql.affected(
    `UPDATE notices SET payload = '{}', status = CASE WHEN status = 'sent' THEN status ELSE 'failed' END,
            outcome = CASE WHEN status IN ('pending', 'sending') THEN 'withdrawn' ELSE outcome END
      WHERE user_id = $1 AND kind = $2 AND (payload <> '{}' OR status IN ('pending', 'sending'))`,
    [userId, kind],
  );
}

/**
 * Makes the links in the user's earlier notices of this kind invalid, also in those not sent yet, and forgets the
 * password hashes that went with them.
 */
export async function withdrawTokens(sql: Sql, userId: number, kind: TokenNoticeKind): Promise<void> {
  // The notices first: one that is being composed has its token by then, or gets none.
  await withdrawNotices(sql, userId, kind);
  await sql.affected(
    'DELETE FROM notice_tokens t USING notices n WHERE n.id = t.notice_id AND n.user_id = $1 AND n.kind = $2',
    [userId, kind],
  );
}

/** Deletes tokens that have expired. */
export const forgetTokens = (sql: Sql) => sql.affected('DELETE FROM notice_tokens WHERE expires_at < now()');

/** Withdraws every test notice that is not sent yet. @returns how many */
export const withdrawTestNotices = (sql: Sql) =>
  sql.affected(
    `UPDATE notices SET status = 'failed', outcome = 'withdrawn', payload = '{}', next_attempt_at = NULL,
      finished_at = now()
      WHERE kind = 'test' AND status IN ('pending', 'sending')`,
  );

/** The database's clock was put back by so much: no notice waits longer because of it. */
export async function noticesPutBack(sql: Sql, backMs: number): Promise<void> {
  const back = `- $1 * interval '1 millisecond'`;
  await sql.affected(
    `UPDATE notices SET next_attempt_at = next_attempt_at ${back} WHERE status = 'pending' AND next_attempt_at > now()`,
    [backMs],
  );
  await sql.affected(
    `UPDATE notices SET claimed_at = claimed_at ${back} WHERE status = 'sending' AND claimed_at > now()`,
    [backMs],
  );
}
