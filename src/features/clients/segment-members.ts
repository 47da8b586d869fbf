import type { Sql } from '../../database/database';
import { invalid } from '../../domain/errors';
import { problem } from '../../domain/problems';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { SegmentFilter } from '../../domain/segment-filter';
import { segmentSql } from './segment-sql';

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
