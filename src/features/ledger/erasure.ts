import type { Transaction } from '../../database/database';

/** What stands for an address in the ledger after it was erased; not an address, so that nothing is sent to it. */
export const ERASED = `'erased:' || encode(address_hash(email), 'hex')`;

/**
 * Takes a person out of the ledger: the addresses of these deliveries become hashes under a key, and of what servers
 * answered only the codes stay, because servers repeat addresses in their own ways. Numbers and states stay. Call it
 * when none of them is open.
 */
export async function eraseLetters(tx: Transaction, deliveryIds: number[]): Promise<void> {
  const ids = [deliveryIds];
  await tx.affected(
    `UPDATE deliveries SET email = ${ERASED} WHERE id = ANY($1::bigint[]) AND email NOT LIKE 'erased:%'`,
    ids,
  );
  await tx.affected(
    `UPDATE attempts SET server_response = concat_ws(' ', reply_code, enhanced_code, '[erased]')
      WHERE delivery_id = ANY($1::bigint[]) AND server_response <> ''`,
    ids,
  );
  await tx.affected(
    `UPDATE delivery_events SET reply = concat_ws(' ', enhanced_code, '[erased]')
      WHERE delivery_id = ANY($1::bigint[]) AND reply IS NOT NULL`,
    ids,
  );
}
