import { Get, Inject, Post } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { reach, type Viewer } from '../../domain/permissions';
import { AccountsService } from '../../features/accounts/accounts.service';
import { MailboxState } from '../../features/inbound/mailbox-state.service';
import { ProofLetters } from '../../features/inbound/proof-letters.service';
import { Notices } from '../../features/notices/notices.service';
import { Allows, CurrentViewer } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, type FormValues, WebController } from '../web-controller';
import { StatusParts } from './status-parts.service';
import { StatusPage } from './status.page';

/** The status page: account, workers, queues. */
@Allows('users.manage')
@WebController('status')
export class StatusWebController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly parts: StatusParts,
    private readonly notices: Notices,
    private readonly mailbox: MailboxState,
    private readonly proofs: ProofLetters,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async show(@CurrentViewer() viewer: Viewer, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const [account, log, parts, proof, mailbox] = await Promise.all([
      this.accounts.read(),
      this.accounts.history({ limit: 20, ...(cursor && { cursor }) }),
      this.parts.of(),
      this.proofs.summary(),
      this.mailbox.read(),
    ]);
    const mayResume = reach(viewer, 'account.resume') === 'all';
    const sender = this.config.mailFrom;
    return page(
      (t) => t.status.title,
      <StatusPage {...{ account, log, proof, sender, mailbox, mayResume, ...parts }} />,
    );
  }

  @Allows('account.resume')
  @Post('resume')
  async resume(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    await this.accounts.resume(viewer);
    return redirect('/status', 'accountResumed');
  }

  /** Sends a notice to the viewer's own address, in the same way as all notices. */
  @Post('test')
  async test(@CurrentReader() reader: Reader): Promise<WebAnswer> {
    const { user, t } = reader;
    if (user) {
      const text = t.status.testBody;
      const payload = { subject: t.status.testSubject, html: `<p>${text}</p>`, text };
      const notice = { kind: 'test' as const, userId: user.id, email: user.email, payload };
      await this.notices.enqueue(await this.notices.write(this.database, notice));
    }
    return redirect('/status', 'testSent');
  }
}
