import type { Sql, Transaction } from '../../database/database';
import { changedValues, type FieldValues, valuesProblem } from '../../domain/client-fields';
import { stillValid } from '../../domain/signup-form';
import { recogniseErased } from '../consent/suppressions';
import { deleteClients } from './delete-clients';
import { holdFields } from './field-definitions';
import type { NewClients } from './new-clients';

export interface SignedUp {
  ownerId: number;
  email: string;
  /** Empty: not given. */
  fullName: string;
  fields: FieldValues;
  /** Tags of the owner that the client gets. */
  tagIds: readonly number[];
}

/**
 * A client who has the address alone, and gets no mailing until its person confirms it. Harmless for a known one.
 * @returns the client's id; null if the owner has a client with this address already
 */
export async function addUnconfirmed(tx: Transaction, ownerId: number, email: string): Promise<number | null> {
  // An insert waits for all others who add clients, and makes them wait, even if it inserts nothing.
  const known = await tx.first('SELECT id FROM clients WHERE owner_id = $1 AND lower(email) = lower($2 COLLATE "C")', [
    ownerId,
    email,
  ]);
  if (known) return null;
  const added = await tx.first<{ id: number }>(
    `INSERT INTO clients (owner_id, email, unconfirmed_since) VALUES ($1, $2, app_now())
     ON CONFLICT (owner_id, lower(email)) DO NOTHING RETURNING id`,
    [ownerId, email],
  );
  if (!added) return null;
  await recogniseErased(tx, ownerId, added.id, added.id);
  return added.id;
}

/**
 * A person has said that the address is theirs and what they want: the client exists and is confirmed from now on, and
 * has what was given. Values that were not given stay, and tags are only added: the form did not show what was there.
 *
 * A client who was there before, confirmed or not, is not announced: all clients since would be planned once more. They
 * get the mailings whose runs are planned from now on, as if they had been left out of those before.
 * @param added the client's id, if `addUnconfirmed` added them in this transaction
 * @returns the client's id
 */
export async function takeSignedUp(
  tx: Transaction,
  newClients: NewClients,
  signedUp: SignedUp,
  added: number | null = null,
): Promise<number> {
  const { ownerId, email, fullName, tagIds } = signedUp;
  const given = stillValid(await holdFields(tx, ownerId), signedUp.fields);
  const isNew = added ?? (await addUnconfirmed(tx, ownerId, email));
  const client = await tx.first<{ id: number; fields: FieldValues }>(
    `SELECT id, fields FROM clients WHERE owner_id = $1 AND lower(email) = lower($2 COLLATE "C")
      FOR NO KEY UPDATE`,
    [ownerId, email],
  );
  if (!client) throw new Error('a client was deleted while it was confirmed');
  const { id } = client;
  const merged = changedValues(client.fields, given);
  const fields = valuesProblem(merged) === null ? merged : client.fields;
  await tx.affected(
    `UPDATE clients SET full_name = coalesce(nullif($2, ''), full_name), fields = $3, unconfirmed_since = NULL,
            updated_at = app_now() WHERE id = $1`,
    [id, fullName, JSON.stringify(fields)],
  );
  await giveTags(tx, ownerId, id, tagIds);
  if (isNew !== null) await newClients.announce(tx, ownerId, id);
  return id;
}

/** Those of these tags that are still there. */
const giveTags = (tx: Transaction, ownerId: number, clientId: number, tagIds: readonly number[]) =>
  tx.affected(
    `INSERT INTO client_tags (tag_id, client_id)
     SELECT id, $2 FROM tags WHERE owner_id = $1 AND id = ANY($3::bigint[]) ORDER BY id ON CONFLICT DO NOTHING`,
    [ownerId, clientId, tagIds],
  );

/** A public tag, and whether a client has it. */
export interface Topic {
  id: number;
  name: string;
  chosen: boolean;
}

/** The owner's public tags as a client may choose them. */
export const topicsOf = (sql: Sql, ownerId: number, clientId: number): Promise<Topic[]> =>
  sql.rows<Topic>(
    `SELECT t.id, t.name, ct.tag_id IS NOT NULL AS chosen
       FROM tags t LEFT JOIN client_tags ct ON ct.tag_id = t.id AND ct.client_id = $2
      WHERE t.owner_id = $1 AND t.public ORDER BY lower(t.name), t.id LIMIT 200`,
    [ownerId, clientId],
  );

/** What was ticked of the topics that were shown. */
export interface ChosenTopics {
  shown: readonly number[];
  ticked: readonly number[];
}

/** Of the owner's public tags that were shown gives a client those that were ticked; all others stay as they are. */
export async function chooseTopics(
  tx: Transaction,
  ownerId: number,
  clientId: number,
  { shown, ticked }: ChosenTopics,
): Promise<void> {
  // In the order of ids, as the triggers lock them that count.
  const topics = await tx.rows<{ id: number }>(
    'SELECT id FROM tags WHERE owner_id = $1 AND public AND id = ANY($2::bigint[]) ORDER BY id FOR NO KEY UPDATE',
    [ownerId, shown],
  );
  const chosen = topics.map(({ id }) => id).filter((id) => ticked.includes(id));
  const left = topics.map(({ id }) => id).filter((id) => !ticked.includes(id));
  await tx.affected('DELETE FROM client_tags WHERE client_id = $1 AND tag_id = ANY($2::bigint[])', [clientId, left]);
  await giveTags(tx, ownerId, clientId, chosen);
}

/** SQL: a client `c` of whom nothing is known but an address that nobody confirmed. */
export const NOTHING_BUT_ADDRESS = `c.unconfirmed_since IS NOT NULL AND c.full_name = '' AND c.comment = ''
  AND c.fields = '{}' AND NOT EXISTS (SELECT FROM client_tags ct WHERE ct.client_id = c.id)
  AND NOT EXISTS (SELECT FROM mailing_clients mc WHERE mc.client_id = c.id)`;

/** Deletes those of these clients of whom nothing else has become known. @returns how many */
export async function forgetUnconfirmed(tx: Transaction, ids: number[]): Promise<number> {
  const rows = await tx.rows<{ id: number }>(
    `SELECT c.id FROM clients c WHERE c.id = ANY($1::bigint[]) AND ${NOTHING_BUT_ADDRESS} ORDER BY c.id FOR UPDATE`,
    [ids],
  );
  const deleted = await deleteClients(
    tx,
    rows.map(({ id }) => id),
  );
  return deleted.length;
}
