import type { Sql, Transaction } from '../../database/database';
import type { SuppressionReason, SuppressionSource } from '../../domain/suppression';

export interface NewSuppression {
  /** Null: it applies to all owners. */
  ownerId: number | null;
  /** In whose list it stands, if it applies to all owners. */
  listedFor?: number;
  /** Null: all mailings. */
  mailingId: number | null;
  /** As `emailKey` gives it; null if the address is not known any more. */
  emailKey: string | null;
  addressHash: Buffer;
  reason: SuppressionReason;
  source: SuppressionSource;
  detail?: string;
  deliveryId?: number | null;
}

/**
 * Suppresses an address for good; harmless to repeat. If an imported list named it before, for the same reason, it no
 * longer belongs to that list: undoing the list does not undo what the person said.
 * @returns whether it was not suppressed for this reason before
 */
export async function suppress(sql: Sql, suppression: NewSuppression): Promise<boolean> {
  const { ownerId, listedFor, mailingId, emailKey, addressHash, reason, source, detail, deliveryId } = suppression;
  const row = await sql.first<{ isNew: boolean }>(
    `INSERT INTO suppressions AS s
       (owner_id, listed_for, mailing_id, email_key, address_hash, reason, source, detail, delivery_id)
     VALUES ($1, $9, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO UPDATE
       SET email_key = coalesce(s.email_key, excluded.email_key), expires_at = NULL, batch_id = NULL
     RETURNING xmax = 0 AS is_new`,
    [
      ownerId,
      mailingId,
      emailKey,
      addressHash,
      reason,
      source,
      detail ?? '',
      deliveryId ?? null,
      ownerId ?? listedFor ?? null,
    ],
  );
  return row?.isNew ?? false;
}

/**
 * No letter of the owner goes to these clients' addresses any more: by hand. Harmless to repeat. As with `suppress`,
 * undoing an imported list does not undo this.
 */
export const suppressClients = (tx: Transaction, ownerId: number, clientIds: number[]) =>
  tx.affected(
    `INSERT INTO suppressions AS s (owner_id, listed_for, email_key, address_hash, reason, source)
     SELECT $1, $1, lower(c.email), address_hash(c.email), 'manual', 'user'
       FROM clients c WHERE c.owner_id = $1 AND c.id = ANY($2::bigint[]) ORDER BY lower(c.email)
     ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO UPDATE
       SET batch_id = NULL WHERE s.batch_id IS NOT NULL`,
    [ownerId, clientIds],
  );

/** What a list says of one address. */
export interface ListedAddress {
  /** As `emailKey` gives it. */
  emailKey: string;
  reason: SuppressionReason;
  detail: string;
}

/**
 * Suppresses all addresses of a list for one owner's mailings; harmless to repeat.
 * @returns how many addresses were not suppressed for this reason before
 */
export const suppressListed = (tx: Transaction, ownerId: number, listed: readonly ListedAddress[]) =>
  tx.affected(
    `INSERT INTO suppressions (owner_id, listed_for, email_key, address_hash, reason, source, detail)
     SELECT $1, $1, key, address_hash(key), reason, 'import', detail
       FROM unnest($2::text[], $3::text[], $4::text[]) l (key, reason, detail) ORDER BY key
     ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO NOTHING`,
    [ownerId, listed.map((l) => l.emailKey), listed.map((l) => l.reason), listed.map((l) => l.detail)],
  );

/** The person wants these letters again: lifts `unsubscribed`, and no other reason. */
export const liftUnsubscribed = (tx: Transaction, ownerId: number, addressHash: Buffer) =>
  tx.affected(
    `UPDATE suppressions SET lifted_at = app_now(), lift_reason = 'resubscribed'
      WHERE owner_id = $1 AND address_hash = $2 AND reason = 'unsubscribed' AND lifted_at IS NULL`,
    [ownerId, addressHash],
  );

/**
 * Suppressions whose address is not known any more find it again by its hash when it comes back as a client. Call it in
 * the transaction that adds or changes the owner's clients with ids from `firstId` on.
 */
export const recogniseErased = (tx: Transaction, ownerId: number, firstId: number, lastId: number | null = null) =>
  tx.affected(
    `UPDATE suppressions s SET email_key = c.key
       FROM (SELECT lower(email) AS key, address_hash(email) AS hash FROM clients
              WHERE owner_id = $1 AND id >= $2 AND ($3::bigint IS NULL OR id <= $3)
                AND EXISTS (SELECT FROM suppressions e WHERE e.email_key IS NULL AND e.lifted_at IS NULL
                                AND (e.owner_id = $1 OR e.owner_id IS NULL))) c
      WHERE s.address_hash = c.hash AND s.email_key IS NULL AND s.lifted_at IS NULL
        AND (s.owner_id = $1 OR s.owner_id IS NULL)`,
    [ownerId, firstId, lastId],
  );

/**
 * Takes addresses out of the list of who must not get mail; their hashes stay, so that they go on getting none. Those
 * that bind all owners keep the address as long as another owner has it as a client, whose letters are stopped by it.
 */
export const eraseSuppressed = (tx: Transaction, ownerId: number | null, addresses: string[]) =>
  tx.affected(
    `UPDATE suppressions s SET email_key = NULL, detail = ''
      WHERE s.address_hash = ANY (SELECT address_hash(a) FROM unnest($2::text[]) AS a)
        AND ($1::bigint IS NULL OR s.owner_id = $1 OR (s.owner_id IS NULL AND NOT EXISTS (
          SELECT FROM clients c WHERE lower(c.email) = s.email_key AND c.owner_id <> $1)))`,
    [ownerId, addresses],
  );
