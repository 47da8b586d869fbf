import type { Transaction } from '../../database/database';

/** SQL: how what stands for an erased address begins; it is no address, so nothing is sent to it. */
export const erased = (email: string): string => `'erased:' || encode(address_hash(${email}), 'hex')`;

/**
 * SQL: whether the run had a letter to this address that was erased since: it must not get a second one. Whether there
 * are any is asked once for a statement.
 */
export const hadErased = (run: string, email: string): string =>
  `((SELECT EXISTS (SELECT FROM deliveries e WHERE e.run_id = ${run} AND lower(e.email) >= 'erased:'
       AND lower(e.email) < 'erased;'))
    AND EXISTS (SELECT FROM deliveries e WHERE e.run_id = ${run} AND lower(e.email) >= ${erased(email)} || ':'
       AND lower(e.email) < ${erased(email)} || ';'))`;

/**
 * Takes a person out of the ledger: the addresses of these deliveries become hashes under a key, and of what servers
 * answered only the codes stay, because servers repeat addresses in their own ways. Numbers and states stay. Call it
 * when none of them is open.
 */
export async function eraseLetters(tx: Transaction, deliveryIds: number[]): Promise<void> {
  const ids = [deliveryIds];
  await tx.affected(
    `UPDATE deliveries SET email = ${erased('email')} || ':' || id WHERE id = ANY($1::bigint[]) AND email NOT LIKE 'erased:%'`,
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
