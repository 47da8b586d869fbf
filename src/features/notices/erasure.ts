import type { Transaction } from '../../database/database';

/** Deletes the tests and the confirmations of sign-ups that were sent to these addresses. What the service writes to its users is their account's. */
export const eraseNotices = (tx: Transaction, userId: number | null, addresses: string[]) =>
  tx.affected(
    `DELETE FROM notices
      WHERE kind IN ('test', 'signup') AND lower(email) = ANY($2::text[]) AND ($1::bigint IS NULL OR user_id = $1)`,
    [userId, addresses],
  );
