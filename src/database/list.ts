import { invalid } from '../domain/errors';
import { problem } from '../domain/problems';
import { parseInstant } from '../domain/schedule-input';
import { decodeCursor, encodeCursor, type Page, type PageRequest } from '../domain/paging';
import type { Sql } from './database';

/** The SELECT and FROM parts that a list and the query for a single object share. */
export interface View {
  select: string;
  from: string;
}

export const viewWhere = ({ select, from }: View, where: string): string =>
  `SELECT ${select} FROM ${from} WHERE ${where}`;

/** The order of most lists: by id, newest first. */
export const newestFirst = (id: string) => ({ key: [{ expression: id, type: 'bigint' as const }], descending: true });

/** A keyset-paged list over one SELECT. The key's expressions must be unique together and end in the id. */
export interface ListQuery extends View {
  /** Conditions with no OR outside of parentheses. */
  where: string;
  /** The values of `$1` and so on in the parts. */
  params: unknown[];
  /** SQL expressions of the key with the type a cursor's value is cast to, most significant first. */
  key: { expression: string; type: 'bigint' | 'text' | 'timestamptz' }[];
  /**
   * Expressions that are the same for all rows. They head the order, so that the page comes from the index that begins
   * with them, and stay out of the cursor: Postgres estimates a comparison of rows by its first part alone.
   */
  pinned?: readonly string[];
  descending: boolean;
  /** For `withTotal`; counts the rows if absent. */
  total?: (sql: Sql) => Promise<number>;
}

/** The texts that a cursor may contain: it comes from the caller, who can write anything. */
const CURSOR_VALUE = {
  bigint: (text: string) => /^-?\d{1,18}$/.test(text),
  text: (text: string) => !text.includes('\0'),
  timestamptz: (text: string) => parseInstant(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')) instanceof Date,
};

/**
 * Runs one page of a list. Rows have their key as `pageKey`, which is removed before they are returned.
 * @throws ValidationError for a cursor that is not one
 */
export async function listPage<T>(sql: Sql, query: ListQuery, page: PageRequest): Promise<Page<T>> {
  const { select, from, where, key, pinned = [], params, descending } = query;
  const all = [...params];
  let after = '';
  if (page.cursor !== undefined) {
    const values = decodeCursor(page.cursor, key.length);
    if (!values?.every((value, i) => CURSOR_VALUE[key[i]?.type ?? 'text'](String(value))))
      throw invalid('cursor', problem('cursor'));
    const row = values.map((value, i) => `$${all.push(value)}::text::${key[i]?.type}`);
    after = ` AND (${key.map((k) => k.expression).join(', ')}) ${descending ? '<' : '>'} (${row.join(', ')})`;
  }
  const order = [...pinned, ...key.map((k) => k.expression)]
    .map((expression) => `${expression} ${descending ? 'DESC' : 'ASC'}`)
    .join(', ');
  const pageKey = `ARRAY[${key.map((k) => `(${k.expression})::text`).join(', ')}] AS page_key`;
  const rows = await sql.rows<T & { pageKey: string[] }>(
    `SELECT ${pageKey}, ${select} FROM ${from} WHERE ${where}${after} ORDER BY ${order} LIMIT ${page.limit + 1}`,
    all,
  );
  const more = rows.length > page.limit;
  const shown = more ? rows.slice(0, page.limit) : rows;
  const last = shown.at(-1);
  const nextCursor = more && last ? encodeCursor(last.pageKey) : null;
  const items = shown.map(({ pageKey: _pageKey, ...row }) => row as T);
  if (!page.withTotal) return { items, nextCursor };
  const total = query.total
    ? await query.total(sql)
    : ((await sql.first<{ n: number }>(`SELECT count(*) AS n FROM ${from} WHERE ${where}`, params))?.n ?? 0);
  return { items, nextCursor, total };
}
