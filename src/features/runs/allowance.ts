import type { Transaction } from '../../database/database';
import { ConflictError, DomainError } from '../../domain/errors';
import type { Role } from '../../domain/permissions';

/**
 * Whether the owner may have so many more letters sent now: not when they are blocked, and, for a `user`, not more than
 * `perDay` in 24 hours (0: no limit). Holds the owner's row until the commit, so that neither a block nor another start
 * slips in between. Runs that are not planned yet count with their mailing's recipients.
 */
export async function refusedAllowance(
  tx: Transaction,
  ownerId: number,
  letters: number,
  perDay: number,
): Promise<DomainError | null> {
  const owner = await tx.first<{ role: Role; status: string }>(
    `SELECT role, status FROM users WHERE id = $1 ${perDay > 0 ? 'FOR NO KEY UPDATE' : 'FOR SHARE'}`,
    [ownerId],
  );
  if (owner?.status !== 'active') return new ConflictError('OWNER_BLOCKED', 'The owner of this mailing is blocked.');
  if (perDay === 0 || owner.role !== 'user') return null;
  const started = await tx.first<{ n: number }>(
    `SELECT coalesce(sum(greatest(c.total, CASE WHEN r.planned_at IS NULL THEN (${RECIPIENTS}) ELSE 0 END)), 0)::bigint AS n
       FROM runs r JOIN mailings m ON m.id = r.mailing_id,
       LATERAL (SELECT coalesce(sum(pending + sending + deferred + sent + failed + unknown), 0) AS total
                  FROM run_counts WHERE run_id = r.id) c
      WHERE r.owner_id = $1 AND r.created_at > app_now() - interval '1 day' AND r.status <> 'missed'`,
    [ownerId],
  );
  const n = started?.n ?? 0;
  if (n + letters <= perDay) return null;
  return new DomainError(
    'rate_limited',
    'LETTERS_PER_DAY',
    `${perDay} letters a day are allowed; ${n} were started in the last 24 hours, and this would be ${letters} more.`,
    { retryAfterS: 3_600 },
  );
}

const RECIPIENTS = `CASE m.audience
  WHEN 'all' THEN coalesce((SELECT t.clients FROM client_totals t WHERE t.owner_id = m.owner_id), 0) ELSE m.selected_count END`;

/** How many letters a run of this mailing would be. */
export async function recipientsOf(tx: Transaction, mailingId: number): Promise<number> {
  const row = await tx.first<{ n: number }>(`SELECT (${RECIPIENTS})::bigint AS n FROM mailings m WHERE m.id = $1`, [
    mailingId,
  ]);
  return row?.n ?? 0;
}
