import type { Transaction } from '../../database/database';
import { eraseFromSegments } from '../audiences/erasure';
import { eraseFromJobs } from '../clients/erasure';
import { eraseFromRuns } from '../runs/run-moves';

/** Filters that ask for an address find nobody afterwards. */
export async function eraseFromFilters(tx: Transaction, ownerId: number | null, pattern: string): Promise<void> {
  await eraseFromSegments(tx, ownerId, pattern);
  await eraseFromRuns(tx, ownerId, pattern);
  await eraseFromJobs(tx, ownerId, pattern);
}
