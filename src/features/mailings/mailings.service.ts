import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Transaction } from '../../database/database';
import { listPage, newestFirst, viewWhere } from '../../database/list';
import { anywhere, searched } from '../../database/search';
import { notWritable } from '../../database/owned';
import { ConflictError, invalid, NotFoundError, ValidationError } from '../../domain/errors';
import { at, problem } from '../../domain/problems';
import type { Language } from '../../domain/language';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import type { MailingStatus } from '../../domain/states';
import { isCounted, takes } from '../audiences/audiences';
import { type Addressed, countMembers } from '../audiences/members';
import { type CheckedMailing, checkMailing, type MailingInput } from './mailing-input';
import type { Mailing } from './mailing.entity';
import { MAILING_VIEW, type MailingView } from './mailing-view';
import { addClients, CLIENT_IDS_MAX, isLive } from './mailing-clients';

export type { MailingView } from './mailing-view';

export interface MailingQuery extends PageRequest {
  search?: string;
  status?: MailingStatus;
  ownerId?: number;
}

/** How long the recipients of one mailing may be counted. */
const COUNT_MS = 1_000;

@Injectable()
export class MailingsService {
  constructor(private readonly database: Database) {}

  list(viewer: Viewer, query: MailingQuery): Promise<Page<MailingView>> {
    return listPage<MailingView>(
      this.database,
      {
        ...MAILING_VIEW,
        where: `m.deleted_at IS NULL AND ($1::bigint IS NULL OR m.owner_id = $1)
                AND ($2::bigint IS NULL OR m.owner_id = $2)
                AND ($3::text IS NULL OR m.status = $3)
                AND ($4::text IS NULL OR ${searched('m.name')} LIKE ${searched('$4')}
                  OR ${searched('s.subject')} LIKE ${searched('$4')})`,
        params: [readableOwner(viewer), query.ownerId ?? null, query.status ?? null, anywhere(query.search)],
        ...newestFirst('m.id'),
      },
      query,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number, sql: Sql = this.database): Promise<MailingView> {
    const mailing = await sql.first<MailingView>(
      viewWhere(MAILING_VIEW, 'm.deleted_at IS NULL AND m.id = $1 AND ($2::bigint IS NULL OR m.owner_id = $2)'),
      [id, readableOwner(viewer)],
    );
    if (!mailing) throw new NotFoundError('Mailing', id);
    return mailing;
  }

  /**
   * A mailing with the number of its recipients counted now, if no counter tells it; null if that takes too long.
   */
  async counted(mailing: MailingView): Promise<MailingView> {
    if (isCounted(mailing) || mailing.status === 'done') return mailing;
    return { ...mailing, recipientCount: await countMembers(this.database, mailing, COUNT_MS) };
  }

  /**
   * How many a mailing that is being made would go to; null if that takes too long, or if it is none whose recipients
   * have to be found.
   */
  async recipientsOf(viewer: Viewer, asked: Omit<Addressed, 'ownerId'>, ms: number, ownerId = viewer.userId) {
    const readable = readableOwner(viewer);
    const mailing = { ...asked, ownerId };
    if ((readable !== null && readable !== ownerId) || isCounted(mailing)) return null;
    return countMembers(this.database, mailing, ms);
  }

  /** @throws ValidationError also for a message, segments or clients that are not there or not the viewer's */
  async create(viewer: Viewer, input: MailingInput): Promise<MailingView> {
    return this.database.transaction(async (tx) => {
      const owner = await tx.first<{ timeZone: string; language: Language }>(
        'SELECT time_zone, language FROM users WHERE id = $1',
        [viewer.userId],
      );
      const checked = checkMailing(input, owner ?? { timeZone: 'UTC', language: 'en' });
      await requireMessage(tx, viewer.userId, checked.messageId);
      await requireSegments(tx, viewer.userId, checked);
      const { schedule } = checked;
      const row = await tx.first<{ id: number }>(
        `INSERT INTO mailings (owner_id, name, message_id, audience, start_at, end_at, period, time_zone, on_unknown,
                               kind, transactional_reason, language, segment_id, exclude_segment_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
        [
          viewer.userId,
          checked.name,
          checked.messageId,
          checked.audience,
          schedule.startAt,
          schedule.endAt,
          schedule.period,
          schedule.timeZone,
          checked.onUnknown,
          checked.kind,
          checked.transactionalReason,
          checked.language,
          checked.segmentId,
          checked.excludeSegmentId,
        ],
      );
      const id = row?.id ?? 0;
      if (input.clientIds?.length) await addClients(tx, { id, ownerId: viewer.userId, live: false }, input.clientIds);
      return { ...(await this.get(viewer, id, tx)), warnings: checked.warnings };
    });
  }

  /**
   * Adds clients to a mailing with the audience `selected`. In a started mailing they get the current occurrence on the
   * next tick, in a paused one after it is resumed. Clients that are in it already are skipped.
   */
  async addClients(viewer: Viewer, id: number, clientIds: number[]): Promise<MailingView> {
    return this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer);
      requireSelected(mailing);
      await addClients(tx, { id, ownerId: mailing.ownerId, live: isLive(mailing) }, clientIds);
      return this.get(viewer, id, tx);
    });
  }

  /** Removes clients. Deliveries that are planned for them already are sent; later runs leave them out. */
  async removeClients(viewer: Viewer, id: number, clientIds: number[]): Promise<MailingView> {
    return this.database.transaction(async (tx) => {
      const mailing = await lockMailing(tx, id, viewer);
      requireSelected(mailing);
      await tx.affected('DELETE FROM mailing_clients WHERE mailing_id = $1 AND client_id = ANY($2)', [id, clientIds]);
      return this.get(viewer, id, tx);
    });
  }

  /**
   * Makes a copy of the mailing for the same owner, not started.
   * @throws ForbiddenError if the viewer may read it, but not change it
   */
  async copy(viewer: Viewer, id: number, name: string): Promise<MailingView> {
    const { ownerId, messageId, audience, startAt, endAt, period, timeZone, onUnknown, ...more } = await this.get(
      viewer,
      id,
    );
    const { kind, transactionalReason, language, segmentId, excludeSegmentId } = more;
    const owner = writableOwner(viewer);
    if (owner !== null && owner !== ownerId) throw await notWritable(this.database, viewer, 'Mailing', id);
    const clientIds = takes(audience, 'clientIds') ? await this.clientIds(id) : undefined;
    return this.create(
      { ...viewer, userId: ownerId },
      {
        name,
        messageId: messageId ?? 0,
        audience,
        startAt,
        endAt,
        period,
        timeZone,
        onUnknown,
        kind,
        transactionalReason,
        language,
        segmentId,
        excludeSegmentId,
        ...(clientIds && { clientIds }),
      },
    );
  }

  private async clientIds(id: number): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>(
      `SELECT client_id AS id FROM mailing_clients WHERE mailing_id = $1 ORDER BY id LIMIT ${CLIENT_IDS_MAX}`,
      [id],
    );
    return rows.map((row) => row.id);
  }

  /** The clients of a mailing with the audience `selected`, in the order they were added. */
  clients(
    viewer: Viewer,
    id: number,
    page: PageRequest,
  ): Promise<Page<{ id: number; email: string; fullName: string }>> {
    return listPage(
      this.database,
      {
        select: 'c.id, c.email, c.full_name',
        from: 'mailing_clients mc JOIN clients c ON c.id = mc.client_id JOIN mailings m ON m.id = mc.mailing_id',
        where: 'mc.mailing_id = $1 AND ($2::bigint IS NULL OR m.owner_id = $2) AND m.deleted_at IS NULL',
        params: [id, readableOwner(viewer)],
        key: [{ expression: 'mc.id', type: 'bigint' }],
        descending: false,
      },
      page,
    );
  }
}

/**
 * Locks a mailing for a change by the viewer: starts, pauses, edits and deletions of a mailing wait here for each
 * other.
 * @throws NotFoundError
 * @throws ForbiddenError if the viewer may read it, but not do this
 */
export async function lockMailing(
  tx: Transaction,
  id: number,
  viewer: Viewer,
  ownerFor: (viewer: Viewer) => number | null = writableOwner,
): Promise<Mailing> {
  const mailing = await findMailing(tx, id, ownerFor(viewer));
  if (!mailing) throw await notWritable(tx, viewer, 'Mailing', id);
  return mailing;
}

/** The same for a change by the service itself. @throws NotFoundError */
export async function lockAnyMailing(tx: Transaction, id: number): Promise<Mailing> {
  const mailing = await findMailing(tx, id, null);
  if (!mailing) throw new NotFoundError('Mailing', id);
  return mailing;
}

function findMailing(tx: Transaction, id: number, owner: number | null): Promise<Mailing | undefined> {
  return tx.first<Mailing>(
    `SELECT * FROM mailings WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) AND deleted_at IS NULL
       FOR NO KEY UPDATE`,
    [id, owner],
  );
}

/** @throws ValidationError if the owner has no such message */
export async function requireMessage(tx: Transaction, ownerId: number, messageId: number): Promise<void> {
  const found = await tx.first('SELECT id FROM messages WHERE id = $1 AND owner_id = $2 FOR KEY SHARE', [
    messageId,
    ownerId,
  ]);
  if (!found) throw invalid('messageId', problem('unknown_message', { id: messageId }));
}

/** Locks a mailing's segments until the commit. @throws ValidationError if the owner has no such ones */
export async function requireSegments(
  tx: Transaction,
  ownerId: number,
  { segmentId, excludeSegmentId }: Pick<CheckedMailing, 'segmentId' | 'excludeSegmentId'>,
): Promise<void> {
  if (segmentId === null && excludeSegmentId === null) return;
  const found = await tx.rows<{ id: number }>(
    'SELECT id FROM segments WHERE id IN ($1, $2) AND owner_id = $3 ORDER BY id FOR KEY SHARE',
    [segmentId, excludeSegmentId, ownerId],
  );
  const missing = (field: string, id: number | null) =>
    at(field, id === null || found.some((segment) => segment.id === id) ? null : problem('unknown_segment', { id }));
  const errors = [...missing('segmentId', segmentId), ...missing('excludeSegmentId', excludeSegmentId)];
  if (errors.length > 0) throw new ValidationError(errors);
}

function requireSelected(mailing: Mailing): void {
  if (mailing.status === 'done') throw new ConflictError('MAILING_DONE', `Mailing ${mailing.id} is done.`);
  if (!takes(mailing.audience, 'clientIds')) {
    throw new ConflictError(
      'MAILING_AUDIENCE_ALL',
      `Mailing ${mailing.id} does not go to selected clients; there is no list to change.`,
    );
  }
}
