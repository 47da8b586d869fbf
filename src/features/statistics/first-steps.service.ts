import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { readableOwner, type Viewer } from '../../domain/permissions';

/** What somebody has done of the way to their first mailing. */
export interface FirstSteps {
  people: boolean;
  letter: boolean;
  /** The newest of the mailings that nobody has started yet. */
  prepared: number | null;
}

/** The first steps of those who have not sent yet. */
@Injectable()
export class FirstStepsService {
  constructor(private readonly database: Database) {}

  /**
   * Null once something was sent, or a mailing will send it. Of whom a viewer may read everything: once anybody sent one.
   * Each question stops at the first row.
   */
  async of(viewer: Viewer): Promise<FirstSteps | null> {
    const steps = await this.database.first<FirstSteps & { hasBegun: boolean }>(
      `SELECT EXISTS (SELECT FROM clients WHERE owner_id = $1) AS people,
              EXISTS (SELECT FROM messages WHERE owner_id = $1) AS letter,
              EXISTS (SELECT FROM runs WHERE status <> 'missed' AND ($2::bigint IS NULL OR owner_id = $2))
                OR EXISTS (SELECT FROM mailings WHERE status = 'started' AND deleted_at IS NULL
                            AND ($2::bigint IS NULL OR owner_id = $2)) AS has_begun,
              (SELECT max(id) FROM mailings WHERE owner_id = $1 AND status = 'created' AND deleted_at IS NULL)
                AS prepared`,
      [viewer.userId, readableOwner(viewer)],
    );
    if (!steps || steps.hasBegun) return null;
    const { people, letter, prepared } = steps;
    return { people, letter, prepared };
  }
}
