import type { Database } from '../../database/database';
import { CHARGED, pardon } from '../ledger/moves';
import { GOES_ON, lockRunsThatGoOn, reopenRuns } from './run-moves';
import { leftToOtherRuns } from './sending-tree';

/** Older attempts than this are not considered. */
const LOOKED_BACK = 5_000;

/**
 * Deliveries whose last answer was this refusal, and that were charged for it, are pending again without the try; a
 * `done` run is `sending` again, unless its mailing was finished by hand. One whose client was deleted stays as it
 * is, and one whose letter was sent again by another run: that one's is pending again, if it was refused so, too.
 * Harmless to repeat.
 * @returns those that are pending now
 */
export async function giveBack(database: Database, refusal: string, deliveryIds: number[]): Promise<number[]> {
  if (deliveryIds.length === 0) return [];
  const charged = await database.rows<{ id: number; runId: number; mailingId: number }>(
    `SELECT d.id, d.run_id, r.mailing_id FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
      JOIN runs r ON r.id = d.run_id JOIN clients c ON c.id = d.client_id
       JOIN mailings m ON m.id = r.mailing_id JOIN users u ON u.id = r.owner_id
      WHERE d.id = ANY($2::bigint[]) AND ${CHARGED} AND ${GOES_ON}`,
    [refusal, deliveryIds],
  );
  if (charged.length === 0) return [];
  return database.transaction(async (tx) => {
    const runIds = await lockRunsThatGoOn(tx, charged);
    const left = new Set<number>();
    for (const runId of runIds) {
      const ids = charged.filter((delivery) => delivery.runId === runId).map(({ id }) => id);
      for (const id of await leftToOtherRuns(tx, runId, ids)) left.add(id);
    }
    const ids = charged.map(({ id }) => id).filter((id) => !left.has(id));
    const back = await pardon(tx, refusal, ids, runIds);
    await reopenRuns(tx, [...new Set(back.map(({ runId }) => runId))]);
    return back.map(({ id }) => id);
  });
}

/** The deliveries that got this refusal since the last accepted letter, of all workers, also dead ones. */
export async function refusedAlike(database: Database, refusal: string): Promise<number[]> {
  const rows = await database.rows<{ id: number }>(
    `SELECT a.delivery_id AS id
       FROM (SELECT delivery_id, created_at FROM attempts WHERE refusal = $1 AND NOT pardoned
              ORDER BY id DESC LIMIT ${LOOKED_BACK}) a
      WHERE a.created_at >= coalesce((SELECT max(l.created_at) FROM (
              SELECT created_at, status FROM attempts ORDER BY id DESC LIMIT ${LOOKED_BACK}) l WHERE l.status = 'ok'),
                '-infinity')`,
    [refusal],
  );
  return [...new Set(rows.map((row) => row.id))];
}

/**
 * The deliveries to this domain that got this refusal since a letter to it was accepted, of all workers. What is older
 * than an hour was refused for something else: no letter of last week goes out because of today's refusals.
 */
export async function refusedByDomain(database: Database, refusal: string, domain: string): Promise<number[]> {
  // By primary key, whatever the statistics of Postgres say: a look reads a bounded part of the ledger.
  const toDomain = `LATERAL (SELECT email FROM deliveries WHERE id = a.delivery_id OFFSET 0) d
      WHERE split_part(lower(d.email), '@', 2) = $2`;
  const rows = await database.rows<{ id: number }>(
    `SELECT a.delivery_id AS id
       FROM (SELECT id, delivery_id, created_at, pardoned FROM attempts WHERE refusal = $1
              ORDER BY id DESC LIMIT ${LOOKED_BACK}) a, ${toDomain}
        AND NOT a.pardoned AND a.created_at > app_now() - interval '1 hour'
        AND a.id > coalesce((SELECT max(a.id) FROM (
              SELECT id, delivery_id, status FROM attempts ORDER BY id DESC LIMIT ${LOOKED_BACK}) a, ${toDomain}
                 AND a.status = 'ok'), 0)`,
    [refusal, domain],
  );
  return [...new Set(rows.map((row) => row.id))];
}
