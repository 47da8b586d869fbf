import type { Transaction } from '../../database/database';
import { DomainError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';

/**
 * For work whose result outlives the request: a token, a link, a role. A block, another role or the end of the session
 * or token the viewer came with is noticed here if it came after the guard's check; a later one waits for this
 * transaction.
 * @throws DomainError UNAUTHENTICATED
 */
export async function lockAccess(tx: Transaction, { userId, role, sessionId, token }: Viewer): Promise<void> {
  if (userId === 0) return;
  // The user first: whoever ends all sessions and tokens of a user has locked that row, and sees what is made before it
  // goes on.
  const user = await tx.first(`SELECT id FROM users WHERE id = $1 AND status = 'active' AND role = $2 FOR SHARE`, [
    userId,
    role,
  ]);
  const session = sessionId && 'SELECT id FROM sessions WHERE id = $1 FOR KEY SHARE';
  const way = token ? 'SELECT id FROM api_tokens WHERE id = $1 FOR KEY SHARE' : session;
  if (!user || (way && !(await tx.first(way, [token?.id ?? sessionId]))))
    throw new DomainError('unauthenticated', 'UNAUTHENTICATED', 'This session or token has just ended.');
}
