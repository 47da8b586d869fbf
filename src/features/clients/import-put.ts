import type { Transaction } from '../../database/database';
import { VALUES_MAX_BYTES } from '../../domain/client-fields';
import { holdFields } from './field-definitions';
import type { StagedRow } from './import-layout';
import type { Import } from './import.entity';

export type Chunk = Pick<
  Import,
  'ownerId' | 'dryRun' | 'hasComment' | 'clearsName' | 'clearsFields' | 'fieldKeys' | 'mode' | 'layout'
> & {
  importId: number;
  firstLine: number;
  lastLine: number;
  /** Whether any row may have a tag. */
  tagged: boolean;
};

export interface Put {
  rows: number;
  added: number;
  firstId: number | null;
  lastId: number | null;
  skipped: number;
  /** Rows with which a client would have more values than one may have. */
  tooLong: StagedRow[] | null;
}

const page = (columns: string) =>
  `DELETE FROM import_rows WHERE import_id = $1 AND line BETWEEN $2 AND $3 AND NOT rejected
     RETURNING line, email, full_name, comment${columns}`;

/**
 * The owner's client with a row's address. Looked up by itself, whatever the statistics say about clients that have just
 * come: the owner's other indexes, or a sequential scan, would go through all clients for each line.
 */
const KNOWN = 'c.owner_id + 0 = $4 AND lower(c.email) = lower(n.email)';

/** SQL: whether these values together are longer than allowed, in the bytes of JSON without blanks. */
const tooLong = (values: string): string =>
  `CASE WHEN octet_length((${values})::text) <= ${VALUES_MAX_BYTES} THEN false
        ELSE octet_length((${values})::text) + 1
             - 2 * (SELECT count(*) FROM jsonb_object_keys(${values})) > ${VALUES_MAX_BYTES} END`;

/**
 * A chunk's rows are joined with what became of them. Postgres may take them for a few, and would compare each with each;
 * what is looked up in an index by itself is so all the same, because it can't be joined in another way.
 */
const PLANNED = 'SET LOCAL enable_seqscan = off; SET LOCAL enable_nestloop = off';
const PLANNED_FREELY = 'SET LOCAL enable_seqscan = on; SET LOCAL enable_nestloop = on';

/**
 * Brings a chunk into the clients. Ids are in the order of lines, but rows are inserted in the order of addresses, which
 * is that of the largest indexes: each of their pages is visited once. xmax = 0 distinguishes a row that was inserted
 * from an existing one that ON CONFLICT locked. Tags are put by the same statement, so that the locks that counting
 * clients and tags take, both at the end of the statement, are held as briefly as possible.
 */
export async function putChunk(tx: Transaction, chunk: Chunk): Promise<Put> {
  const { mode, tagged } = chunk;
  const hasFields = chunk.fieldKeys.length > 0;
  const planned = mode === 'update' || hasFields || tagged;
  if (planned) await tx.rows(PLANNED);
  const merged = (change: string) =>
    chunk.clearsFields ? `(c.fields - $7::text[]) || ${change}` : `c.fields || ${change}`;
  const columns = `${hasFields ? ', fields' : ''}${tagged ? ', tags' : ''}`;
  // No EXISTS, which may become a join with all clients.
  const known = `(SELECT true FROM clients c WHERE ${KNOWN} LIMIT 1) IS NOT NULL`;
  const sql = `WITH
     -- The chunk's staged rows, which are deleted.
     page AS (${page(columns)}),
     -- New ids in the order of lines.
     numbered AS MATERIALIZED (
       SELECT nextval((SELECT pg_get_serial_sequence('clients', 'id')::regclass)) AS id, n.*
         FROM (SELECT * FROM page ORDER BY line) n ${mode === 'update' ? `WHERE ${known}` : ''}),
     -- Clients inserted, or updated where something differs.
     put AS (
       INSERT INTO clients AS c (id, owner_id, email, full_name, comment, import_id${hasFields ? ', fields' : ''})
       OVERRIDING SYSTEM VALUE
       SELECT id, $4, email, full_name, comment, $1
              ${hasFields ? `, coalesce(${chunk.clearsFields ? 'jsonb_strip_nulls(fields)' : 'fields'}, '{}')` : ''}
         FROM numbered ORDER BY lower(email)
       ON CONFLICT (owner_id, lower(email)) ${mode === 'add' ? NAMED_AGAIN : onConflict(hasFields, merged('excluded.fields'))}
       RETURNING id, lower(email) AS key, xmax = 0 AS is_new)
     ${hasFields || tagged ? rest(hasFields, tagged, merged("coalesce(n.fields, '{}')")) : ''}
     ${tagged ? taggedBy(mode) : ''}
     SELECT (SELECT count(*) FROM page) AS rows, put.*,
            ${mode === 'add' ? '(SELECT count(*) FROM page) - put.added' : mode === 'update' ? '(SELECT count(*) FROM page) - (SELECT count(*) FROM numbered)' : '0'} AS skipped,
            ${hasFields && mode !== 'add' ? TOO_LONG_ROWS : 'NULL::json AS too_long'}
       FROM (SELECT count(*) AS added, min(id) AS first_id, max(id) AS last_id FROM put WHERE is_new) put`;
  // $5 to $7 are named in every variant, so that Postgres knows their types.
  const put = await tx.first<Put>(`${sql} WHERE ($5::boolean, $6::boolean, $7::text[]) IS NOT NULL`, [
    chunk.importId,
    chunk.firstLine,
    chunk.lastLine,
    chunk.ownerId,
    chunk.hasComment,
    chunk.clearsName,
    chunk.fieldKeys,
  ]);
  if (planned) await tx.rows(PLANNED_FREELY);
  if (!put) throw new Error('an aggregate returned no row');
  return put;
}

/**
 * The client belongs to a later file, too: undoing the import that added it must not delete it. And the owner vouches for
 * an address that only a stranger had entered in a form.
 */
const VOUCHED = 'import_id = NULL, unconfirmed_since = NULL';
const NOT_VOUCHED = '(c.import_id IS NOT NULL OR c.unconfirmed_since IS NOT NULL)';
const NAMED_AGAIN = `DO UPDATE SET ${VOUCHED} WHERE ${NOT_VOUCHED}`;

const onConflict = (hasFields: boolean, merged: string): string => {
  const name = `CASE WHEN $6 OR excluded.full_name <> '' THEN excluded.full_name ELSE c.full_name END`;
  const comment = `CASE WHEN $5 OR excluded.comment <> '' THEN excluded.comment ELSE c.comment END`;
  const differs = `c.full_name <> ${name} OR c.comment <> ${comment}`;
  const set = (changed: string) =>
    `DO UPDATE SET full_name = ${name}, comment = ${comment}${hasFields ? `, fields = ${merged}` : ''}, ${VOUCHED},
       updated_at = CASE WHEN ${changed} THEN app_now() ELSE c.updated_at END
       WHERE (${changed} OR ${NOT_VOUCHED})`;
  return hasFields ? `${set(`${differs} OR c.fields <> ${merged}`)} AND NOT ${tooLong(merged)}` : set(differs);
};

/** Known clients that were not changed: nothing differs, or their values would be too long. */
const rest = (hasFields: boolean, tagged: boolean, merged: string): string => `,
     rest AS MATERIALIZED (
       SELECT n.line, k.id, k.too_long FROM numbered n LEFT JOIN put ON put.key = lower(n.email),
              LATERAL (SELECT c.id, ${hasFields ? tooLong(merged) : 'false'} AS too_long FROM clients c
                        WHERE ${KNOWN} OFFSET 0) k
        WHERE put.id IS NULL${tagged ? '' : ' AND n.fields IS NOT NULL'})`;

/**
 * Of known clients only those that are not left alone. A tag that was deleted meanwhile, or merged into another, is not
 * given: there is nothing left that it could mean.
 */
const taggedBy = (mode: Chunk['mode']): string => `,
     living AS MATERIALIZED (
       SELECT t.id FROM imports i JOIN tags t ON t.owner_id = $4 AND t.id = ANY(i.all_tags || i.row_tags) WHERE i.id = $1),
     tagged AS (
       INSERT INTO client_tags (tag_id, client_id)
       SELECT DISTINCT t.id, r.id FROM imports i,
              (SELECT put.id, n.tags FROM put JOIN numbered n ON lower(n.email) = put.key
               ${mode === 'add' ? 'WHERE put.is_new' : 'UNION ALL SELECT rest.id, n.tags FROM rest JOIN numbered n USING (line) WHERE NOT rest.too_long'}) r,
              LATERAL (SELECT unnest(i.all_tags) UNION SELECT i.row_tags[tag] FROM unnest(r.tags) tag) t (id)
        WHERE i.id = $1 AND t.id IN (SELECT id FROM living) ORDER BY 1, 2
       ON CONFLICT DO NOTHING)`;

const TOO_LONG_ROWS = `(SELECT json_agg(json_build_object('line', n.line, 'email', n.email, 'fullName', n.full_name,
                                  'comment', n.comment, 'fields', n.fields))
               FROM rest JOIN numbered n USING (line) WHERE rest.too_long) AS too_long`;

/**
 * Leaves out of a chunk's staged rows what the owner's fields do not allow any more: values of fields that were deleted
 * since the file was read, or are of another type now, and options that were taken away. The rest of the row is good.
 * The fields stay as they are until the transaction ends.
 * @returns the fields that are left
 */
export async function stillValidKeys(tx: Transaction, chunk: Chunk): Promise<string[]> {
  const { fieldKeys, layout } = chunk;
  if (fieldKeys.length === 0) return [];
  const known = new Map((await holdFields(tx, chunk.ownerId)).map((field) => [field.key, field]));
  const kept = fieldKeys.filter((key) => {
    const field = known.get(key);
    return field !== undefined && field.type === layout?.types[key];
  });
  const rows = 'import_id = $1 AND line BETWEEN $2 AND $3';
  const place = [chunk.importId, chunk.firstLine, chunk.lastLine];
  const gone = fieldKeys.filter((key) => !kept.includes(key));
  if (gone.length > 0)
    await tx.affected(`UPDATE import_rows SET fields = fields - $4::text[] WHERE ${rows} AND fields ?| $4::text[]`, [
      ...place,
      gone,
    ]);
  for (const key of kept) {
    const { type, options } = known.get(key)!;
    if (type === 'choice')
      await tx.affected(
        `UPDATE import_rows SET fields = fields - $4::text WHERE ${rows} AND fields ->> $4::text <> ALL($5::text[])`,
        [...place, key, options],
      );
  }
  return kept;
}

/** What a dry run would do. */
export async function countChunk(
  tx: Transaction,
  { importId, firstLine, lastLine, ownerId, mode }: Chunk,
): Promise<Put> {
  await tx.rows('SET LOCAL enable_seqscan = off');
  const found = await tx.first<{ rows: number; fresh: number }>(
    `WITH page AS (${page('')})
     SELECT count(*) AS rows,
            count(*) FILTER (WHERE NOT EXISTS (SELECT FROM clients c WHERE ${KNOWN})) AS fresh FROM page n`,
    [importId, firstLine, lastLine, ownerId],
  );
  const { rows = 0, fresh = 0 } = found ?? {};
  const none = { firstId: null, lastId: null, tooLong: null };
  if (mode === 'add') return { rows, added: fresh, skipped: rows - fresh, ...none };
  return { rows, added: mode === 'update' ? 0 : fresh, skipped: mode === 'update' ? fresh : 0, ...none };
}
