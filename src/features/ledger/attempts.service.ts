import { Injectable } from '@nestjs/common';
import { Database, type Sql } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import type { TriedAttempt } from '../../domain/attempt-fate';
import { decodeCursor, type Page, type PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { AttemptStatus } from '../../domain/states';
import type { Attempt } from './attempt.entity';
import { LedgerFilter, MAILING_NAME } from './ledger-filter';

export type AttemptView = Omit<Attempt, 'workerId'> &
  TriedAttempt & {
    email: string;
    fullName: string | null;
    mailingName: string;
    /** When its delivery will be tried again; null if it will not, or at once. */
    nextAttemptAt: Date | null;
  };

export interface AttemptQuery extends PageRequest {
  mailingId?: number;
  runId?: number;
  clientId?: number;
  deliveryId?: number;
  ownerId?: number;
  status?: AttemptStatus;
  from?: Date;
  to?: Date;
}

/** What pages ask for besides. */
export interface AttemptSearch extends AttemptQuery {
  /** Only of one of these, which are few: the newest of each are read. */
  among?: { column: 'mailing_id' | 'run_id'; ids: number[] };
  /** Only to these clients, which are few. */
  clientIds?: number[];
  /** Only the last attempts of deliveries that ended as failed; `from` and `to` are then about when they ended so. */
  final?: boolean;
  /** Further conditions on the attempt `t`, whose values get their `$n` from the function. */
  conditions?: ((value: (given: unknown) => string) => string)[];
}

const VIEW = {
  select: `t.id, t.owner_id, t.created_at, t.delivery_id, t.run_id, t.mailing_id, t.client_id, t.attempt_number,
    t.status, t.reason, t.reply_code, t.enhanced_code, t.server_response, t.duration_ms, d.email, c.full_name,
    ${MAILING_NAME} AS mailing_name, d.status AS delivery_status, d.attempts AS delivery_attempts, d.next_attempt_at`,
  from: (attempts: string) => `${attempts} t JOIN deliveries d ON d.id = t.delivery_id
    JOIN mailings m ON m.id = t.mailing_id LEFT JOIN clients c ON c.id = t.client_id`,
};

/** SQL: the attempt `t` is the last one of a delivery that ended as failed between these. */
const isFinal = (from: string, to: string) => `t.status = 'failed' AND EXISTS (SELECT FROM deliveries e
  WHERE e.id = t.delivery_id AND e.status = 'failed' AND e.attempts = t.attempt_number
    AND (${from}::timestamptz IS NULL OR e.updated_at >= ${from}) AND (${to}::timestamptz IS NULL OR e.updated_at < ${to}))`;

@Injectable()
export class AttemptsService {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. The narrowest filter is written as a range and put first in the order, so that the page comes from
   * this filter's index. Otherwise Postgres might read all attempts backwards, because many are this owner's, only to
   * find that they are too old.
   */
  list(viewer: Viewer, query: AttemptSearch, sql: Sql = this.database): Promise<Page<AttemptView>> {
    const filter = new LedgerFilter('attempts');
    const narrow: [string, number | null | undefined][] = [
      ['delivery_id', query.deliveryId],
      ['run_id', query.runId],
      ['mailing_id', query.mailingId],
      ['owner_id', query.ownerId],
      ['owner_id', readableOwner(viewer)],
    ];
    const { among, clientIds = query.clientId === undefined ? undefined : [query.clientId] } = query;
    const way =
      clientIds === undefined && among === undefined
        ? narrow.find(([, value]) => value !== null && value !== undefined)?.[0]
        : undefined;
    for (const [column, value] of narrow)
      filter.where((n) => (column === way ? `t.${column} BETWEEN ${n} AND ${n}` : `t.${column} = ${n}`), value);
    // Few clients have few deliveries, so the search begins with their index.
    filter.where(
      (n) => `t.delivery_id IN (SELECT id FROM deliveries WHERE client_id = ANY(${n}::bigint[]))`,
      clientIds,
    );
    filter.where((n) => `t.status = ${n}`, query.status);
    const value = (given: unknown) => `$${filter.params.push(given)}`;
    if (query.final) filter.and(isFinal(value(query.from ?? null), value(query.to ?? null)));
    else filter.between(query.from, query.to);
    for (const condition of query.conditions ?? []) filter.and(condition(value));
    if (among && clientIds !== undefined) filter.where((n) => `t.${among.column} = ANY(${n}::bigint[])`, among.ids);
    const ofEach = among && clientIds === undefined && newestOfEach(among, query, filter.sql, value);
    return listPage<AttemptView>(
      sql,
      {
        select: VIEW.select,
        from: VIEW.from(ofEach || 'attempts'),
        where: ofEach ? 'true' : filter.sql,
        params: filter.params,
        ...newestFirst('t.id'),
        ...(way && { pinned: [`t.${way}`] }),
      },
      query,
    );
  }

  /** Those of these that the viewer may read, by id. */
  async some(viewer: Viewer, ids: number[]): Promise<Map<number, AttemptView>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.rows<AttemptView>(
      `SELECT ${VIEW.select} FROM ${VIEW.from('attempts')}
        WHERE t.id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR t.owner_id = $2)`,
      [ids, readableOwner(viewer)],
    );
    return new Map(rows.map((attempt) => [attempt.id, attempt]));
  }
}

/**
 * SQL: of each of these mailings or runs as many of the newest attempts as a page needs. Otherwise Postgres would read
 * all of them to sort them, or all of the owner's to find these.
 */
function newestOfEach(
  { column, ids }: NonNullable<AttemptSearch['among']>,
  { cursor, limit }: PageRequest,
  where: string,
  value: (given: unknown) => string,
): string {
  // A cursor that is not one is refused by the list before anything is read.
  const after = cursor === undefined ? undefined : decodeCursor(cursor, 1)?.[0];
  return `(SELECT o.* FROM unnest(${value(ids)}::bigint[]) w (id), LATERAL (
      SELECT t.* FROM attempts t WHERE t.${column} BETWEEN w.id AND w.id AND ${where}
        ${after === undefined ? '' : `AND t.id < ${value(after)}::text::bigint`}
       ORDER BY t.${column} DESC, t.id DESC LIMIT ${limit + 1}) o)`;
}
