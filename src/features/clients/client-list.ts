import { within } from '../../database/bounded';
import type { Database, Sql } from '../../database/database';
import { literal, searched } from '../../database/search';
import { emailKey } from '../../domain/email-address';
import { ConflictError } from '../../domain/errors';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { reasonsOf, type SubscriptionStatus } from '../../domain/subscription';
import { GRAVEST_FIRST } from '../consent/suppression-sql';
import { type AskedSegment, isMember, readSegment } from './segment-members';

/** Which clients a list, an export or a bulk action is about; what is absent does not matter. */
export interface ClientFilter {
  search?: string;
  /** `all`: the comment and the fields of one's own are searched, too. No index helps there. */
  searchIn?: 'all';
  ownerId?: number;
  /** The name of a tag, or its id. */
  tag?: string;
  /** The tags that this name meant. */
  tagIds?: number[];
  subscription?: SubscriptionStatus;
  /** Those who belong to this segment as it is now, */
  segmentId?: number;
  /** or as it was. */
  segment?: AskedSegment;
}

/** What a list of clients can be narrowed by, as addresses, forms and bodies name it. */
export const CLIENT_FILTERS = ['search', 'searchIn', 'tag', 'subscription', 'segmentId'] as const;

/** Whether a filter narrows a list, and each of its parts does. */
export function asks(filter: ClientFilter): boolean {
  const named = CLIENT_FILTERS.filter((name) => filter[name] !== undefined);
  const isComplete = filter.searchIn === undefined || filter.search !== undefined;
  return isComplete && named.length > 0 && named.every((name) => String(filter[name]).trim() !== '');
}

/** SQL on the client `c` and the values of its parameters. */
export interface Listed {
  where: string;
  params: unknown[];
  /** For a list without further conditions: counts it by the counters that the database keeps. */
  count?: (sql: Sql) => Promise<number>;
}

/** Puts a value into the parameters. @returns its `$n` */
type Value = (value: unknown) => string;

/** A further filter is one entry here: the condition, or nothing if it is not asked for. */
const conditionsOf = (
  { search, searchIn, subscription }: ClientFilter,
  { tags, suppressed }: { tags: number[] | null; suppressed: string[] | null },
  value: Value,
): string[] => {
  const patterns = searchPatterns({ search });
  return [
    ...(patterns === null ? [] : [matches(clientMatches(`${value(patterns)}::text`), search, searchIn, value)]),
    ...(tags === null ? [] : [hasTag(tags, value)]),
    ...(subscription === undefined ? [] : [isSubscribed(subscription, suppressed, value)]),
  ];
};

/** @throws ValidationError for a segment that does not exist */
export async function listedClients(sql: Sql, viewer: Viewer, filter: ClientFilter): Promise<Listed> {
  const owners = [readableOwner(viewer), filter.ownerId ?? null];
  const params: unknown[] = [...owners];
  const tags = filter.tag === undefined ? (filter.tagIds ?? null) : await tagIds(sql, filter.tag, owners);
  const { subscription } = filter;
  const suppressed = subscription === undefined ? null : await fewSuppressed(sql, subscription, owners);
  const segment = filter.segmentId === undefined ? filter.segment : await readSegment(sql, viewer, filter.segmentId);
  const conditions = conditionsOf(filter, { tags, suppressed }, (value) => `$${params.push(value)}`);
  if (segment) conditions.push(isMember(segment, params));
  const where = ['($1::bigint IS NULL OR c.owner_id = $1)', '($2::bigint IS NULL OR c.owner_id = $2)', ...conditions];
  return {
    where: where.join(' AND '),
    params,
    ...(conditions.length === 0 && { count: (of) => countAll(of, owners) }),
    // Tags of one name are of different owners, so nobody has two of them.
    ...(conditions.length === 1 &&
      tags &&
      (tags.length === 1 || filter.tag !== undefined) && { count: (of) => countTagged(of, tags) }),
  };
}

/** How long a list may take whose clients no index finds. */
const LIST_MS = 5_000;
const TOO_SLOW = {
  SEGMENT_TOO_SLOW: 'It takes too long to find the clients of this segment.',
  SEARCH_TOO_SLOW:
    'It takes too long to search all comments and fields. Search names and addresses, or make a segment.',
};

/** Each statement is bounded in time. @throws ConflictError with this code */
export function inTime(database: Database, code: keyof typeof TOO_SLOW): Sql {
  const run = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const read = await within(database, LIST_MS, work);
    if (!read) throw new ConflictError(code, TOO_SLOW[code]);
    return read.value;
  };
  return {
    rows: (text, params) => run((sql) => sql.rows(text, params)),
    first: (text, params) => run((sql) => sql.first(text, params)),
    affected: (text, params) => run((sql) => sql.affected(text, params)),
  };
}

/** SQL: whether the client `c` (or called so) matches `searchPatterns`; the left side is the expression of the trigram index. */
export const clientMatches = (patterns: string, c = 'c'): string =>
  `${searched(`${c}.email || ' ' || ${c}.full_name`)} LIKE ANY (string_to_array(${searched(patterns)}, E'\\n'))`;

/**
 * The LIKE patterns of a search, one per line. A term is found anywhere; one of one or two characters only at the
 * beginning of a word, because the trigram index finds nothing shorter inside of words. An address is also searched for
 * in its stored form.
 */
export function searchPatterns({ search }: { search?: string | undefined }): string | null {
  const term = termOf(search);
  if (!term) return null;
  const patterns = term.length < 3 ? [`${literal(term)}%`, `% ${literal(term)}%`] : [`%${literal(term)}%`];
  const address = emailKey(term);
  if (address) patterns.push(`%${literal(address)}%`);
  return patterns.join('\n');
}

const termOf = (search = ''): string => search.trim().replaceAll('\n', ' ');

/** SQL: whether the client is found by name or address (`named`) or, if asked, by the comment or a field. */
function matches(named: string, search: string | undefined, searchIn: 'all' | undefined, value: Value): string {
  if (searchIn === undefined) return named;
  const term = termOf(search);
  const pattern = searched(`${value(`%${literal(term)}%`)}::text`);
  return `(${mayMatch(term, value)} AND (${named} OR ${searched('c.comment')} LIKE ${pattern}
    OR EXISTS (SELECT FROM jsonb_each_text(c.fields) f WHERE ${searched('f.value')} LIKE ${pattern})))`;
}

/**
 * SQL: a first condition, which all clients that match fulfil, and few others; it is four times as fast as the exact ones.
 * It looks at all texts of a client as one, of which the fields are JSON. Each letter I of the term is a wildcard,
 * because collations fold these letters differently.
 */
function mayMatch(term: string, value: Value): string {
  const terms = [term, JSON.stringify(term).slice(1, -1), emailKey(term) ?? term];
  const patterns = terms.map((each) => `%${literal(each).replace(/[iIİı]/g, '%')}%`).join('\n');
  const folded = (sql: string) => `lower((${sql}) COLLATE "default")`;
  return `${folded(`c.email || ' ' || c.full_name || ' ' || c.comment || ' ' || c.fields::text`)}
    LIKE ANY (string_to_array(${folded(`${value(patterns)}::text`)}, E'\\n'))`;
}

/** Of the owners: the tags with this name or, if there are none, the one with this id. */
export async function tagIds(sql: Sql, tag: string, owners: unknown[]): Promise<number[]> {
  const of = '($1::bigint IS NULL OR owner_id = $1) AND ($2::bigint IS NULL OR owner_id = $2)';
  const named = await sql.rows<{ id: number }>(
    `SELECT id FROM tags WHERE ${of} AND ${searched('name')} = ${searched('$3::text')}`,
    [...owners, tag.trim()],
  );
  if (named.length > 0 || !/^[1-9]\d{0,14}$/.test(tag)) return named.map(({ id }) => id);
  const one = await sql.rows<{ id: number }>(`SELECT id FROM tags WHERE ${of} AND id = $3`, [...owners, tag]);
  return one.map(({ id }) => id);
}

/** With one tag Postgres can walk its clients in id order, whether they are many or few. */
const hasTag = (ids: number[], value: Value): string =>
  `EXISTS (SELECT FROM client_tags ct WHERE ct.client_id = c.id AND ct.tag_id
     ${ids.length === 1 ? `= ${value(ids[0])}::bigint` : `= ANY(${value(ids)}::bigint[])`})`;

/** Suppressions of all mailings that are in force for the client `c`. */
const IN_FORCE = `suppressions s WHERE s.email_key = lower(c.email) AND s.lifted_at IS NULL AND s.mailing_id IS NULL
   AND (s.owner_id = c.owner_id OR s.owner_id IS NULL) AND (s.expires_at IS NULL OR s.expires_at > app_now())`;

const FEW = 2_000;

/**
 * The addresses that have one of these reasons, if they are few: then the list begins at them. Else enough of
 * them are found soon, and Postgres chooses; of few it would walk through all clients.
 */
async function fewSuppressed(sql: Sql, status: SubscriptionStatus, owners: unknown[]): Promise<string[] | null> {
  if (status === 'subscribed' || status === 'unconfirmed') return null;
  const rows = await sql.rows<{ emailKey: string }>(
    `SELECT s.email_key FROM suppressions s
      WHERE s.lifted_at IS NULL AND s.mailing_id IS NULL AND s.reason = ANY($3::text[]) AND s.email_key IS NOT NULL
        AND (s.owner_id IS NULL OR (($1::bigint IS NULL OR s.owner_id = $1) AND ($2::bigint IS NULL OR s.owner_id = $2)))
      LIMIT ${FEW + 1}`,
    [...owners, reasonsOf(status)],
  );
  return rows.length > FEW ? null : rows.map(({ emailKey }) => emailKey);
}

/** The same as `subscriptionOf` says of each. */
function isSubscribed(status: SubscriptionStatus, few: string[] | null, value: Value): string {
  if (status === 'unconfirmed') return 'c.unconfirmed_since IS NOT NULL';
  return `c.unconfirmed_since IS NULL AND ${isConfirmedAnd(status, few, value)}`;
}

function isConfirmedAnd(status: SubscriptionStatus, few: string[] | null, value: Value): string {
  if (status === 'subscribed') return `NOT EXISTS (SELECT FROM ${IN_FORCE})`;
  const gravest = `(SELECT s.reason FROM ${IN_FORCE} ORDER BY ${GRAVEST_FIRST} LIMIT 1)`;
  const reasons = `${value(reasonsOf(status))}::text[]`;
  // EXISTS, which follows from the other condition, lets Postgres choose where to begin.
  const begin =
    few === null
      ? `EXISTS (SELECT FROM ${IN_FORCE} AND s.reason = ANY(${reasons}))`
      : `lower(c.email) = ANY(${value(few)}::text[])`;
  return `${begin} AND ${gravest} = ANY(${reasons})`;
}

async function countAll(sql: Sql, owners: unknown[]): Promise<number> {
  const row = await sql.first<{ n: number }>(
    `SELECT coalesce(sum(clients), 0)::bigint AS n FROM client_totals
      WHERE owner_id <> 0 AND ($1::bigint IS NULL OR owner_id = $1) AND ($2::bigint IS NULL OR owner_id = $2)`,
    owners,
  );
  return row?.n ?? 0;
}

async function countTagged(sql: Sql, tags: number[]): Promise<number> {
  const row = await sql.first<{ n: number }>(
    'SELECT coalesce(sum(clients), 0)::bigint AS n FROM tags WHERE id = ANY($1::bigint[])',
    [tags],
  );
  return row?.n ?? 0;
}
