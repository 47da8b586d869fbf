import type { Sql } from '../../database/database';

/** A person is known by addresses: of one owner's clients and letters, or (owner null) of everybody's. */
export interface Person {
  ownerId: number | null;
  /** As `emailKey` gives them. */
  addresses: string[];
  clientIds: number[];
}

/** By one client: with the addresses that the client had when letters were sent, and that no other client has now. */
export async function personOf(sql: Sql, client: { id: number; ownerId: number; email: string }): Promise<Person> {
  const rows = await sql.rows<{ email: string }>(
    `SELECT k.email FROM (
       SELECT lower(email) AS email FROM clients WHERE id = $1
       UNION SELECT lower(email) FROM deliveries WHERE client_id = $1 AND email NOT LIKE 'erased:%'
       UNION SELECT lower(email) FROM signups WHERE client_id = $1) k
      WHERE NOT EXISTS (SELECT FROM clients c WHERE c.owner_id = $2 AND lower(c.email) = k.email AND c.id <> $1)`,
    [client.id, client.ownerId],
  );
  return { ownerId: client.ownerId, addresses: rows.map(({ email }) => email), clientIds: [client.id] };
}

/** By an address, wherever it stands. */
export async function personAt(sql: Sql, address: string): Promise<Person> {
  const rows = await sql.rows<{ id: number }>('SELECT id FROM clients WHERE lower(email) = $1 ORDER BY id', [address]);
  return { ownerId: null, addresses: [address], clientIds: rows.map(({ id }) => id) };
}

/**
 * SQL: the ids of a person's deliveries: $1 the owner or null, $2 the addresses, $3 the clients' ids. An address is
 * looked up in each run by itself, because there is no index of all letters by address: it would cost every letter.
 */
export const LETTERS = `(SELECT d.id FROM deliveries d WHERE d.client_id = ANY($3::bigint[])
  UNION SELECT d.id FROM runs r JOIN deliveries d ON d.run_id = r.id AND lower(d.email) = ANY($2::text[])
   WHERE $1::bigint IS NULL OR r.owner_id = $1)`;
