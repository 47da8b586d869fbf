import type { Transaction } from '../../database/database';
import { ValidationError } from '../../domain/errors';
import { at, problem } from '../../domain/problems';

const NAMED = 5;

/** @throws ValidationError naming the first of these `clientIds` that are not the owner's clients */
export async function requireOwnClients(tx: Transaction, ownerId: number, clientIds: number[]): Promise<void> {
  const strangers = await tx.rows<{ id: number }>(
    `SELECT w.id FROM unnest($1::bigint[]) AS w(id)
      WHERE NOT EXISTS (SELECT FROM clients c WHERE c.id = w.id AND c.owner_id = $2) LIMIT ${NAMED}`,
    [idArray(clientIds), ownerId],
  );
  if (strangers.length === 0) return;
  throw new ValidationError(
    strangers.flatMap(({ id }) => at(`clientIds.${clientIds.indexOf(id)}`, problem('unknown_client', { id }))),
  );
}

/** Very many ids as the text of an array: with an array of numbers the driver would spend time on each. */
export const idArray = (ids: readonly number[]): string => `{${ids.join(',')}}`;
