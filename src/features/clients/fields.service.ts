import { Injectable } from '@nestjs/common';
import { Database, type Transaction, violates } from '../../database/database';
import { listPage } from '../../database/list';
import { checkDefinition, type FieldDefinition, FIELDS_MAX } from '../../domain/client-fields';
import { ConflictError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { ClientField } from './client-field.entity';
import { changeFields, fieldsOf, isOffered } from './field-definitions';
import { namedUses, Uses } from './uses';

export interface FieldInput {
  key: string;
  label: string;
  type: FieldDefinition['type'];
  options?: string[];
}

/** What may change of a field; its key and type stay, because templates, files and values rely on them. */
export interface FieldChanges {
  label?: string;
  options?: string[];
  /** Its place among the owner's fields, from 0. */
  position?: number;
  archived?: boolean;
}

/** Clients whose ids lie within so many are changed in one transaction. */
const STEP = 20_000;

/** The fields that somebody keeps of their clients. Everybody has their own: nobody changes another's. */
@Injectable()
export class FieldsService {
  constructor(
    private readonly database: Database,
    private readonly uses: Uses,
  ) {}

  /** In the order in which forms show them. */
  list({ userId }: Viewer): Promise<ClientField[]> {
    return fieldsOf(this.database, userId);
  }

  /** The fields of an owner whose clients the viewer may read. */
  async of(viewer: Viewer, ownerId: number): Promise<ClientField[]> {
    const readable = readableOwner(viewer);
    return readable === null || readable === ownerId ? fieldsOf(this.database, ownerId) : [];
  }

  page({ userId }: Viewer, query: PageRequest): Promise<Page<ClientField>> {
    return listPage<ClientField>(
      this.database,
      {
        select: 'f.*',
        from: 'client_fields f',
        where: 'f.owner_id = $1',
        params: [userId],
        key: [
          { expression: 'f.position', type: 'bigint' },
          { expression: 'f.id', type: 'bigint' },
        ],
        descending: false,
      },
      query,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, key: string): Promise<ClientField> {
    return found(await this.list(viewer), key);
  }

  /**
   * @throws ValidationError
   * @throws ConflictError FIELD_EXISTS if there is a field with this key, in whatever case; FIELDS_FULL
   */
  async create(viewer: Viewer, input: FieldInput): Promise<ClientField> {
    const definition = checked({ ...input, options: input.options ?? [] });
    try {
      return await this.database.transaction(async (tx) => {
        const fields = await changeFields(tx, viewer.userId);
        if (fields.length >= FIELDS_MAX)
          throw new ConflictError(
            'FIELDS_FULL',
            `You have ${FIELDS_MAX} fields already, which is the most there may be.`,
          );
        const position = Math.max(-1, ...fields.map((field) => field.position)) + 1;
        const repository = tx.manager.getRepository(ClientField);
        return repository.save(repository.create({ ownerId: viewer.userId, ...definition, position }));
      });
    } catch (error) {
      if (!violates(error, 'client_fields_owner_id_key_key')) throw error;
      throw new ConflictError('FIELD_EXISTS', `There is a field with the key "${input.key}" already.`);
    }
  }

  /**
   * @throws NotFoundError, ValidationError
   * @throws ConflictError FIELD_OPTION_IN_USE if clients have an option that is left out
   */
  async update(viewer: Viewer, key: string, change: FieldChanges): Promise<ClientField> {
    const { userId } = viewer;
    return this.database.transaction(async (tx) => {
      const fields = await changeFields(tx, userId);
      const field = found(fields, key);
      const { label, options } = checked({
        key,
        type: field.type,
        label: change.label ?? field.label,
        options: change.options ?? field.options,
      });
      await this.refuseIfChosen(
        tx,
        field,
        field.options.filter((option) => !options.includes(option)),
      );
      const repository = tx.manager.getRepository(ClientField);
      await repository.update({ id: field.id }, { label, options });
      if (change.archived !== undefined && change.archived === isOffered(field))
        await repository.update({ id: field.id }, { archivedAt: change.archived ? () => 'app_now()' : null });
      if (change.position !== undefined) await moveTo(tx, fields, field, change.position);
      return repository.findOneByOrFail({ id: field.id });
    });
  }

  /**
   * Takes a field and its values away. The values of very many clients are taken in steps, so that no client is locked
   * for long. The field is archived first: if this ends half-way, it is hidden, and deleting it again finishes the work.
   * @throws NotFoundError
   * @throws ConflictError FIELD_IN_USE with what uses it
   */
  async delete(viewer: Viewer, key: string): Promise<void> {
    const { userId } = viewer;
    const last = await this.database.transaction(async (tx) => {
      const field = found(await changeFields(tx, userId), key);
      await this.refuseIfUsed(tx, userId, key);
      if (isOffered(field))
        await tx.manager.getRepository(ClientField).update({ id: field.id }, { archivedAt: () => 'app_now()' });
      const row = await tx.first<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM clients WHERE owner_id = $1', [
        userId,
      ]);
      return row?.id ?? 0;
    });
    for (let after = 0; after < last;) after = await this.takeValues(userId, key, after);
    await this.database.transaction(async (tx) => {
      const field = found(await changeFields(tx, userId), key);
      // Somebody may have begun to use it meanwhile, or given it a value.
      await this.refuseIfUsed(tx, userId, key);
      await tx.affected('UPDATE clients SET fields = fields - $2::text WHERE owner_id = $1 AND fields ? $2::text', [
        userId,
        key,
      ]);
      await tx.manager.getRepository(ClientField).delete({ id: field.id });
      await audit(tx, viewer, 'field.delete', { type: 'field', id: field.id }, { name: key });
    });
  }

  /** The next clients in id order. @returns the last id that was looked at */
  private async takeValues(ownerId: number, key: string, after: number): Promise<number> {
    const row = await this.database.first<{ last: number | null }>(
      `WITH step AS (SELECT id FROM clients WHERE owner_id = $1 AND id > $3 ORDER BY id LIMIT ${STEP}),
            taken AS (UPDATE clients c SET fields = c.fields - $2::text FROM step s
                       WHERE c.id = s.id AND c.fields ? $2::text)
       SELECT max(id) AS last FROM step`,
      [ownerId, key, after],
    );
    return row?.last ?? Infinity;
  }

  private async refuseIfUsed(tx: Transaction, ownerId: number, key: string): Promise<void> {
    const uses = await this.uses.of(tx, ownerId, { field: key });
    if (uses.length > 0)
      throw new ConflictError('FIELD_IN_USE', `The field "${key}" is used by ${namedUses(uses)}.`, { uses });
  }

  private async refuseIfChosen(tx: Transaction, { ownerId, key }: ClientField, options: string[]): Promise<void> {
    if (options.length === 0) return;
    const row = await tx.first<{ n: number }>(
      'SELECT count(*) AS n FROM clients WHERE owner_id = $1 AND fields ->> $2 = ANY($3::text[])',
      [ownerId, key, options],
    );
    const n = row?.n ?? 0;
    if (n > 0)
      throw new ConflictError(
        'FIELD_OPTION_IN_USE',
        `${n === 1 ? '1 client has' : `${n} clients have`} ${options.length === 1 ? `the option "${options[0]}"` : 'one of the options that are left out'}.`,
        { clients: n },
      );
  }
}

function found(fields: ClientField[], key: string): ClientField {
  const field = fields.find((each) => each.key === key);
  if (!field) throw new NotFoundError('Field', key.slice(0, 40));
  return field;
}

function checked(given: FieldDefinition): {
  key: string;
  label: string;
  type: FieldDefinition['type'];
  options: string[];
} {
  const definition = {
    ...given,
    label: given.label.trim(),
    options: given.options.map((option) => option.trim()),
  };
  const errors = checkDefinition(definition);
  if (errors.length > 0) throw new ValidationError(errors);
  return definition;
}

/** Numbers the owner's fields anew, at most FIELDS_MAX of them. */
async function moveTo(tx: Transaction, fields: ClientField[], field: ClientField, position: number): Promise<void> {
  const order = fields.filter(({ id }) => id !== field.id).map(({ id }) => id);
  order.splice(position, 0, field.id);
  await tx.affected(
    `UPDATE client_fields f SET position = o.place - 1
       FROM unnest($1::bigint[]) WITH ORDINALITY AS o(id, place) WHERE f.id = o.id`,
    [order],
  );
}
