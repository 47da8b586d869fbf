import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { notWritable } from '../../database/owned';
import { actAs, requireVersion, sameContent } from '../../database/versions';
import { listPage, newestFirst } from '../../database/list';
import { anywhere, searched } from '../../database/search';
import { singleLineProblem } from '../../domain/email-address';
import { invalid, NotFoundError, ValidationError } from '../../domain/errors';
import type { Language } from '../../domain/language';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { compileContent, type LetterData, ownFieldsIn, type RenderedContent } from '../../domain/template';
import { holdFields, isOffered } from '../clients/field-definitions';
import { copyAttachments } from './attachments.service';
import { Message } from './message.entity';

export interface MessageInput {
  subject: string;
  body: string;
  bodyText?: string | null;
}

/** `attachmentCount`: how many files its letters carry. */
export type MessageWithUse = Message & { mailingCount: number; attachmentCount: number };

const ATTACHMENT_COUNT = '(SELECT count(*) FROM message_attachments a WHERE a.message_id = m.id) AS attachment_count';

@Injectable()
export class MessagesService {
  constructor(private readonly database: Database) {}

  list(viewer: Viewer, query: PageRequest & { search?: string; ownerId?: number }): Promise<Page<MessageWithUse>> {
    return listPage<MessageWithUse>(
      this.database,
      {
        select: `m.*, (SELECT count(*) FROM mailings g
          WHERE g.message_id = m.id AND g.deleted_at IS NULL) AS mailing_count, ${ATTACHMENT_COUNT}`,
        from: 'messages m',
        where: `($1::bigint IS NULL OR m.owner_id = $1) AND ($2::bigint IS NULL OR m.owner_id = $2)
                 AND ($3::text IS NULL OR ${searched('m.subject')} LIKE ${searched('$3')})`,
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
   * @param from of a copy: the message that was copied
   * @throws ValidationError if a template does not compile or names a variable that does not exist
   */
  async create(viewer: Viewer, input: MessageInput, from?: MessageInput & { id: number }): Promise<MessageWithUse> {
    return this.database.transaction(async (tx) => {
      const content = checkContent(input, await usableFields(tx, viewer.userId, from));
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
    await this.database.transaction(async (tx) => {
      const current = await this.lock(tx, viewer, id);
      const { subject, body, bodyText } = current;
      const changed = {
        subject: change.subject ?? subject,
        body: change.body ?? body,
        bodyText: change.bodyText === undefined ? bodyText : change.bodyText,
      };
      const content = checkContent(changed, await usableFields(tx, current.ownerId, current));
      await requireVersion(tx, current, version, () => sameContent(content, { subject, body, bodyText }));
      await actAs(tx, viewer);
      await tx.manager.getRepository(Message).update({ id }, { ...content, updatedAt: () => 'app_now()' });
    });
    return this.find(id, writableOwner(viewer));
  }

  /** The message as a client would get it by a marketing mailing, whose footer has this language. */
  preview(
    { subject, body, bodyText }: MessageInput,
    { data, language, fields }: { data: LetterData; language: Language; fields: string[] },
  ): RenderedContent {
    const compiled = compileContent({ subject, body, bodyText }, language, fields);
    if (!compiled.ok) throw new ValidationError(compiled.errors);
    return compiled.content.render(data);
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

const SUBJECT_MAX = 1_000;

/** The keys of the fields that a message may name: archived ones only if it names them already. */
async function usableFields(tx: Transaction, ownerId: number, present?: MessageInput): Promise<string[]> {
  const fields = await holdFields(tx, ownerId);
  const named = present && !fields.every(isOffered) ? ownFieldsIn(present) : new Set();
  return fields.filter((field) => isOffered(field) || named.has(field.key)).map(({ key }) => key);
}

function checkContent(
  input: MessageInput,
  fields: string[],
): { subject: string; body: string; bodyText: string | null } {
  const bodyText = input.bodyText?.trim() ? input.bodyText : null;
  const wrong = singleLineProblem(input.subject, SUBJECT_MAX);
  if (wrong) throw invalid('subject', wrong);
  const source = { subject: input.subject, body: input.body, bodyText: bodyText ?? undefined };
  const compiled = compileContent(source, undefined, fields);
  if (!compiled.ok) throw new ValidationError(compiled.errors);
  return { subject: input.subject, body: input.body, bodyText };
}
