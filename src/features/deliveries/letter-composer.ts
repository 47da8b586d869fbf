import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { composeLetter, type PreparedLetter, prepareLetter } from '../../domain/compose';
import { prepareDkim, type PreparedDkim, signLetter } from '../../domain/dkim';
import { emailDomain } from '../../domain/email-address';
import { DomainError } from '../../domain/errors';
import { type NamedMailbox, parseMailbox } from '../../domain/mailbox';
import { letterIdentity } from '../../domain/message-id';
import { compileContent } from '../../domain/template';
import type { Claim } from './claims';

/** A run's content, compiled once: what its letters have in common. */
interface RunContent {
  prepared: PreparedLetter;
  mailingName: string;
  date: Date;
  timeZone: string;
}

const KEPT_RUNS = 50;

/** Composes letters. All of a letter is a function of its delivery, its client and its run: the same on every try. */
@Injectable()
export class LetterComposer {
  readonly from: NamedMailbox;
  private readonly domain: string;
  private readonly dkim: PreparedDkim | null;
  private readonly contents = new Map<number, Promise<RunContent | DomainError>>();

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const from = parseMailbox(config.mailFrom);
    if (!from) throw new Error('MAIL_FROM must be an address or Name <address@domain>');
    this.from = from;
    this.domain = emailDomain(from.address);
    this.dkim = config.dkimDomain
      ? prepareDkim({ domain: config.dkimDomain, selector: config.dkimSelector, privateKey: config.dkimPrivateKey })
      : null;
  }

  /**
   * What makes this claim's letter once the server's abilities are known.
   * @throws DomainError (from the returned function too) if the run's content can't be composed
   */
  async letter(claim: Claim): Promise<(server: { eightBitMime: boolean }) => Buffer> {
    const content = await this.content(claim.runId);
    return ({ eightBitMime }) => {
      if (content instanceof DomainError) throw content;
      const key = { runId: claim.runId, deliveryId: claim.id };
      const letter = composeLetter(content.prepared, {
        data: {
          client: { fullName: claim.fullName, email: claim.email, comment: claim.comment },
          mailing: { name: content.mailingName },
          sender: { name: this.from.name, email: this.from.address },
          date: content.date.toISOString(),
          timeZone: content.timeZone,
        },
        ...letterIdentity(key, this.config.secretKey, this.domain),
        date: content.date,
        eightBitMime,
      });
      return this.dkim ? signLetter(this.dkim, letter, content.date) : letter;
    };
  }

  private content(runId: number): Promise<RunContent | DomainError> {
    let content = this.contents.get(runId);
    if (!content) {
      content = this.load(runId);
      content.catch(() => this.contents.delete(runId));
      this.contents.set(runId, content);
      const oldest = this.contents.keys().next();
      if (this.contents.size > KEPT_RUNS && !oldest.done) this.contents.delete(oldest.value);
    }
    return content;
  }

  private async load(runId: number): Promise<RunContent | DomainError> {
    const run = await this.database.first<{
      subject: string;
      body: string;
      bodyText: string | null;
      mailingId: number;
      name: string;
      timeZone: string;
      createdAt: Date;
    }>(
      `SELECT r.subject, r.body, r.body_text, r.mailing_id, r.created_at, m.name, m.time_zone
         FROM runs r JOIN mailings m ON m.id = r.mailing_id WHERE r.id = $1`,
      [runId],
    );
    if (!run) throw new Error(`run ${runId} is gone`);
    const compiled = compileContent({ subject: run.subject, body: run.body, bodyText: run.bodyText });
    if (!compiled.ok)
      return new DomainError(
        'invalid',
        'TEMPLATE_FAILED',
        compiled.errors.map((e) => `${e.field}: ${e.message}`).join('; '),
      );
    const prepared = prepareLetter({
      from: this.from,
      content: compiled.content,
      listId: `mailing-${run.mailingId}.${this.domain}`,
      mailingName: run.name,
    });
    return { prepared, mailingName: run.name, date: run.createdAt, timeZone: run.timeZone };
  }
}
