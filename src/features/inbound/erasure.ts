import type { Transaction } from '../../database/database';

/**
 * Deletes the letters that came back from, or are about, these addresses, also those that belong to nobody; what they
 * led to stays.
 */
export const eraseInbound = (tx: Transaction, ownerId: number | null, addresses: string[], deliveryIds: number[]) =>
  tx.affected(
    `DELETE FROM inbound_letters WHERE delivery_id = ANY($3::bigint[])
         OR (($1::bigint IS NULL OR owner_id = $1 OR owner_id IS NULL)
           AND (lower(address COLLATE "C") = ANY($2::text[]) OR lower(envelope_from COLLATE "C") = ANY($2::text[])))`,
    [ownerId, addresses, deliveryIds],
  );

/** Deletes a letter that turns out to be about a person who was erased before it was judged. */
export const eraseJudged = (tx: Transaction, id: number) =>
  tx.affected('DELETE FROM inbound_letters WHERE id = $1', [id]);
