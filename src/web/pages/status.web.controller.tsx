import { Get, Inject, Post } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CONFIG, type Config } from '../../config/config.module';
import { version } from '../../config/version';
import { Database } from '../../database/database';
import { reach, type Viewer } from '../../domain/permissions';
import { AccountsService } from '../../features/accounts/accounts.service';
import { MailboxState } from '../../features/inbound/mailbox-state.service';
import { ProofLetters } from '../../features/inbound/proof-letters.service';
import { Notices } from '../../features/notices/notices.service';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { QUEUES } from '../../queue/queue.module';
import { Allows, CurrentViewer } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, type FormValues, WebController } from '../web-controller';
import { StatusPage } from './status.page';

/** The status page: account, workers, queues. */
@Allows('users.manage')
@WebController('status')
export class StatusWebController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly statistics: StatisticsService,
    private readonly notices: Notices,
    private readonly mailbox: MailboxState,
    private readonly proofs: ProofLetters,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(QUEUES) private readonly queues: Queue[],
  ) {}

  @Get()
  async show(@CurrentViewer() viewer: Viewer, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const [account, log, workers, queues, proof, postgres, mailbox] = await Promise.all([
      this.accounts.read(),
      this.accounts.history({ limit: 20, ...(cursor && { cursor }) }),
      this.statistics.liveWorkers(),
      this.depths(),
      this.proofs.summary(),
      this.database.serverVersion(),
      this.mailbox.read(),
    ]);
    const versions: [string, string][] = [
      ['Gonets', version],
      ['Node.js', process.versions.node],
      ['PostgreSQL', postgres],
    ];
    const mayResume = reach(viewer, 'account.resume') === 'all';
    const sender = this.config.mailFrom;
    return page(
      (t) => t.status.title,
      <StatusPage {...{ account, log, workers, queues, proof, sender, mailbox, versions, mayResume }} />,
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

  private async depths() {
    try {
      return await Promise.all(
        this.queues.map(async (queue) => ({
          name: queue.name,
          counts: await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
        })),
      );
    } catch {
      return null;
    }
  }
}
