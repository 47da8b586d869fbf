import type { Sql } from '../../database/database';
import { searched } from '../../database/search';
import type { FieldDefinition } from '../../domain/client-fields';
import type { Use } from '../../domain/errors';
import { named, ownField, type SegmentFilter } from '../../domain/segment-filter';
import { type FilterContext, mentioned } from '../../domain/segment-filter-check';
import { fieldsOf } from './field-definitions';
import type { Used } from './uses';

/** How many names of tags a misspelt one is compared with. */
const SUGGESTED_FROM = 1_000;

/** What filters name, as people read it. */
export interface FilterNames {
  tags: ReadonlyMap<number, string>;
  mailings: ReadonlyMap<number, string>;
  fields: readonly FieldDefinition[];
}

/** What a filter that an owner gives may name. Names of tags are compared by the database, as searches are. */
export async function readContext(sql: Sql, ownerId: number, given: unknown): Promise<FilterContext> {
  const { tags, mailings } = mentioned(given);
  const known =
    tags.length === 0
      ? []
      : await sql.rows<{ asked: string; id: number }>(
          `SELECT a.name AS asked, t.id FROM unnest($2::text[]) AS a(name)
             JOIN tags t ON t.owner_id = $1 AND ${searched('t.name')} = ${searched('a.name')}`,
          [ownerId, tags],
        );
  const tagNames =
    known.length === tags.length
      ? []
      : await sql.rows<{ name: string }>(
          `SELECT name FROM tags WHERE owner_id = $1 ORDER BY id LIMIT ${SUGGESTED_FROM}`,
          [ownerId],
        );
  const found =
    mailings.length === 0
      ? []
      : await sql.rows<{ id: number }>('SELECT id FROM mailings WHERE owner_id = $1 AND id = ANY($2::bigint[])', [
          ownerId,
          mailings,
        ]);
  return {
    fields: await fieldsOf(sql, ownerId),
    tags: new Map(known.map(({ asked, id }) => [asked, id])),
    tagNames: tagNames.map(({ name }) => name),
    mailings: new Set(found.map(({ id }) => id)),
  };
}

/** The names of all that these stored filters of one owner name. */
export async function readNames(sql: Sql, ownerId: number, filters: readonly SegmentFilter[]): Promise<FilterNames> {
  const ids = filters.map(named);
  const [tags, mailings] = [ids.flatMap((each) => each.tags), ids.flatMap((each) => each.mailings)];
  const rows = await sql.rows<{ kind: 'tag' | 'mailing'; id: number; name: string }>(
    `SELECT 'tag' AS kind, id, name FROM tags WHERE owner_id = $1 AND id = ANY($2::bigint[])
      UNION ALL
     SELECT 'mailing', m.id, coalesce(nullif(m.name, ''), s.subject, '') FROM mailings m
       LEFT JOIN messages s ON s.id = m.message_id WHERE m.owner_id = $1 AND m.id = ANY($3::bigint[])`,
    [ownerId, tags, mailings],
  );
  const of = (kind: string) => new Map(rows.filter((row) => row.kind === kind).map(({ id, name }) => [id, name]));
  return { tags: of('tag'), mailings: of('mailing'), fields: await fieldsOf(sql, ownerId) };
}

/** SQL: whether a filter names the field $2 or the tag $3. */
const namesUsed = (filter: string): string =>
  `jsonb_path_exists(${filter}, '$.** ? (@.field == $field || (@.field == "tag" && @.value[*] == $tag))',
     jsonb_build_object('field', $2::text, 'tag', $3::bigint))`;

/**
 * What asks for this field or this tag: it can't be deleted as long as there is anything. Beside segments these are runs
 * under way and bulk actions, which keep the filter with which they began.
 */
export async function segmentsUsing(tx: Sql, ownerId: number, used: Used): Promise<Use[]> {
  const field = 'field' in used ? ownField(used.field) : null;
  return tx.rows<Use>(
    `(SELECT 'segment' AS kind, id, name FROM segments WHERE owner_id = $1 AND ${namesUsed('filter')} ORDER BY name)
     UNION ALL
     (SELECT 'run', id, coalesce(mailing_name, '') FROM runs
       WHERE owner_id = $1 AND status IN ('planning', 'sending')
         AND (${namesUsed('segment_filter')} OR ${namesUsed('exclude_filter')}) ORDER BY id)
     UNION ALL
     (SELECT 'job', id, '' FROM bulk_jobs
       WHERE owner_id = $1 AND status = 'running'
         AND ($3 = ANY(tag_ids) OR filter->'tagIds' @> to_jsonb($3::bigint) OR ${namesUsed(`filter #> '{segment,filter}'`)})
       ORDER BY id)`,
    [ownerId, field, 'tag' in used ? used.tag.id : null],
  );
}
