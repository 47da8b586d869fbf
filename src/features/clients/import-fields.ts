import type { Sql, Transaction } from '../../database/database';
import { UnusableUpload } from '../../database/read-table';
import { searched } from '../../database/search';
import { checkDefinition, type FieldDefinition, type FieldType, FIELDS_MAX } from '../../domain/client-fields';
import { NEW_TAGS_MAX } from '../../domain/csv-tags';
import { ConflictError, ValidationError } from '../../domain/errors';
import { at, type FieldProblem, problem } from '../../domain/problems';
import { OWNED_TAGS_MAX } from '../../domain/tag-names';
import { tagsNamed } from './client-tags';
import { changeFields } from './field-definitions';

const PARTS = ['key', 'label', 'type', 'options'];

/** Definitions as a request has them. @throws ValidationError for what is none */
export function definitionsOf(given: readonly unknown[]): FieldDefinition[] {
  const errors: FieldProblem[] = [];
  const read = given.map((one, i): FieldDefinition => {
    const isObject = typeof one === 'object' && one !== null && !Array.isArray(one);
    if (!isObject) errors.push(...at(`createFields.${i}`, problem('wrong_type', { wanted: 'object' })));
    const parts = (isObject ? one : {}) as Record<string, unknown>;
    for (const name of Object.keys(parts))
      if (!PARTS.includes(name)) errors.push(...at(`createFields.${i}.${name.slice(0, 60)}`, problem('unknown_field')));
    const text = (name: string): string => {
      const value = parts[name] ?? '';
      if (typeof value === 'string') return value.trim();
      errors.push(...at(`createFields.${i}.${name}`, problem('wrong_type', { wanted: 'string' })));
      return '';
    };
    const options = parts.options ?? [];
    const isList = Array.isArray(options) && options.every((option) => typeof option === 'string');
    if (!isList) errors.push(...at(`createFields.${i}.options`, problem('wrong_type', { wanted: 'list' })));
    return {
      key: text('key'),
      label: text('label') || text('key'),
      type: text('type') as FieldType,
      options: isList ? options : [],
    };
  });
  if (errors.length > 0) throw new ValidationError(errors);
  return read;
}

/**
 * Checks fields that are to be made beside known ones. Those that are there already, of the same type, are left out: the
 * same request may come again.
 * @throws ValidationError
 */
export function checkNewFields(
  known: readonly FieldDefinition[],
  wanted: readonly FieldDefinition[],
): FieldDefinition[] {
  const errors: FieldProblem[] = [];
  const byKey = new Map(known.map((field) => [field.key.toLowerCase(), field]));
  const fresh: FieldDefinition[] = [];
  wanted.forEach((field, i) => {
    const there = byKey.get(field.key.toLowerCase());
    if (there && there.key === field.key && there.type === field.type) return;
    const found = there
      ? at('key', problem('field_key_taken', { key: field.key.slice(0, 60) }))
      : checkDefinition(field);
    errors.push(...found.map((e) => ({ ...e, field: `createFields.${i}.${e.field}` })));
    byKey.set(field.key.toLowerCase(), field);
    fresh.push(field);
  });
  if (errors.length === 0 && known.length + fresh.length > FIELDS_MAX)
    errors.push(...at('createFields', problem('too_many', { max: FIELDS_MAX, what: 'fields' })));
  if (errors.length > 0) throw new ValidationError(errors);
  return fresh;
}

/** @throws ValidationError if an archived field, or one made at the same time, has the key, or there would be too many */
export async function createFields(
  tx: Transaction,
  ownerId: number,
  fields: readonly FieldDefinition[],
): Promise<void> {
  if (fields.length === 0) return;
  const known = await changeFields(tx, ownerId);
  if (known.length + fields.length > FIELDS_MAX)
    throw new ValidationError(at('createFields', problem('too_many', { max: FIELDS_MAX, what: 'fields' })));
  for (const [i, { key, label, type, options }] of fields.entries()) {
    const made = await tx.affected(
      `INSERT INTO client_fields (owner_id, key, label, type, options, position)
       SELECT $1, $2, $3, $4, $5, coalesce(max(position) + 1, 0) FROM client_fields WHERE owner_id = $1
       ON CONFLICT (owner_id, lower(key)) DO NOTHING`,
      [ownerId, key, label, type, options],
    );
    if (made === 0) throw new ValidationError(at(`createFields.${i}.key`, problem('field_key_taken', { key })));
  }
}

/** @throws UnusableUpload if these names would be too many new tags, or more than an owner may have */
export async function checkNewTags(sql: Sql, ownerId: number, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const row = await sql.first<{ fresh: number; owned: number }>(
    `SELECT count(DISTINCT ${searched('n.name')}) AS fresh, (SELECT count(*) FROM tags WHERE owner_id = $1) AS owned
       FROM unnest($2::text[]) n (name)
      WHERE NOT EXISTS (SELECT FROM tags t WHERE t.owner_id = $1 AND ${searched('t.name')} = ${searched('n.name')})`,
    [ownerId, names],
  );
  const { fresh = 0, owned = 0 } = row ?? {};
  if (fresh > NEW_TAGS_MAX) throw new UnusableUpload(problem('too_many_new_tags', { max: NEW_TAGS_MAX }));
  if (fresh > 0 && owned + fresh > OWNED_TAGS_MAX) throw new UnusableUpload(tagsFull(fresh));
}

const tagsFull = (fresh: number) => problem('tags_full', { max: OWNED_TAGS_MAX, fresh });

/**
 * The ids of the owner's tags with these names, for each list of them in its order; those that are not there are made.
 * @throws UnusableUpload if others made so many meanwhile that there would be too many
 */
export async function tagsInOrder(
  tx: Transaction,
  ownerId: number,
  ...lists: readonly (readonly string[])[]
): Promise<number[][]> {
  const all = lists.flat();
  if (all.length === 0) return lists.map(() => []);
  try {
    await tagsNamed(tx, ownerId, all);
  } catch (error) {
    throw error instanceof ConflictError ? new UnusableUpload(tagsFull(all.length)) : error;
  }
  const rows = await tx.rows<{ id: number }>(
    `SELECT t.id FROM unnest($2::text[]) WITH ORDINALITY n (name, place)
       JOIN tags t ON t.owner_id = $1 AND ${searched('t.name')} = ${searched('n.name')} ORDER BY n.place`,
    [ownerId, all],
  );
  if (rows.length !== all.length) throw new Error('a tag is missing');
  const ids = rows.map(({ id }) => id);
  return lists.map(({ length }) => ids.splice(0, length));
}
