import type { Transaction } from '../../database/database';
import { invalid } from '../../domain/errors';
import { problem } from '../../domain/problems';
import { idArray, requireOwnClients } from '../clients/own-clients';
import type { Mailing } from './mailing.entity';
import { noteJoined } from './mailing-moves';

/** The most clients one call may add. */
export const CLIENT_IDS_MAX = 100_000;

/** Whether the mailing is started or paused: clients who are added now still get the current occurrence. */
export const isLive = (mailing: Pick<Mailing, 'status'>): boolean =>
  mailing.status === 'started' || mailing.status === 'paused';

/** @throws ValidationError naming the first ids that are not the owner's clients; nothing is added then */
export async function addClients(
  tx: Transaction,
  mailing: { id: number; ownerId: number; live: boolean },
  clientIds: number[],
): Promise<void> {
  if (clientIds.length > CLIENT_IDS_MAX) {
    throw invalid('clientIds', problem('too_many', { max: CLIENT_IDS_MAX, what: 'ids' }));
  }
  await requireOwnClients(tx, mailing.ownerId, clientIds);
  const added = await tx.first<{ first: number | null }>(
    `WITH added AS (
       INSERT INTO mailing_clients (mailing_id, client_id) SELECT $1, w.id
         FROM unnest($2::bigint[]) AS w(id) ORDER BY w.id
       ON CONFLICT DO NOTHING RETURNING id)
     SELECT min(id) AS first FROM added`,
    [mailing.id, idArray(clientIds)],
  );
  if (mailing.live && added?.first) await noteJoined(tx, mailing, added.first);
}

export async function replaceClients(tx: Transaction, mailing: Mailing, clientIds: number[]): Promise<void> {
  await tx.affected('DELETE FROM mailing_clients WHERE mailing_id = $1 AND client_id <> ALL($2::bigint[])', [
    mailing.id,
    clientIds,
  ]);
  if (clientIds.length > 0) {
    await addClients(tx, { id: mailing.id, ownerId: mailing.ownerId, live: isLive(mailing) }, clientIds);
  }
}
