import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { AttemptsService, type AttemptView } from '../ledger/attempts.service';
import { DeliveriesService, type DeliveryView } from './deliveries.service';

/** A letter as it stands now, which tells its last attempt, or an attempt before that one. */
export type LetterEntry =
  { what: 'letter'; at: Date; delivery: DeliveryView } | { what: 'attempt'; at: Date; attempt: AttemptView };

/** Of a client with more letters, those of the newest runs. */
const LETTERS_MAX = 5_000;

/**
 * SQL: the entries of the client $1 at the newest $4 instants before $3, of the owner $2 if it is given. No index has a
 * client's letters by time, because sending would have to write it: all of them are read, which are as many as the runs.
 */
const NEWEST = `WITH letters AS MATERIALIZED (
    SELECT d.id, d.updated_at, d.attempts FROM deliveries d JOIN runs r ON r.id = d.run_id
     WHERE d.client_id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)
     ORDER BY d.run_id DESC LIMIT ${LETTERS_MAX}),
   entries AS (
    SELECT 'letter' AS what, l.id, date_trunc('milliseconds', l.updated_at) AS at FROM letters l
    UNION ALL
    SELECT 'attempt', a.id, date_trunc('milliseconds', a.created_at)
      FROM letters l JOIN attempts a ON a.delivery_id = l.id AND a.attempt_number < l.attempts
     WHERE l.attempts > 1)
  SELECT what, id, at FROM (
    SELECT what, id, at, dense_rank() OVER (ORDER BY at DESC) AS n FROM entries
     WHERE $3::timestamptz IS NULL OR at < $3) e
   WHERE n <= $4 ORDER BY at DESC, what DESC, id DESC`;

/** What became of one client's letters, by time. */
@Injectable()
export class ClientLetters {
  constructor(
    private readonly database: Database,
    private readonly deliveries: DeliveriesService,
    private readonly attempts: AttemptsService,
  ) {}

  /** All of the newest instants, in milliseconds, before the given one: so many, if there are. */
  async before(viewer: Viewer, clientId: number, before: Date | null, instants: number): Promise<LetterEntry[]> {
    const found = await this.database.rows<{ what: LetterEntry['what']; id: number; at: Date }>(NEWEST, [
      ...[clientId, readableOwner(viewer), before, instants],
    ]);
    const ids = (what: LetterEntry['what']) => found.filter((entry) => entry.what === what).map(({ id }) => id);
    const [letters, attempts] = await Promise.all([
      this.deliveries.some(viewer, ids('letter')),
      this.attempts.some(viewer, ids('attempt')),
    ]);
    return found.flatMap(({ what, id, at }): LetterEntry[] => {
      const delivery = what === 'letter' ? letters.get(id) : undefined;
      if (delivery) return [{ what: 'letter', at, delivery }];
      const attempt = what === 'attempt' ? attempts.get(id) : undefined;
      return attempt ? [{ what: 'attempt', at, attempt }] : [];
    });
  }
}
