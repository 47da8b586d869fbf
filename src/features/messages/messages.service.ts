import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { listPage } from '../../database/list';
import { singleLineProblem } from '../../domain/email-address';
import { ConflictError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { compileContent, type LetterData, type RenderedContent } from '../../domain/template';
import { audit } from '../audit/audit';
import type { Message } from './message.entity';

export interface MessageInput {
  subject: string;
  body: string;
  bodyText?: string | null;
}

export type MessageWithUse = Message & { mailingCount: number };

@Injectable()
export class MessagesService {
  constructor(private readonly database: Database) {}

  list(viewer: Viewer, query: PageRequest & { search?: string; ownerId?: number }): Promise<Page<MessageWithUse>> {
    const search = query.search?.trim() ? `%${query.search.trim().replace(/[\\%_]/g, '\\$&')}%` : null;
    return listPage<MessageWithUse>(
      this.database,
      {
        sql: `SELECT m.*, (SELECT count(*) FROM mailings g WHERE g.message_id = m.id AND g.deleted_at IS NULL) AS mailing_count
                FROM messages m
               WHERE ($1::bigint IS NULL OR m.owner_id = $1) AND ($2::bigint IS NULL OR m.owner_id = $2)
                 AND ($3::text IS NULL OR m.subject ILIKE $3)`,
        params: [readableOwner(viewer), query.ownerId ?? null, search],
        key: [{ expression: 'm.id', type: 'bigint' }],
        descending: true,
      },
      query,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<MessageWithUse> {
    return this.find(id, readableOwner(viewer));
  }

  /** @throws ValidationError if a template does not compile or names a variable that does not exist */
  async create(viewer: Viewer, input: MessageInput): Promise<MessageWithUse> {
    const content = checkContent(input);
    const row = await this.database.first<{ id: number }>(
      'INSERT INTO messages (owner_id, subject, body, body_text) VALUES ($1, $2, $3, $4) RETURNING id',
      [viewer.userId, content.subject, content.body, content.bodyText],
    );
    return this.find(row?.id ?? 0, viewer.userId);
  }

  /** Counts from the next run; runs under way send what they began with. */
  async update(viewer: Viewer, id: number, change: Partial<MessageInput>): Promise<MessageWithUse> {
    const current = await this.find(id, writableOwner(viewer));
    const content = checkContent({
      subject: change.subject ?? current.subject,
      body: change.body ?? current.body,
      bodyText: change.bodyText === undefined ? current.bodyText : change.bodyText,
    });
    await this.database.affected(
      `UPDATE messages SET subject = $3, body = $4, body_text = $5, updated_at = app_now()
        WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)`,
      [id, writableOwner(viewer), content.subject, content.body, content.bodyText],
    );
    return this.find(id, writableOwner(viewer));
  }

  /**
   * A message whose only mailings are deleted ones goes with its row kept for them; its content stays in their runs.
   * @throws ConflictError MESSAGE_IN_USE
   */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const found = await tx.first<{ subject: string }>(
        'SELECT subject FROM messages WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) FOR UPDATE',
        [id, writableOwner(viewer)],
      );
      if (!found) throw new NotFoundError('Message', id);
      const used = await tx.first<{ n: number }>(
        'SELECT count(*) AS n FROM mailings WHERE message_id = $1 AND deleted_at IS NULL',
        [id],
      );
      if (used && used.n > 0) {
        throw new ConflictError(
          'MESSAGE_IN_USE',
          `${used.n} mailing(s) use this message. Delete them or give them another one first.`,
        );
      }
      await tx.affected('UPDATE mailings SET message_id = NULL WHERE message_id = $1', [id]);
      await tx.affected('DELETE FROM messages WHERE id = $1', [id]);
      await audit(tx, viewer, 'message.delete', { type: 'message', id }, { name: found.subject });
    });
  }

  /** The message as a client would get it; without a client, with a made-up one. */
  preview(message: MessageInput, data: LetterData): RenderedContent {
    const compiled = compileContent({
      subject: message.subject,
      body: message.body,
      bodyText: message.bodyText ?? undefined,
    });
    if (!compiled.ok) throw new ValidationError(compiled.errors);
    return compiled.content.render(data);
  }

  private async find(id: number, owner: number | null): Promise<MessageWithUse> {
    const message = await this.database.first<MessageWithUse>(
      `SELECT m.*, (SELECT count(*) FROM mailings g WHERE g.message_id = m.id AND g.deleted_at IS NULL) AS mailing_count
         FROM messages m WHERE m.id = $1 AND ($2::bigint IS NULL OR m.owner_id = $2)`,
      [id, owner],
    );
    if (!message) throw new NotFoundError('Message', id);
    return message;
  }
}

const SUBJECT_MAX = 1_000;

function checkContent(input: MessageInput): { subject: string; body: string; bodyText: string | null } {
  const bodyText = input.bodyText?.trim() ? input.bodyText : null;
  const problem = singleLineProblem(input.subject, SUBJECT_MAX);
  if (problem) throw new ValidationError([{ field: 'subject', message: problem }]);
  const compiled = compileContent({ subject: input.subject, body: input.body, bodyText: bodyText ?? undefined });
  if (!compiled.ok) throw new ValidationError(compiled.errors);
  return { subject: input.subject, body: input.body, bodyText };
}
