import type { Database, Transaction } from '../../database/database';
import { ConflictError, DomainError } from '../../domain/errors';
import type { Role } from '../../domain/permissions';
import { RECIPIENTS, RECIPIENTS_AT_MOST } from '../audiences/audiences';
import { type Addressed, countMembers } from '../audiences/members';

/** How many letters of one owner are about to be started. */
export interface Wanted {
  ownerId: number;
  letters: number;
}

/**
 * For each entry, why its owner may not have so many more letters sent now, or null: the owner is blocked, or a `user`
 * would send more than `perDay` letters in 24 hours (0: no limit). What is allowed counts for the entries after it.
 * Runs that are not planned yet count with their mailing's recipients. Locks the owners' rows until the commit, so that
 * neither a block nor another start comes in between; who only wants to know does not (`locks`). Two statements, however
 * many entries there are, but for mailings whose recipients have to be found to be counted.
 */
export async function refusedAllowances(
  tx: Database | Transaction,
  wanted: Wanted[],
  perDay: number,
  locks = true,
): Promise<(DomainError | null)[]> {
  const rows = await tx.rows<{ id: number; role: Role; status: string }>(
    `SELECT id, role, status FROM users WHERE id = ANY($1::bigint[])
      ORDER BY id ${!locks ? '' : perDay > 0 ? 'FOR NO KEY UPDATE' : 'FOR SHARE'}`,
    [wanted.map(({ ownerId }) => ownerId)],
  );
  const owners = new Map(rows.map((owner) => [owner.id, owner]));
  const limited = perDay > 0 ? rows.filter(({ role }) => role === 'user').map(({ id }) => id) : [];
  const started = await startedLately(tx, limited);
  return wanted.map(({ ownerId, letters }) => {
    if (owners.get(ownerId)?.status !== 'active')
      return new ConflictError('OWNER_BLOCKED', 'The owner of this mailing is blocked.');
    const n = started.get(ownerId);
    if (n === undefined) return null;
    if (n + letters > perDay) return tooMany(perDay, n, letters);
    started.set(ownerId, n + letters);
    return null;
  });
}

/** How many letters of these owners were started in the last 24 hours. */
async function startedLately(tx: Database | Transaction, ownerIds: number[]): Promise<Map<number, number>> {
  if (ownerIds.length === 0) return new Map();
  const runs = await tx.rows<{ id: number; n: number; uncounted: number[] | null }>(
    `SELECT r.owner_id AS id,
            sum(greatest(c.total, CASE WHEN r.planned_at IS NULL THEN (${RECIPIENTS}) ELSE 0 END))::bigint AS n,
            array_agg(m.id) FILTER (WHERE r.planned_at IS NULL AND (${RECIPIENTS}) IS NULL) AS uncounted
       FROM runs r JOIN mailings m ON m.id = r.mailing_id,
       LATERAL (SELECT coalesce(sum(pending + sending + deferred + sent + failed + unknown), 0) AS total
                  FROM run_counts WHERE run_id = r.id) c
      WHERE r.owner_id = ANY($1::bigint[]) AND r.created_at > app_now() - interval '1 day' AND r.status <> 'missed'
      GROUP BY r.owner_id`,
    [ownerIds],
  );
  // Of a run that is half planned, those who are planned already count twice for the moments that planning takes.
  const waiting = await recipientsOf(
    tx,
    runs.flatMap(({ uncounted }) => (uncounted ?? []).map(Number)),
  );
  const sum = ({ n, uncounted }: (typeof runs)[number]) =>
    (uncounted ?? []).reduce((all, id) => all + (waiting.get(Number(id)) ?? 0), n);
  const found = new Map(runs.map((row) => [row.id, sum(row)]));
  return new Map(ownerIds.map((id) => [id, found.get(id) ?? 0]));
}

const tooMany = (perDay: number, started: number, more: number) =>
  new DomainError(
    'rate_limited',
    'LETTERS_PER_DAY',
    `${perDay} letters a day are allowed; ${started} were started in the last 24 hours, this would be ${more} more.`,
    { retryAfterS: 3_600 },
  );

/** How long the recipients of one mailing may be counted, and of all that are asked for together. */
const COUNT_MS = 2_000;
const COUNT_ALL_MS = 6_000;

/**
 * How many letters a run of each of these mailings would have; at most so many, if it takes too long to count the
 * clients of a segment.
 */
export async function recipientsOf(sql: Database | Transaction, mailingIds: number[]): Promise<Map<number, number>> {
  if (mailingIds.length === 0) return new Map();
  const rows = await sql.rows<Addressed & { n: number | null; atMost: number }>(
    `SELECT m.id, m.owner_id, m.audience, m.segment_id, m.exclude_segment_id, (${RECIPIENTS})::bigint AS n,
            (${RECIPIENTS_AT_MOST})::bigint AS at_most FROM mailings m WHERE m.id = ANY($1::bigint[])`,
    [mailingIds],
  );
  const until = performance.now() + COUNT_ALL_MS;
  const found = new Map<number, number>();
  for (const { n, atMost, ...mailing } of rows) {
    const ms = Math.min(COUNT_MS, Math.round(until - performance.now()));
    const counted = n ?? (ms > 0 ? await countMembers(sql, mailing, ms) : null);
    found.set(mailing.id, counted ?? atMost);
  }
  return found;
}
