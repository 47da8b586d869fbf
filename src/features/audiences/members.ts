import { within } from '../../database/bounded';
import type { Database, Sql, Transaction } from '../../database/database';
import type { SegmentFilter } from '../../domain/segment-filter';
import { segmentSql } from '../clients/segment-sql';
import { type Audience, audienceOf } from './audiences';

/** Whom a mailing goes to at present, or a run as it was when it began. */
export interface Chosen {
  audience: Audience;
  /** Whom a segment lets in. */
  segmentFilter: SegmentFilter | null;
  /** Whom another one leaves out. */
  excludeFilter: SegmentFilter | null;
  /** The owner's. */
  timeZone: string;
  /** Null: the present. */
  now: Date | null;
}

/** What says whom a mailing goes to. */
export interface Addressed {
  id: number;
  ownerId: number;
  audience: Audience;
  segmentId: number | null;
  excludeSegmentId: number | null;
}

/** Reads the filters of a mailing's segments as they are at present. */
export async function chosenBy(sql: Sql, mailing: Addressed): Promise<Chosen> {
  const { audience, ownerId, segmentId, excludeSegmentId } = mailing;
  const none = { audience, segmentFilter: null, excludeFilter: null, timeZone: 'UTC', now: null };
  if (segmentId === null && excludeSegmentId === null) return none;
  const row = await sql.first<Pick<Chosen, 'segmentFilter' | 'excludeFilter' | 'timeZone'>>(
    `SELECT u.time_zone, (SELECT s.filter FROM segments s WHERE s.id = $2 AND s.owner_id = u.id) AS segment_filter,
            (SELECT s.filter FROM segments s WHERE s.id = $3 AND s.owner_id = u.id) AS exclude_filter FROM users u WHERE u.id = $1`,
    [ownerId, segmentId, excludeSegmentId],
  );
  return { ...none, ...row };
}

/**
 * SQL: whether the segments let the client `c` in. Pushes its parameters. An audience that needs a segment and has none
 * is empty.
 */
export function letInSql(chosen: Chosen, params: unknown[]): string {
  const { segmentFilter, excludeFilter, audience } = chosen;
  const needsOne = audienceOf({ audience }).input === 'segmentId';
  const inside = segmentFilter ? segmentSql(segmentFilter, chosen, params) : needsOne ? 'false' : 'true';
  return excludeFilter ? `${inside} AND NOT (${segmentSql(excludeFilter, chosen, params)})` : inside;
}

/** SQL: whether `c` is in the audience of the mailing $1. Pushes its parameters. */
export const containsSql = (chosen: Chosen, params: unknown[]): string =>
  `${audienceOf(chosen).contains} AND ${letInSql(chosen, params)}`;

/** Whether a page of the audience costs more than reading it. */
export const isFiltered = ({ segmentFilter, excludeFilter }: Chosen): boolean =>
  segmentFilter !== null || excludeFilter !== null;

/** SQL: whether `c` is a member of the mailing $1. Pushes its parameters. */
export type MembersIn = (params: unknown[]) => string;

/**
 * How many clients a mailing goes to at present; null if it takes longer than so many milliseconds to count them.
 * @param membersIn instead of those of the mailing as it was saved
 */
export async function countMembers(
  sql: Database | Transaction,
  mailing: Addressed,
  ms: number,
  membersIn?: MembersIn,
): Promise<number | null> {
  const params: unknown[] = [mailing.id, mailing.ownerId];
  const inside = membersIn ? membersIn(params) : containsSql(await chosenBy(sql, mailing), params);
  const counted = await within(sql, ms, (bounded) =>
    bounded.first<{ n: number }>(
      `SELECT count(*) AS n FROM clients c WHERE $1::bigint IS NOT NULL AND c.owner_id = $2 AND ${inside}`,
      params,
    ),
  );
  return counted && (counted.value?.n ?? 0);
}
