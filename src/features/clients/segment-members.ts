import { within } from '../../database/bounded';
import type { Database, Sql } from '../../database/database';
import { ConflictError, invalid } from '../../domain/errors';
import { problem } from '../../domain/problems';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { SegmentFilter } from '../../domain/segment-filter';
import { segmentSql } from './segment-sql';

/** How long a list may take whose clients no index finds. */
const LIST_MS = 5_000;

/** A segment as it is asked: its filter, and by whose calendar. */
export interface AskedSegment {
  filter: SegmentFilter;
  ownerId: number;
  timeZone: string;
}

/** @throws ValidationError if there is no such segment that the viewer may read */
export async function readSegment(sql: Sql, viewer: Viewer, id: number): Promise<AskedSegment> {
  const segment = await sql.first<AskedSegment>(
    `SELECT s.filter, s.owner_id, u.time_zone FROM segments s JOIN users u ON u.id = s.owner_id
      WHERE s.id = $1 AND ($2::bigint IS NULL OR s.owner_id = $2)`,
    [id, readableOwner(viewer)],
  );
  if (!segment) throw invalid('segmentId', problem('unknown_segment', { id }));
  return segment;
}

/** SQL: whether the client `c` belongs to a segment; its values are added to the parameters. */
export function isMember({ filter, ownerId, timeZone }: AskedSegment, params: unknown[]): string {
  const owner = `c.owner_id = $${params.push(ownerId)}`;
  return `${owner} AND ${segmentSql(filter, { timeZone, now: null }, params)}`;
}

const TOO_SLOW = {
  SEGMENT_TOO_SLOW: 'It takes too long to find the clients of this segment.',
  SEARCH_TOO_SLOW:
    'It takes too long to search all comments and fields. Search names and addresses, or make a segment.',
};

/** Each statement is bounded in time. @throws ConflictError with this code */
export function inTime(database: Database, code: keyof typeof TOO_SLOW): Sql {
  const run = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const read = await within(database, LIST_MS, work);
    if (!read) throw new ConflictError(code, TOO_SLOW[code]);
    return read.value;
  };
  return {
    rows: (text, params) => run((sql) => sql.rows(text, params)),
    first: (text, params) => run((sql) => sql.first(text, params)),
    affected: (text, params) => run((sql) => sql.affected(text, params)),
  };
}
