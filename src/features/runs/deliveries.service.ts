import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import { listPage, viewWhere } from '../../database/list';
import { emailKey } from '../../domain/email-address';
import { ConflictError, NotFoundError } from '../../domain/errors';
import { emailDomain } from '../../domain/email-address';
import { parseMailbox } from '../../domain/mailbox';
import { letterDigest, messageIdOf } from '../../domain/message-id';
import { decodeCursor, type Page, type PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import type { DeliveryStatus } from '../../domain/states';
import type { DeliveryEvent } from '../../domain/suppression';
import { FeedState } from '../../queue/feed-state';
import { audit } from '../audit/audit';
import { searchPatterns } from '../clients/client-list';
import { markSent, resend } from '../ledger/moves';
import {
  COUNT_WITH_EVENT,
  DELIVERY_VIEW,
  type DeliveryRow,
  type DeliveryView,
  EVENT_PAGE,
  FOUND,
  pageOf,
  viewOf,
} from './delivery-view';
import { reopenRun } from './run-moves';
import { closeSome } from './runs.service';
import { haveItElsewhere, lockSending, RUN_RESENDING, resendingRun } from './sending-tree';

export type { DeliveryView } from './delivery-view';

export interface DeliveryQuery extends PageRequest {
  status?: DeliveryStatus;
  /** Only those about which this became known. */
  event?: DeliveryEvent;
  search?: string;
}

@Injectable()
export class DeliveriesService {
  constructor(
    private readonly database: Database,
    private readonly feed: FeedState,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /**
   * Who got the letter in this run, who did not, and why. A search looks in a client's address and name.
   * @throws NotFoundError
   */
  async listOfRun(viewer: Viewer, runId: number, query: DeliveryQuery): Promise<Page<DeliveryView>> {
    const { ownerId } = await this.requireRun(viewer, runId);
    const { status = null, event = null, search = '' } = query;
    const patterns = searchPatterns(query);
    const after = decodeCursor(query.cursor ?? '', 1)?.[0] ?? 0;
    const page = [runId, after, query.limit + 1];
    const source = patterns
      ? { ...viewOf(FOUND), params: [...page, status, patterns, ownerId, emailKey(search), event] }
      : event
        ? { ...viewOf(EVENT_PAGE), params: [...page, event, status] }
        : { ...viewOf(pageOf(query.status)), params: page };
    const found = await listPage<DeliveryRow>(
      this.database,
      {
        ...source,
        where: 'true',
        key: [{ expression: patterns ? 'd.client_id' : 'd.id', type: 'bigint' }],
        descending: false,
        total: () => this.count(runId, query),
      },
      query,
    );
    return this.shown(found);
  }

  /** Those of these that the viewer may read, by id. */
  async some(viewer: Viewer, ids: number[]): Promise<Map<number, DeliveryView>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.rows<DeliveryRow>(
      viewWhere(DELIVERY_VIEW, 'd.id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR r.owner_id = $2)'),
      [ids, readableOwner(viewer)],
    );
    return new Map(rows.map((delivery) => [delivery.id, this.withMessageId(delivery)]));
  }

  /** Everything that one client got or did not get, newest first. */
  async listOfClient(viewer: Viewer, clientId: number, page: PageRequest): Promise<Page<DeliveryView>> {
    const found = await listPage<DeliveryRow>(
      this.database,
      {
        ...DELIVERY_VIEW,
        where: `d.client_id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)`,
        params: [clientId, readableOwner(viewer)],
        key: [{ expression: 'd.run_id', type: 'bigint' }],
        descending: true,
      },
      page,
    );
    return this.shown(found);
  }

  /**
   * Sends an `unknown` delivery once more, by hand; a run that is done sends again for it.
   * @throws ConflictError OWNER_BLOCKED; DELIVERY_REPEATED if the client has the letter by another run of the same
   * sending, or may still get it by one; RUN_RESENDING while it is not known yet to whom such a run goes; RUN_CLOSING while
   * not everything of a run that was finished or has ended is closed
   */
  async resend(viewer: Viewer, id: number): Promise<DeliveryView> {
    const runId = await this.database.transaction(async (tx) => {
      const owner = await tx.first<{ status: string }>(
        `SELECT u.status FROM deliveries d JOIN runs r ON r.id = d.run_id JOIN users u ON u.id = r.owner_id
          WHERE d.id = $1 FOR SHARE OF u`,
        [id],
      );
      await lockSendingOf(tx, viewer, id);
      const delivery = await lockUnknown(tx, viewer, id);
      if (owner?.status !== 'active') throw new ConflictError('OWNER_BLOCKED', 'The owner of this mailing is blocked.');
      await requireNotElsewhere(tx, delivery.runId, id);
      await requireClosed(tx, delivery.runId);
      await reopenRun(tx, delivery.runId, false);
      await resend(tx, id);
      await audit(tx, viewer, 'delivery.resend', { type: 'delivery', id });
      return delivery.runId;
    });
    await this.feed.refeed([runId]).catch((error: unknown) => {
      this.logger.warn(
        { event: 'queue.unavailable', reason: (error as Error).message },
        'Redis is away; the sweeper will continue this',
      );
    });
    return this.get(viewer, id);
  }

  /** Those of these deliveries of a run that are not sent again by hand: their clients have the letter, or may get it. */
  elsewhere(runId: number, deliveries: readonly DeliveryView[]): Promise<Set<number>> {
    const unknown = deliveries.filter(({ status }) => status === 'unknown');
    return haveItElsewhere(
      this.database,
      runId,
      unknown.map(({ id }) => id),
    );
  }

  /** Marks an `unknown` delivery as sent, by hand; `markedBy` is the user. */
  async markSent(viewer: Viewer, id: number): Promise<DeliveryView> {
    await this.database.transaction(async (tx) => {
      await lockUnknown(tx, viewer, id);
      await markSent(tx, id, viewer.userId);
      await audit(tx, viewer, 'delivery.mark_sent', { type: 'delivery', id });
    });
    return this.get(viewer, id);
  }

  private async get(viewer: Viewer, id: number): Promise<DeliveryView> {
    const delivery = await this.database.first<DeliveryRow>(
      viewWhere(DELIVERY_VIEW, 'd.id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)'),
      [id, readableOwner(viewer)],
    );
    if (!delivery) throw new NotFoundError('Delivery', id);
    return this.withMessageId(delivery);
  }

  private shown(page: Page<DeliveryRow>): Page<DeliveryView> {
    return { ...page, items: page.items.map((delivery) => this.withMessageId(delivery)) };
  }

  private withMessageId({ runKey, sender, ...delivery }: DeliveryRow): DeliveryView {
    const { runId, clientId, id: deliveryId } = delivery;
    const digest = letterDigest({ runKey, runId, clientId, deliveryId }, this.config.secretKey);
    const from = parseMailbox(sender ?? this.config.mailFrom);
    return { ...delivery, messageIdHeader: messageIdOf(digest, emailDomain(from?.address ?? '')) };
  }

  /** How many the run has, whatever is searched for: from its counters, or of those with an event. */
  private async count(runId: number, { status, event }: DeliveryQuery): Promise<number> {
    const column = status ?? 'pending + sending + deferred + sent + failed + unknown + skipped + cancelled';
    const row = event
      ? await this.database.first<{ n: number }>(COUNT_WITH_EVENT, [runId, event, status ?? null])
      : await this.database.first<{ n: number }>(
          `SELECT coalesce(sum(${column}), 0)::bigint AS n FROM run_counts WHERE run_id = $1`,
          [runId],
        );
    return row?.n ?? 0;
  }

  private async requireRun(viewer: Viewer, runId: number): Promise<{ ownerId: number }> {
    const run = await this.database.first<{ ownerId: number }>(
      'SELECT owner_id FROM runs WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)',
      [runId, readableOwner(viewer)],
    );
    if (!run) throw new NotFoundError('Run', runId);
    return run;
  }
}

async function lockSendingOf(tx: Transaction, viewer: Viewer, id: number): Promise<void> {
  const delivery = await tx.first<{ runId: number }>('SELECT run_id FROM deliveries WHERE id = $1', [id]);
  if (delivery) await lockSending(tx, delivery.runId, writableOwner(viewer));
}

/** The caller has locked the sending. */
async function requireNotElsewhere(tx: Transaction, runId: number, id: number): Promise<void> {
  const planning = await resendingRun(tx, runId, { planning: true });
  if (planning !== null) throw RUN_RESENDING(planning);
  const repeated = await haveItElsewhere(tx, runId, [id]);
  if (repeated.size > 0) {
    throw new ConflictError(
      'DELIVERY_REPEATED',
      `The client of delivery ${id} has the letter by another run of this sending, or may still get it by one.`,
    );
  }
}

/**
 * What is still to be closed of a run must not go out because the run is opened again for one letter, nor must that letter
 * be closed with it.
 */
async function requireClosed(tx: Transaction, runId: number): Promise<void> {
  const isClosing = () => tx.first('SELECT id FROM runs WHERE id = $1 AND closing', [runId]);
  if (!(await isClosing())) return;
  await closeSome(tx, runId);
  if (await isClosing())
    throw new ConflictError('RUN_CLOSING', `Run ${runId} is still being closed. Try again in a minute.`, { runId });
}

async function lockUnknown(tx: Transaction, viewer: Viewer, id: number): Promise<{ runId: number }> {
  // Locks the run before its deliveries, the order in which everybody locks.
  const run = await tx.first<{ id: number }>(
    `SELECT r.id FROM runs r WHERE r.id = (SELECT run_id FROM deliveries WHERE id = $1)
      AND ($2::bigint IS NULL OR r.owner_id = $2) FOR UPDATE`,
    [id, writableOwner(viewer)],
  );
  if (!run) throw await notWritable(tx, viewer, 'Delivery', id);
  const delivery = await tx.first<{ status: string }>('SELECT status FROM deliveries WHERE id = $1 FOR UPDATE', [id]);
  if (delivery?.status !== 'unknown') {
    throw new ConflictError(
      'DELIVERY_NOT_UNKNOWN',
      `Delivery ${id} is ${delivery?.status ?? 'gone'}; only an unknown one can be decided by hand.`,
    );
  }
  return { runId: run.id };
}
