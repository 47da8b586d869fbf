import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { type DeliveryEvent, deliveryEvents } from '../../domain/suppression';
import { LedgerFilter } from './ledger-filter';

/** What became known about a delivery after it was sent. */
export interface EventView {
  id: number;
  createdAt: Date;
  deliveryId: number;
  runId: number;
  mailingId: number;
  mailingName: string;
  clientId: number;
  ownerId: number;
  /** The address that the letter went to. */
  email: string;
  kind: DeliveryEvent;
  source: string;
  enhancedCode: string | null;
  /** What was said, as it came. */
  reply: string | null;
  reason: string | null;
}

export interface EventQuery extends PageRequest {
  kind?: DeliveryEvent;
  runId?: number;
  mailingId?: number;
  clientId?: number;
  ownerId?: number;
  from?: Date;
  to?: Date;
}

/** SQL: every kind, so that an index in which the kind stands before the delivery can be used. */
const ANY_KIND = `ANY ('{${deliveryEvents.join(',')}}')`;

/** SQL: the kinds of events of the delivery `d`, in the order in which they became known. */
export const EVENTS_OF_DELIVERY = `ARRAY(SELECT e.kind FROM delivery_events e
  WHERE e.run_id = d.run_id AND e.kind = ${ANY_KIND} AND e.delivery_id = d.id GROUP BY e.kind ORDER BY min(e.id))`;

@Injectable()
export class EventsService {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. Each filter has an index in which the id follows it. One of the filters is written as a range and
   * heads the order, for no other index has that order: left to itself, Postgres might read all events backwards.
   */
  list(viewer: Viewer, query: EventQuery): Promise<Page<EventView>> {
    const { kind } = query;
    const owner = readableOwner(viewer);
    const scopes: [string, number | null | undefined][] = [
      ['client_id', query.clientId],
      ['run_id', query.runId],
      ['mailing_id', query.mailingId],
      ['owner_id', query.ownerId],
      ['owner_id', owner],
    ];
    const narrowest = scopes.find(([, value]) => value !== null && value !== undefined)?.[0];
    // One client and one run have few events of other kinds; a mailing and an owner have an index by kind.
    const isOfFew = narrowest === 'client_id' || narrowest === 'run_id';
    const way = kind !== undefined && !isOfFew ? 'kind' : narrowest;
    const filter = new LedgerFilter('delivery_events');
    for (const [column, value] of [...scopes, ['kind', kind] as const])
      filter.where((n) => (column === way ? `t.${column} BETWEEN ${n} AND ${n}` : `t.${column} = ${n}`), value);
    filter.between(query.from, query.to);
    return this.page(filter, query, way);
  }

  /** All events of one delivery, newest first. @throws NotFoundError */
  async ofDelivery(viewer: Viewer, deliveryId: number, page: PageRequest): Promise<Page<EventView>> {
    const delivery = await this.database.first<{ runId: number }>(
      `SELECT d.run_id FROM deliveries d JOIN runs r ON r.id = d.run_id
        WHERE d.id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)`,
      [deliveryId, readableOwner(viewer)],
    );
    if (!delivery) throw new NotFoundError('Delivery', deliveryId);
    const filter = new LedgerFilter('delivery_events');
    filter.where((n) => `t.run_id = ${n} AND t.kind = ${ANY_KIND}`, delivery.runId);
    filter.where((n) => `t.delivery_id = ${n}`, deliveryId);
    return this.page(filter, page);
  }

  private page(filter: LedgerFilter, page: PageRequest, way?: string): Promise<Page<EventView>> {
    return listPage<EventView>(
      this.database,
      {
        select: `t.id, t.created_at, t.delivery_id, t.run_id, t.mailing_id, m.name AS mailing_name, t.client_id,
          t.owner_id, d.email, t.kind, t.source, t.enhanced_code, t.reply, t.reason`,
        from: `delivery_events t JOIN deliveries d ON d.id = t.delivery_id JOIN mailings m ON m.id = t.mailing_id`,
        where: filter.sql,
        params: filter.params,
        ...newestFirst('t.id'),
        ...(way && { pinned: `t.${way}` }),
      },
      page,
    );
  }
}
