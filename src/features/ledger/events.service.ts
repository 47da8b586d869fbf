import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { DeliveryEvent } from '../../domain/suppression';
import { LedgerFilter, MAILING_NAME, type Pinned } from './ledger-filter';

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

/** SQL: the kinds of events of the delivery `d`, in the order in which they became known. */
export const EVENTS_OF_DELIVERY = `ARRAY(
  SELECT e.kind FROM delivery_events e WHERE e.delivery_id = d.id GROUP BY e.kind ORDER BY min(e.id))`;

@Injectable()
export class EventsService {
  constructor(private readonly database: Database) {}

  /**
   * Newest first. Each filter has an index in which the id follows it. The narrowest is written as a range and heads the
   * order, which no other index has: left to itself, Postgres might read all events backwards.
   */
  list(viewer: Viewer, query: EventQuery): Promise<Page<EventView>> {
    const scopes = given([
      ['client_id', query.clientId],
      ['run_id', query.runId],
      ['mailing_id', query.mailingId],
      ['owner_id', query.ownerId],
      ['owner_id', readableOwner(viewer)],
    ]);
    const [narrowest] = scopes;
    const kind = given([['kind', query.kind]]);
    // One client and one run have few events of other kinds; a mailing and an owner have an index by kind.
    const isOfFew = narrowest?.[0] === 'client_id' || narrowest?.[0] === 'run_id';
    const pinned = [...scopes.slice(0, 1), ...(isOfFew ? [] : kind)];
    const filter = new LedgerFilter('delivery_events');
    filter.pin(pinned);
    for (const [column, value] of [...scopes, ...kind])
      if (!pinned.some((pin) => pin[0] === column && pin[1] === value))
        filter.where((n) => `t.${column} = ${n}`, value);
    filter.between(query.from, query.to);
    return this.page(
      filter,
      query,
      pinned.map(([column]) => `t.${column}`),
    );
  }

  /** All events of one delivery, newest first. @throws NotFoundError */
  async ofDelivery(viewer: Viewer, deliveryId: number, page: PageRequest): Promise<Page<EventView>> {
    const delivery = await this.database.first(
      `SELECT d.id FROM deliveries d JOIN runs r ON r.id = d.run_id
        WHERE d.id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)`,
      [deliveryId, readableOwner(viewer)],
    );
    if (!delivery) throw new NotFoundError('Delivery', deliveryId);
    const filter = new LedgerFilter('delivery_events');
    filter.where((n) => `t.delivery_id = ${n}`, deliveryId);
    return this.page(filter, page);
  }

  private page(filter: LedgerFilter, page: PageRequest, pinned: string[] = []): Promise<Page<EventView>> {
    return listPage<EventView>(
      this.database,
      {
        select: `t.id, t.created_at, t.delivery_id, t.run_id, t.mailing_id, ${MAILING_NAME} AS mailing_name, t.client_id,
          t.owner_id, d.email, t.kind, t.source, t.enhanced_code, t.reply, t.reason`,
        from: 'delivery_events t JOIN deliveries d ON d.id = t.delivery_id JOIN mailings m ON m.id = t.mailing_id',
        where: filter.sql,
        params: filter.params,
        ...newestFirst('t.id'),
        pinned,
      },
      page,
    );
  }
}

/** Those columns for which there is a value. */
const given = (filters: [column: string, value: number | string | null | undefined][]): Pinned[] =>
  filters.filter((filter): filter is Pinned => filter[1] !== null && filter[1] !== undefined);
