import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { AttemptStatus } from '../../domain/states';
import type { Attempt } from './attempt.entity';
import { LedgerFilter } from './ledger-filter';

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

@Injectable()
export class AttemptsService {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. The narrowest filter is written as a range and put first in the order, so that the page comes from
   * this filter's index. Otherwise Postgres might read all attempts backwards, because many are this owner's, only to
   * find that they are too old.
   */
  list(viewer: Viewer, query: AttemptQuery): Promise<Page<AttemptView>> {
    const filter = new LedgerFilter('attempts');
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
      filter.where((n) => (column === way ? `t.${column} BETWEEN ${n} AND ${n}` : `t.${column} = ${n}`), value);
    // One client has few deliveries, so the search begins with their index.
    filter.where((n) => `t.delivery_id IN (SELECT id FROM deliveries WHERE client_id = ${n})`, query.clientId);
    filter.where((n) => `t.status = ${n}`, query.status);
    filter.between(query.from, query.to);
    return listPage<AttemptView>(
      this.database,
      {
        select: `t.id, t.owner_id, t.created_at, t.delivery_id, t.run_id, t.mailing_id, t.client_id, t.attempt_number,
          t.status, t.reason, t.reply_code, t.enhanced_code, t.server_response, t.duration_ms, d.email, c.full_name,
          coalesce(r.mailing_name, m.name) AS mailing_name`,
        from: `attempts t JOIN deliveries d ON d.id = t.delivery_id JOIN mailings m ON m.id = t.mailing_id
                JOIN runs r ON r.id = t.run_id
                LEFT JOIN clients c ON c.id = t.client_id`,
        where: filter.sql,
        params: filter.params,
        ...newestFirst('t.id'),
        ...(way && { pinned: [`t.${way}`] }),
      },
      query,
    );
  }
}
