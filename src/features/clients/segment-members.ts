import { within } from '../../database/bounded';
import type { Database, Sql, Transaction } from '../../database/database';
import { ConflictError, NotFoundError } from '../../domain/errors';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { SegmentFilter } from '../../domain/segment-filter';
import { segmentSql } from './segment-sql';

/** How long a list of a segment's clients may take. */
const LIST_MS = 5_000;

/** SQL: further conditions of a list of clients `c`, and all parameters of the statement. */
export interface Narrowed {
  where: string;
  params: unknown[];
}

/** Narrows a list of clients to those of a segment, if one is asked for. @throws NotFoundError */
export async function narrowToSegment(
  sql: Sql,
  viewer: Viewer,
  segmentId: number | undefined,
  { where, params }: Narrowed,
): Promise<Narrowed> {
  if (segmentId === undefined) return { where, params };
  const segment = await sql.first<{ filter: SegmentFilter; ownerId: number; timeZone: string }>(
    `SELECT s.filter, s.owner_id, u.time_zone FROM segments s JOIN users u ON u.id = s.owner_id
      WHERE s.id = $1 AND ($2::bigint IS NULL OR s.owner_id = $2)`,
    [segmentId, readableOwner(viewer)],
  );
  if (!segment) throw new NotFoundError('Segment', segmentId);
  const all = [...params, segment.ownerId];
  const clock = { timeZone: segment.timeZone, now: null };
  return {
    where: `${where} AND c.owner_id = $${all.length} AND ${segmentSql(segment.filter, clock, all)}`,
    params: all,
  };
}

/** Reads such a list; one of a segment is bounded in time. @throws ConflictError SEGMENT_TOO_SLOW */
export async function readNarrowed<T>(
  sql: Database | Transaction,
  segmentId: number | undefined,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  if (segmentId === undefined) return work(sql);
  const read = await within(sql, LIST_MS, work);
  if (!read) throw new ConflictError('SEGMENT_TOO_SLOW', 'It takes too long to find the clients of this segment.');
  return read.value;
}
