import type { Transaction } from '../../database/database';
import { mayGrant, type Role } from '../../domain/permissions';

/**
 * Whether a user has an open invitation whose maker is still active and may still grant its role; one that nobody made
 * is good. Locks the user, and the maker against a block or another role until the transaction ends.
 */
export async function invitationHolds(tx: Transaction, userId: number): Promise<boolean> {
  const user = await tx.first<{ role: Role; invitedBy: number | null }>(
    `SELECT role, invited_by FROM users
      WHERE id = $1 AND status = 'unconfirmed' AND invited_at IS NOT NULL FOR NO KEY UPDATE`,
    [userId],
  );
  if (!user) return false;
  if (user.invitedBy === null) return true;
  const inviter = await tx.first<{ role: Role }>(
    `SELECT role FROM users WHERE id = $1 AND status = 'active' FOR SHARE`,
    [user.invitedBy],
  );
  return inviter !== undefined && mayGrant(inviter, user.role);
}
