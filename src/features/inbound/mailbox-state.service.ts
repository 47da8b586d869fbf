import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import type { MailboxProblem } from '../../mailbox/mailbox-failure';
import { parseMailboxUrl } from '../../mailbox/mailbox-url';
import { MailboxSource, sourceName } from './mailbox-source';

/** Whether the mailbox for letters that come back is read. */
export interface MailboxView {
  host: string;
  folder: string;
  lastOkAt: Date | null;
  /** Why not; `not_read`: no worker has looked at it, and none says why. */
  problem: MailboxProblem | 'not_read' | null;
  /** For so long that somebody should see to it. */
  isLate: boolean;
}

const LATE_MS = 15 * 60_000;

@Injectable()
export class MailboxState {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Pick<Config, 'bounceMailboxUrl' | 'takeoverMs'>,
  ) {}

  /** Null: there is no such mailbox. */
  async read(): Promise<MailboxView | null> {
    if (this.config.bounceMailboxUrl === '') return null;
    const settings = parseMailboxUrl(this.config.bounceMailboxUrl);
    const source = new MailboxSource(sourceName(settings), this.config.takeoverMs);
    const state = await source.state(this.database, LATE_MS);
    const { lastOkAt = null, lastError = null, isLate = false } = state ?? {};
    const problem = lastError ?? (isLate || lastOkAt === null ? 'not_read' : null);
    return { host: settings.host, folder: settings.folder, lastOkAt, problem, isLate };
  }
}
