import type { Sql, Transaction } from '../../database/database';
import type { ClientField } from './client-field.entity';

/**
 * Who writes values, or a template that names fields, holds this lock shared until the commit; who changes the
 * definitions holds it alone. So no value is written for a field, and no option, that is being taken away.
 */
const LOCK = `hashtextextended('client_fields ' || $1::bigint, 0)`;

/** An owner's fields, in their order; archived ones too. */
export const fieldsOf = (sql: Sql, ownerId: number): Promise<ClientField[]> =>
  sql.rows<ClientField>('SELECT * FROM client_fields WHERE owner_id = $1 ORDER BY position, id', [ownerId]);

/** The owner's fields, which stay as they are until this transaction ends. */
export async function holdFields(tx: Transaction, ownerId: number): Promise<ClientField[]> {
  await tx.rows(`SELECT pg_advisory_xact_lock_shared(${LOCK})`, [ownerId]);
  return fieldsOf(tx, ownerId);
}

/** The owner's fields, to be changed by this transaction alone. */
export async function changeFields(tx: Transaction, ownerId: number): Promise<ClientField[]> {
  await tx.rows(`SELECT pg_advisory_xact_lock(${LOCK})`, [ownerId]);
  return fieldsOf(tx, ownerId);
}

/** Those that are in use. */
export const offeredFields = async (sql: Sql, ownerId: number): Promise<ClientField[]> =>
  (await fieldsOf(sql, ownerId)).filter(isOffered);

export const isOffered = ({ archivedAt }: Pick<ClientField, 'archivedAt'>): boolean => archivedAt === null;
