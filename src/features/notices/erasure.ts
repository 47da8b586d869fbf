import type { Sql, Transaction } from '../../database/database';

/** Deletes the tests and the confirmations of sign-ups that were sent to these addresses. What the service writes to its users is their account's. */
export const eraseNotices = (tx: Transaction, userId: number | null, addresses: string[]) =>
  tx.affected(
    `DELETE FROM notices
      WHERE kind IN ('test', 'signup') AND lower(email) = ANY($2::text[]) AND ($1::bigint IS NULL OR user_id = $1)`,
    [userId, addresses],
  );

/** Deletes the confirmations of sign-ups whose links have expired: nothing of who never answered is kept. */
export const forgetSignupNotices = (sql: Sql) =>
  sql.affected(`DELETE FROM notices WHERE kind = 'signup' AND created_at < now() - interval '8 days'`);
