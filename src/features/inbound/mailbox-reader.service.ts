import { createHash } from 'node:crypto';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { seal, unseal } from '../../config/sealed';
import { Database, isUnavailable } from '../../database/database';
import { Repeated } from '../../logging/repeated';
import { AccessTokens, parseOauth } from '../../mailbox/access-tokens';
import { type Filed, Mailbox } from '../../mailbox/mailbox';
import { MailboxFailure, type MailboxProblem } from '../../mailbox/mailbox-failure';
import { type MailboxSettings, parseMailboxUrl } from '../../mailbox/mailbox-url';
import { ReturnAddresses } from '../consent/return-addresses';
import { InboundJudge } from './inbound-judge.service';
import { InboundLetters } from './inbound-letters.service';
import { MailboxSession, type ReadTrouble } from './mailbox-session';
import { type Lease, LeaseLost, MailboxSource, sourceName } from './mailbox-source';

type Needed = Pick<Config, 'bounceMailboxUrl' | 'bounceMailboxOauth' | 'inboundKeepDays' | 'takeoverMs' | 'secretKey'>;

/** The mailbox is looked at so often even if its server tells of nothing. */
const LOOK_MS = 4 * 60_000;
const LASTED_MS = 60_000;
/** A login that is refused again and again gets an account locked. */
const REFUSED_PAUSE_MS = 300_000;
const STOP_MS = 2_000;

/**
 * Reads the mailbox of BOUNCE_MAILBOX_URL, in one of all workers: `ask` is called by each, again and again. Whoever gets
 * the lease connects and stays connected; when it fails, another one may try.
 */
@Injectable()
export class MailboxReader implements BeforeApplicationShutdown {
  /** After failures in a row; a connection that lasted for a while ends the row. */
  pausesMs: readonly number[] = [1_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000];
  private readonly settings: MailboxSettings | null;
  private readonly source: MailboxSource | null;
  private tokens: AccessTokens | undefined;
  private readonly trouble: ReadTrouble = { upTo: 0, uid: 0, times: 0 };
  private readonly said: Repeated;
  private worker = 0;
  private asking = false;
  private stopping = false;
  /** Of the present session: the lease is another's, or the worker stops. */
  private ending = new AbortController();
  private session: Promise<void> | undefined;
  private failures = 0;
  /** By `performance.now()`. */
  private restUntil = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly letters: InboundLetters,
    private readonly judge: InboundJudge,
    private readonly returns: ReturnAddresses,
    @Inject(CONFIG) private readonly config: Needed,
    private readonly logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
    this.settings = config.bounceMailboxUrl === '' ? null : parseMailboxUrl(config.bounceMailboxUrl);
    this.source = this.settings && new MailboxSource(sourceName(this.settings), config.takeoverMs);
  }

  /** Reads on, or begins to if nobody else does. Never throws. */
  async ask(worker: number): Promise<void> {
    if (!this.settings || !this.source || this.asking || this.stopping) return;
    if (this.isResting()) return;
    this.asking = true;
    this.worker = worker;
    try {
      const lease = await this.source.take(this.database, worker);
      if (!lease) this.ending.abort();
      // The mailbox failed while the database was asked.
      else if (this.isResting()) await this.source.release(this.database, worker, null);
      else this.session ??= this.begin(this.settings, this.source, lease);
    } catch (error) {
      this.say('mailbox.not_asked', (error as Error).message, 'Whether to read the mailbox was not found out');
    } finally {
      this.asking = false;
    }
  }

  private isResting(): boolean {
    return !this.session && performance.now() < this.restUntil;
  }

  /** What is being kept is kept, as far as it is in a moment; the next worker may read at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.ending.abort();
    await Promise.race([this.session, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
  }

  private async begin(settings: MailboxSettings, source: MailboxSource, lease: Lease): Promise<void> {
    const { signal } = (this.ending = new AbortController());
    const startedAt = performance.now();
    let problem: MailboxProblem | null = null;
    try {
      await this.read(settings, source, lease, signal);
    } catch (error) {
      if (!signal.aborted) problem = this.failed(error, settings, performance.now() - startedAt);
    }
    this.ending.abort();
    await source.release(this.database, this.worker, problem).catch(() => 0);
    this.session = undefined;
  }

  /** As long as this worker may; ends only by an error. */
  private async read(
    settings: MailboxSettings,
    source: MailboxSource,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<never> {
    const tokens = (this.tokens ??= this.accessTokens(settings, source, lease));
    const mailbox = await openMailbox(settings, tokens, signal);
    const { host, port } = settings;
    this.logger.info({ event: 'mailbox.opened', host, port }, 'Reading the mailbox for letters that come back');
    const { database, letters, judge, returns, trouble } = this;
    const session = new MailboxSession(
      {
        database,
        letters,
        judge,
        returns,
        source,
        trouble,
        keepDays: this.config.inboundKeepDays,
        onFiled: (how, n) => this.filed(how, n),
        onSkipped: (uid) =>
          this.logger.warn(
            { event: 'mailbox.letter_skipped', uid },
            'A letter in the mailbox can not be read and was left behind',
          ),
      },
      mailbox,
      this.worker,
      lease,
    );
    for (;;) {
      await session.look();
      await mailbox.news(LOOK_MS);
    }
  }

  /** A refresh token that was exchanged for another one is kept; one that is set anew counts instead. */
  private accessTokens(settings: MailboxSettings, source: MailboxSource, lease: Lease): AccessTokens | undefined {
    const oauth = parseOauth(this.config.bounceMailboxOauth);
    if (!oauth) return undefined;
    const { secretKey } = this.config;
    const context = createHash('sha256').update(oauth.refresh).digest('hex');
    const kept = lease.refreshToken && unseal(secretKey, 'mailbox-token', lease.refreshToken, context);
    return new AccessTokens(oauth, `https://${settings.host}/.default`, kept ?? oauth.refresh, (token) =>
      source.keepToken(this.database, seal(secretKey, 'mailbox-token', token, context)),
    );
  }

  /** @returns what is to be seen of it; null if it is no trouble of the mailbox */
  private failed(error: unknown, { host, port }: MailboxSettings, lastedMs: number): MailboxProblem | null {
    this.failures = lastedMs > LASTED_MS ? 1 : this.failures + 1;
    const pauseMs = this.pausesMs[Math.min(this.failures, this.pausesMs.length) - 1]!;
    this.restUntil = performance.now() + pauseMs;
    if (error instanceof LeaseLost) return null;
    if (!(error instanceof MailboxFailure)) {
      const reason = isUnavailable(error) ? 'the database is away' : (error as Error).message;
      this.say('mailbox.failed', reason, 'Reading the mailbox was interrupted; it goes on');
      return null;
    }
    const { problem, detail } = error;
    // Servers end connections after a while, and when an access token has expired.
    if (problem === 'interrupted' && lastedMs > LASTED_MS) return null;
    if (problem === 'login_refused' || problem === 'token_refused') this.restUntil += REFUSED_PAUSE_MS - pauseMs;
    this.said.warn(
      { event: 'mailbox.failed', reason: problem, detail, host, port },
      'The mailbox for letters that come back could not be read; it is tried again',
    );
    return problem;
  }

  private filed(how: Filed, letters: number): void {
    this.logger.debug({ event: 'mailbox.filed', how, letters }, 'Letters were put away in the mailbox');
    if (how === 'flagged' || how === 'untouched')
      this.say('mailbox.not_filed', how, 'Letters could not be put into the folder Gonets and stay where they are');
  }

  private say(event: string, reason: string, message: string): void {
    this.said.warn({ event, reason }, message);
  }
}

async function openMailbox(
  settings: MailboxSettings,
  tokens: AccessTokens | undefined,
  signal: AbortSignal,
): Promise<Mailbox> {
  if (!tokens) return Mailbox.open(settings, null, signal);
  try {
    return await Mailbox.open(settings, await tokens.get(), signal);
  } catch (error) {
    if (!(error instanceof MailboxFailure) || error.problem !== 'login_refused') throw error;
    // The token may have been withdrawn before its time.
    tokens.drop();
    return Mailbox.open(settings, await tokens.get(), signal);
  }
}
