import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { notWritable } from '../../database/owned';
import { ConflictError } from '../../domain/errors';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { deleteSegment } from '../audiences/segments.service';

/** How many mailings a refusal names. */
const NAMED = 5;

/** Deletes segments that no mailing needs any more. */
@Injectable()
export class SegmentDeletion {
  constructor(private readonly database: Database) {}

  /**
   * A segment that only deleted mailings use is deleted; their runs have its name and filter.
   * @throws ConflictError SEGMENT_IN_USE naming the mailings
   */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const found = await tx.first<{ name: string }>(
        'SELECT name FROM segments WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR UPDATE',
        [id, writableOwner(viewer)],
      );
      if (!found) throw await notWritable(tx, viewer, 'Segment', id);
      const users = await tx.rows<{ name: string; n: number }>(
        `SELECT coalesce(nullif(m.name, ''), 'mailing ' || m.id) AS name, count(*) OVER () AS n FROM mailings m
          WHERE (m.segment_id = $1 OR m.exclude_segment_id = $1) AND m.deleted_at IS NULL ORDER BY m.id LIMIT ${NAMED}`,
        [id],
      );
      const [first] = users;
      if (first) {
        const more = first.n > users.length ? ` and ${first.n - users.length} more` : '';
        const names = users.map(({ name }) => name).join(', ');
        throw new ConflictError('SEGMENT_IN_USE', `Mailings use this segment: ${names}${more}. Change them first.`);
      }
      await tx.affected(
        `UPDATE mailings SET segment_id = nullif(segment_id, $1), exclude_segment_id = nullif(exclude_segment_id, $1)
          WHERE segment_id = $1 OR exclude_segment_id = $1`,
        [id],
      );
      await deleteSegment(tx, id);
      await audit(tx, viewer, 'segment.delete', { type: 'segment', id }, { name: found.name });
    });
  }
}
