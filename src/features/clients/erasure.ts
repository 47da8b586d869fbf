import type { Transaction } from '../../database/database';

/** Deletes a client whose open deliveries were skipped before. */
export const eraseClient = (tx: Transaction, id: number) => tx.affected('DELETE FROM clients WHERE id = $1', [id]);
