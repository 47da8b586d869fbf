import { within } from '../../database/bounded';
import type { Database, Sql } from '../../database/database';
import { ConflictError, invalid } from '../../domain/errors';
import { problem } from '../../domain/problems';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { SegmentFilter } from '../../domain/segment-filter';
import { segmentSql } from './segment-sql';

/** How long a list of a segment's clients may take. */
const LIST_MS = 5_000;

/** SQL: the conditions of a list of clients `c`, and the parameters of the statement. */
export interface Listed {
  where: string;
  params: unknown[];
}

/**
 * Narrows a list of clients to those of a segment, if one is asked for. `sql` is what the list is to be read by: of a
 * segment, each statement is bounded in time.
 * @throws ValidationError if there is no such segment that the viewer may read
 */
export async function narrowToSegment(
  database: Database,
  viewer: Viewer,
  segmentId: number | undefined,
  { where, params }: Listed,
): Promise<Listed & { sql: Sql }> {
  if (segmentId === undefined) return { where, params, sql: database };
  const segment = await database.first<{ filter: SegmentFilter; ownerId: number; timeZone: string }>(
    `SELECT s.filter, s.owner_id, u.time_zone FROM segments s JOIN users u ON u.id = s.owner_id
      WHERE s.id = $1 AND ($2::bigint IS NULL OR s.owner_id = $2)`,
    [segmentId, readableOwner(viewer)],
  );
  if (!segment) throw invalid('segmentId', problem('unknown_segment', { id: segmentId }));
  const all = [...params, segment.ownerId];
  const owner = `$${all.length}`;
  const members = segmentSql(segment.filter, { timeZone: segment.timeZone, now: null }, all);
  return { where: `${where} AND c.owner_id = ${owner} AND ${members}`, params: all, sql: bounded(database) };
}

/** @throws ConflictError SEGMENT_TOO_SLOW */
function bounded(database: Database): Sql {
  const run = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const read = await within(database, LIST_MS, work);
    if (!read) throw new ConflictError('SEGMENT_TOO_SLOW', 'It takes too long to find the clients of this segment.');
    return read.value;
  };
  return {
    rows: (text, params) => run((sql) => sql.rows(text, params)),
    first: (text, params) => run((sql) => sql.first(text, params)),
    affected: (text, params) => run((sql) => sql.affected(text, params)),
  };
}
