import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import { listPage, type View, viewWhere } from '../../database/list';
import { emailKey } from '../../domain/email-address';
import { ConflictError, NotFoundError } from '../../domain/errors';
import { emailDomain } from '../../domain/email-address';
import { parseMailbox } from '../../domain/mailbox';
import { letterDigest, messageIdOf } from '../../domain/message-id';
import { decodeCursor, type Page, type PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import type { DeliveryStatus, RunTrigger } from '../../domain/states';
import { FeedState } from '../../queue/feed-state';
import { audit } from '../audit/audit';
import { clientMatches, searchPatterns } from '../clients/clients.service';
import { markSent, resend } from '../ledger/moves';
import { reopenRun } from './run-moves';

export interface DeliveryView {
  id: number;
  runId: number;
  mailingId: number;
  mailingName: string;
  occurrenceAt: Date | null;
  trigger: RunTrigger;
  clientId: number;
  email: string;
  fullName: string | null;
  status: DeliveryStatus;
  reason: string | null;
  tries: number;
  attempts: number;
  nextAttemptAt: Date | null;
  markedBy: number | null;
  lastResponse: string | null;
  /** The letter's Message-ID, which the logs of mail servers name; the same on every try. */
  messageIdHeader: string;
  updatedAt: Date;
}

type DeliveryRow = Omit<DeliveryView, 'messageIdHeader'> & { runKey: string | null; sender: string | null };

const viewOf = (deliveries: string): View => ({
  select: `d.id, d.run_id, r.mailing_id, m.name AS mailing_name, r.occurrence_at, r.trigger, d.client_id, d.email,
    c.full_name, d.status, d.reason, d.tries, d.attempts, d.next_attempt_at, d.marked_by, d.updated_at,
    r.letter_key AS run_key, r.sender,
    (SELECT a.server_response FROM attempts a
      WHERE a.delivery_id = d.id ORDER BY a.attempt_number DESC LIMIT 1) AS last_response`,
  from: `${deliveries} d JOIN runs r ON r.id = d.run_id JOIN mailings m ON m.id = r.mailing_id
    LEFT JOIN clients c ON c.id = d.client_id`,
});
const VIEW = viewOf('deliveries');

/**
 * SQL: the deliveries of the run $1 after the id $2 in id order, $3 at most. Deliveries on the ordinary path (see
 * `off_path`) are in no index by status, because sending must write no index: they are found by reading in id order,
 * which ends when as many are found as the counters say.
 */
const pageOf = (status: DeliveryStatus | undefined): string => {
  const page = (which: string, limit = '$3') =>
    `(SELECT * FROM deliveries WHERE run_id = $1 ${which} AND id > $2 ORDER BY id LIMIT ${limit})`;
  if (status === undefined) return page('');
  if (!['pending', 'sending', 'sent'].includes(status)) return page(`AND off_path = '${status}'`);
  const all = `LEAST($3, (SELECT coalesce(sum(${status}), 0) FROM run_counts WHERE run_id = $1))`;
  if (status === 'sent') return page(`AND status = 'sent'`, all);
  return `(SELECT o.* FROM runs r, open_deliveries(r.id, r.floor_id, '${status}', $2, ${all}) o WHERE r.id = $1)`;
};

/**
 * SQL: the deliveries of the run $1 whose clients match the search ($5), after the client $2 in the clients' order, $3
 * at most. Rare terms are found by the clients' trigram index, frequent ones by reading the clients in order. An
 * address that a client no longer has ($7) is found if it is given as a whole.
 */
const FOUND = `(
  (SELECT d.* FROM deliveries d JOIN clients c ON c.id = d.client_id
    WHERE d.run_id = $1 AND c.owner_id = $6 AND d.client_id > $2 AND ($4::text IS NULL OR d.status = $4)
      AND ${clientMatches('$5')}
    ORDER BY d.client_id LIMIT $3)
  UNION SELECT d.* FROM deliveries d
    WHERE d.run_id = $1 AND lower(d.email) = $7 AND d.client_id > $2 AND ($4::text IS NULL OR d.status = $4))`;

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
  async listOfRun(
    viewer: Viewer,
    runId: number,
    query: PageRequest & { status?: DeliveryStatus; search?: string },
  ): Promise<Page<DeliveryView>> {
    const { ownerId } = await this.requireRun(viewer, runId);
    const { status, search } = query;
    const patterns = searchPatterns(query);
    const page = [runId, decodeCursor(query.cursor ?? '', 1)?.[0] ?? 0, query.limit + 1];
    const found = await listPage<DeliveryRow>(
      this.database,
      {
        ...viewOf(patterns ? FOUND : pageOf(status)),
        where: 'true',
        params: patterns ? [...page, status ?? null, patterns, ownerId, emailKey(search ?? '')] : page,
        key: [{ expression: patterns ? 'd.client_id' : 'd.id', type: 'bigint' }],
        descending: false,
        total: async (sql) => {
          const column = query.status ?? 'pending + sending + deferred + sent + failed + unknown + skipped + cancelled';
          const row = await sql.first<{ n: number }>(
            `SELECT coalesce(sum(${column}), 0)::bigint AS n FROM run_counts WHERE run_id = $1`,
            [runId],
          );
          return row?.n ?? 0;
        },
      },
      query,
    );
    return this.shown(found);
  }

  /** Everything that one client got or did not get, newest first. */
  async listOfClient(viewer: Viewer, clientId: number, page: PageRequest): Promise<Page<DeliveryView>> {
    const found = await listPage<DeliveryRow>(
      this.database,
      {
        ...VIEW,
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
   * Sends an `unknown` delivery once more, by hand; a run that is done sends again for it. @throws ConflictError
   * OWNER_BLOCKED
   */
  async resend(viewer: Viewer, id: number): Promise<DeliveryView> {
    const runId = await this.database.transaction(async (tx) => {
      const owner = await tx.first<{ status: string }>(
        `SELECT u.status FROM deliveries d JOIN runs r ON r.id = d.run_id JOIN users u ON u.id = r.owner_id
          WHERE d.id = $1 FOR SHARE OF u`,
        [id],
      );
      const delivery = await lockUnknown(tx, viewer, id);
      if (owner?.status !== 'active') throw new ConflictError('OWNER_BLOCKED', 'The owner of this mailing is blocked.');
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
      viewWhere(VIEW, 'd.id = $1 AND ($2::bigint IS NULL OR r.owner_id = $2)'),
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

  private async requireRun(viewer: Viewer, runId: number): Promise<{ ownerId: number }> {
    const run = await this.database.first<{ ownerId: number }>(
      'SELECT owner_id FROM runs WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)',
      [runId, readableOwner(viewer)],
    );
    if (!run) throw new NotFoundError('Run', runId);
    return run;
  }
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
