import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage } from '../../database/list';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { AttemptStatus } from '../../domain/states';
import type { Attempt } from './attempt.entity';

export type AttemptView = Omit<Attempt, 'workerId'> & {
  email: string;
  fullName: string | null;
  mailingName: string;
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

/**
 * By how much the order of ids and times may differ: attempts get their ids within their transaction, which takes far
 * less.
 */
const SLACK = `interval '1 hour'`;

/**
 * The list is in id order; this turns a time into a bound for ids, so that a page reads no rows outside of the range.
 */
const firstIdAt = (time: string) =>
  `coalesce((SELECT f.id FROM attempts f WHERE f.created_at >= ${time} ORDER BY f.created_at LIMIT 1),
    ${2n ** 63n - 1n})`;

@Injectable()
export class AttemptsService {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. The narrowest filter is written as a range and put first in the order, so that the page comes from
   * this filter's index. Otherwise Postgres might read all attempts backwards, because many are this owner's, only to
   * find that they are too old.
   */
  list(viewer: Viewer, query: AttemptQuery): Promise<Page<AttemptView>> {
    const params: unknown[] = [];
    const conditions: string[] = [];
    const where = (condition: (n: string) => string, value: unknown) => {
      if (value !== undefined && value !== null) conditions.push(condition(`$${params.push(value)}`));
    };
    const narrow: [string, number | null | undefined][] = [
      ['delivery_id', query.deliveryId],
      ['run_id', query.runId],
      ['mailing_id', query.mailingId],
      ['owner_id', query.ownerId],
      ['owner_id', readableOwner(viewer)],
    ];
    const way =
      query.clientId === undefined ? narrow.find(([, value]) => value !== null && value !== undefined)?.[0] : undefined;
    for (const [column, value] of narrow)
      where((n) => (column === way ? `a.${column} BETWEEN ${n} AND ${n}` : `a.${column} = ${n}`), value);
    // One client has few deliveries, so the search begins with their index.
    where((n) => `a.delivery_id IN (SELECT id FROM deliveries WHERE client_id = ${n})`, query.clientId);
    where((n) => `a.status = ${n}`, query.status);
    where((n) => `a.created_at >= ${n} AND a.id >= ${firstIdAt(`${n}::timestamptz - ${SLACK}`)}`, query.from);
    where((n) => `a.created_at < ${n} AND a.id <= ${firstIdAt(`${n}::timestamptz + ${SLACK}`)}`, query.to);
    return listPage<AttemptView>(
      this.database,
      {
        select: `a.id, a.owner_id, a.created_at, a.delivery_id, a.run_id, a.mailing_id, a.client_id,
          a.attempt_number, a.status, a.reason,
                     a.reply_code, a.enhanced_code, a.server_response, a.duration_ms, d.email, c.full_name,
                       m.name AS mailing_name`,
        from: `attempts a JOIN deliveries d ON d.id = a.delivery_id JOIN mailings m ON m.id = a.mailing_id
                LEFT JOIN clients c ON c.id = a.client_id`,
        where: conditions.length > 0 ? conditions.join(' AND ') : 'true',
        params,
        key: [{ expression: 'a.id', type: 'bigint' }],
        ...(way && { pinned: `a.${way}` }),
        descending: true,
      },
      query,
    );
  }
}
