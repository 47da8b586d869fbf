import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { emailKey, parseEmailAddress } from '../../domain/email-address';
import { invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { Limits } from '../../queue/limits';
import { audit } from '../audit/audit';
import { Notices } from '../notices/notices.service';
import { lockAccess } from '../users/lock-access';
import type { RenderedContent } from '../../domain/template';
import type { Message } from './message.entity';
import type { MessageInput } from './messages.service';
import { PreviewService } from './preview.service';

/** Sends one copy of a message to see it arrive; it is a notice and counts in no run. */
@Injectable()
export class TestNoticesService {
  constructor(
    private readonly database: Database,
    private readonly previews: PreviewService,
    private readonly notices: Notices,
    private readonly limits: Limits,
  ) {}

  /**
   * A saved message, to the viewer's own address if `to` is absent, at most 300 an hour; to others at most 20.
   * @returns the notice's id
   * @throws ValidationError, NotFoundError, DomainError RATE_LIMITED
   */
  async send(viewer: Viewer, messageId: number, to?: string): Promise<number> {
    return this.write(viewer, await this.previews.ofMessage(viewer, messageId), messageId, to);
  }

  /**
   * A message as it is being written, to the viewer's own address.
   * @param message the saved one that it is to become
   * @throws ValidationError if it does not compile, DomainError RATE_LIMITED
   */
  async sendDraft(viewer: Viewer, draft: MessageInput, message?: Pick<Message, 'id' | 'ownerId'>): Promise<number> {
    const content = await this.previews.ofDraft(viewer, draft, { ...(message && { ownerId: message.ownerId }) });
    return this.write(viewer, content, message?.id);
  }

  private async write(viewer: Viewer, content: RenderedContent, messageId?: number, to?: string): Promise<number> {
    const { userId } = viewer;
    const own = await this.database.first<{ email: string }>('SELECT email FROM users WHERE id = $1', [userId]);
    const parsed = parseEmailAddress(to ?? own?.email ?? '');
    if (!parsed.ok) throw invalid('to', parsed.problem);
    const { email } = parsed;
    const isOwn = emailKey(email) === emailKey(own?.email ?? '');
    await this.limits.take(isOwn ? 'testLetterSelf' : 'testLetterUser', userId);
    const noticeId = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      await audit(tx, viewer, 'message.test', { type: 'message', ...(messageId !== undefined && { id: messageId }) });
      return this.notices.write(tx, {
        kind: 'test',
        userId,
        email,
        payload: { ...content, ...(messageId && { messageId }) },
      });
    });
    await this.notices.enqueue(noticeId);
    return noticeId;
  }
}
