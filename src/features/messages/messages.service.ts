import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import { actAs, requireVersion, sameContent } from '../../database/versions';
import { listPage, newestFirst } from '../../database/list';
import { anywhere, searched } from '../../database/search';
import { invalid, NotFoundError, ValidationError } from '../../domain/errors';
import type { Language } from '../../domain/language';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { compileContent, type LetterData, type RenderedContent } from '../../domain/template';
import { fieldsOf, holdFields } from '../clients/field-definitions';
import { copyAttachments } from './attachments.service';
import { LetterMaker } from './letter-maker.service';
import { Message } from './message.entity';
import {
  changed,
  checkContent,
  type MessageContent,
  type MessageInput,
  requireOneWay,
  usableKeys,
} from './message-input';

export type { MessageInput } from './message-input';

/** `attachmentCount`: how many files its letters carry. */
export type MessageWithUse = Message & { mailingCount: number; attachmentCount: number };

const ATTACHMENT_COUNT = '(SELECT count(*) FROM message_attachments a WHERE a.message_id = m.id) AS attachment_count';

@Injectable()
export class MessagesService {
  constructor(
    private readonly database: Database,
    private readonly maker: LetterMaker,
  ) {}

  list(viewer: Viewer, query: PageRequest & { search?: string; ownerId?: number }): Promise<Page<MessageWithUse>> {
    return listPage<MessageWithUse>(
      this.database,
      {
        select: `m.*, (SELECT count(*) FROM mailings g
          WHERE g.message_id = m.id AND g.deleted_at IS NULL) AS mailing_count, ${ATTACHMENT_COUNT}`,
        from: 'messages m',
        where: `($1::bigint IS NULL OR m.owner_id = $1) AND ($2::bigint IS NULL OR m.owner_id = $2)
                 AND ($3::text IS NULL OR ${searched('m.subject')} LIKE ${searched('$3')}
                   OR ${searched('m.name')} LIKE ${searched('$3')})`,
        params: [readableOwner(viewer), query.ownerId ?? null, anywhere(query.search)],
        ...newestFirst('m.id'),
      },
      query,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<MessageWithUse> {
    return this.find(id, readableOwner(viewer));
  }

  /**
   * @throws ValidationError if a template does not compile or names a variable that does not exist, or a document is none
   */
  create(viewer: Viewer, input: MessageInput): Promise<MessageWithUse> {
    return this.add(viewer, input);
  }

  /**
   * The viewer's own copy of a message that they may see.
   * @param change what it is called, and its subject
   */
  async copy(viewer: Viewer, id: number, change: Pick<MessageInput, 'name' | 'subject'>): Promise<MessageWithUse> {
    const from = await this.get(viewer, id);
    const { body, bodyText, document } = from;
    return this.add(viewer, { ...change, ...(document === null ? { body, bodyText } : { document }) }, from);
  }

  private async add(viewer: Viewer, input: MessageInput, from?: Message): Promise<MessageWithUse> {
    const content = await this.contentOf(input, viewer.userId, from);
    return this.database.transaction(async (tx) => {
      checkContent(content, usableKeys(await holdFields(tx, viewer.userId), from));
      const messages = tx.manager.getRepository(Message);
      const made = await messages.save(messages.create({ ownerId: viewer.userId, ...content }));
      const attachmentCount = from ? await copyAttachments(tx, from.id, made.id) : 0;
      return { ...made, mailingCount: 0, attachmentCount };
    });
  }

  /**
   * Takes effect from the next run; runs under way send the content that they began with.
   * @param change its version: the one that the caller began with
   * @throws ConflictError CHANGED_MEANWHILE
   */
  async update(
    viewer: Viewer,
    id: number,
    { version, ...change }: Partial<MessageInput> & { version?: number },
  ): Promise<MessageWithUse> {
    // Nothing is made for somebody who may not change it.
    let seen = await this.writable(viewer, id);
    for (;;) {
      // Made before the row is locked, since it takes a while; once more if somebody changed the message meanwhile.
      const content = await this.contentOf(changed(seen, change), seen.ownerId, seen);
      const newer = await this.database.transaction(async (tx) => {
        const current = await this.lock(tx, viewer, id);
        if (current.version !== seen.version) return current;
        checkContent(content, usableKeys(await holdFields(tx, current.ownerId), current));
        await requireVersion(tx, current, version, () => sameContent(content, contentIn(current)));
        await actAs(tx, viewer);
        if (content.document !== null) await tx.rows(`SELECT set_config('gonets.document', 'made', true)`);
        await tx.affected(
          `UPDATE messages SET name = $2, subject = $3, body = $4, body_text = $5, document = $6, updated_at = app_now()
            WHERE id = $1`,
          [id, content.name, content.subject, content.body, content.bodyText, content.document],
        );
        return null;
      });
      if (newer === null) return this.find(id, writableOwner(viewer));
      seen = newer;
    }
  }

  /**
   * The message as a client would get it by a marketing mailing, whose footer has this language.
   * @param ownerId whose message it is or is to be
   */
  async preview(
    input: MessageInput,
    { data, language, fields, ownerId }: { data: LetterData; language: Language; fields: string[]; ownerId: number },
  ): Promise<RenderedContent> {
    const content = await this.partsOf(input, ownerId, fields);
    const { subject, body, bodyText, document } = content;
    const compiled = compileContent({ subject, body, bodyText }, language, fields);
    if (compiled.ok) return compiled.content.render(data);
    if (document !== null) checkContent(content, fields);
    throw new ValidationError(compiled.errors);
  }

  /** What is to be stored of an input, checked. */
  private async contentOf(input: MessageInput, ownerId: number, present?: Message): Promise<MessageContent> {
    const fields = usableKeys(await fieldsOf(this.database, ownerId), present);
    return checkContent(await this.partsOf(input, ownerId, fields), fields);
  }

  /** @throws ValidationError: neither HTML nor a document, or both; what is wrong with the document */
  private async partsOf(input: MessageInput, ownerId: number, fields: string[]): Promise<MessageContent> {
    requireOneWay(input);
    const { name, subject, body, bodyText, document } = input;
    const named = { name: name?.trim() ?? '', subject };
    if (document !== undefined && document !== null)
      return { ...named, ...(await this.maker.make({ subject, document }, ownerId, fields)) };
    if (body === undefined || body === null) throw invalid('body', problem('required'));
    return { ...named, body, bodyText: bodyText?.trim() ? bodyText : null, document: null };
  }

  /** @throws NotFoundError, ForbiddenError */
  private async writable(viewer: Viewer, id: number): Promise<Message> {
    const message = await this.read(id, writableOwner(viewer));
    if (!message) throw await notWritable(this.database, viewer, 'Message', id);
    return message;
  }

  /** @throws NotFoundError, ForbiddenError */
  private async lock(tx: Transaction, viewer: Viewer, id: number): Promise<Message> {
    const message = await tx.first<Message>(
      'SELECT * FROM messages WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR NO KEY UPDATE',
      [id, writableOwner(viewer)],
    );
    if (!message) throw await notWritable(tx, viewer, 'Message', id);
    return message;
  }

  private async find(id: number, owner: number | null): Promise<MessageWithUse> {
    const message = await this.read(id, owner);
    if (!message) throw new NotFoundError('Message', id);
    return message;
  }

  private read(id: number, owner: number | null): Promise<MessageWithUse | undefined> {
    return this.database.first<MessageWithUse>(
      `SELECT m.*, (SELECT count(*) FROM mailings g WHERE g.message_id = m.id AND g.deleted_at IS NULL) AS mailing_count,
              ${ATTACHMENT_COUNT}
         FROM messages m WHERE m.id = $1 AND ($2::bigint IS NULL OR m.owner_id = $2)`,
      [id, owner],
    );
  }
}

/** Of a message that no mailing uses; the caller has locked it. */
export const deleteMessage = (tx: Transaction, id: number) => tx.manager.getRepository(Message).delete({ id });

const contentIn = ({ name, subject, body, bodyText, document }: Message): MessageContent => ({
  name,
  subject,
  body,
  bodyText,
  document,
});
