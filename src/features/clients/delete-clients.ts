import type { Transaction } from '../../database/database';
import { skipDeleted, settlePlanning } from '../ledger/moves';

/**
 * The one way in which clients are deleted, once it is known that they may be. Their open letters are skipped; what was
 * sent stays in the ledger.
 * @returns the ids of those who were there
 */
export async function deleteClients(tx: Transaction, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  await lockClients(tx);
  await settlePlanning(tx, ids);
  await skipDeleted(tx, ids);
  // Before the clients, so that the tags are counted once, and not once for each client.
  await tx.affected('DELETE FROM client_tags WHERE client_id = ANY($1::bigint[])', [ids]);
  const deleted = await tx.rows<{ id: number }>('DELETE FROM clients WHERE id = ANY($1::bigint[]) RETURNING id', [ids]);
  return deleted.map(({ id }) => id);
}

/**
 * Takes the lock under which clients are counted before those of their tags. Deleting would take them in the other order,
 * and wait for an import that waits for it.
 */
export const lockClients = (tx: Transaction) => tx.rows(`SELECT pg_advisory_xact_lock(hashtext('clients_count'))`);
