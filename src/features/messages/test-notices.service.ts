import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { emailKey, parseEmailAddress } from '../../domain/email-address';
import { invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { Limits } from '../../queue/limits';
import { audit } from '../audit/audit';
import { Notices } from '../notices/notices.service';
import { lockAccess } from '../users/lock-access';
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
   * To the viewer's own address if `to` is absent; to others at most 20 an hour. @returns the notice's id
   * @throws ValidationError, NotFoundError, DomainError RATE_LIMITED
   */
  async send(viewer: Viewer, messageId: number, to?: string): Promise<number> {
    const { userId } = viewer;
    const content = await this.previews.ofMessage(viewer, messageId);
    const own = await this.database.first<{ email: string }>('SELECT email FROM users WHERE id = $1', [userId]);
    const parsed = parseEmailAddress(to ?? own?.email ?? '');
    if (!parsed.ok) throw invalid('to', parsed.problem);
    const { email } = parsed;
    if (emailKey(email) !== emailKey(own?.email ?? '')) await this.limits.take('testLetterUser', userId);
    const noticeId = await this.database.transaction(async (tx) => {
      await lockAccess(tx, viewer);
      await audit(tx, viewer, 'message.test', { type: 'message', id: messageId });
      return this.notices.write(tx, { kind: 'test', userId, email, payload: { ...content } });
    });
    await this.notices.enqueue(noticeId);
    return noticeId;
  }
}
