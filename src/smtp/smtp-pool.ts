import { SessionLimit } from '../domain/session-limit';
import { STOPPED, type TransmitResult } from '../domain/smtp-outcome';
import { checkAccount, hinted, type SmtpCheck } from './check-account';
import { deliver, type Letter } from './deliver';
import { IdleSessions } from './idle-sessions';
import type { SmtpFailure } from './smtp-failure';
import { SmtpSession } from './smtp-session';
import type { SmtpSettings } from './smtp-url';

export interface SmtpPoolOptions {
  settings: SmtpSettings;
  /** Connections at most; opened when needed. */
  connections: number;
  /** A connection is given up after so many letters; many servers want that. */
  maxMessagesPerConnection?: number;
  /** An unused connection is closed after this time; less than what servers usually allow. */
  idleCloseMs?: number;
  /** How long no further connection is tried after the server accepted fewer than the limit. */
  fewerMs?: number;
  /** Asked synchronously, immediately before every final dot; false destroys the connection instead. */
  beforeDot?: () => boolean;
  logger?: { debug(fields: object, sentence: string): void; warn(fields: object, sentence: string): void };
}

/** The sender's side of the pool: it decides what to send once a connection is ready. */
export interface SmtpDemand {
  /** How many letters could be sent now: so many connections are opened, within the limit. */
  wanted(): number;
  /** More connections are established than a moment ago. */
  ready(): void;
  /**
   * No connection is established, none could be opened, and no letter waits in the pool that could end with this
   * failure.
   */
  unreachable(failure: SmtpFailure): void;
}

const RESTS = 'the SMTP account rests';
const IDLE_CLOSE_MS = 30_000;
const FEWER_MS = 5_000;
/** A connection that was unused for so long may have been closed by the server meanwhile. */
const KEPT_MS = 1_000;
/** The weight of the newest letter in the mean duration. */
const NEWEST = 1 / 16;

interface Job {
  letter: Letter;
  resolve: (result: TransmitResult) => void;
}

/**
 * Kept connections to one SMTP server; waiting letters are served in their order, except for those with `first`.
 *
 * Each `transmit` is at most one transaction and is never repeated. One thing is done again, once: if a kept connection
 * turns out to be closed (or answers 421) before MAIL FROM was answered, the letter goes through a new connection. When
 * a connection can't be opened and there is no other, all waiting letters get that failure at once. If there are
 * others, the letters wait for those: that the server accepts no more connections is no letter's failure.
 */
export class SmtpPool {
  private limit: number;
  /** How many connections the server had accepted when it refused a further one; Infinity if that is long ago. */
  private taken = Infinity;
  private takenTimer: NodeJS.Timeout | undefined;
  private running = 0;
  private closing = false;
  private demand: SmtpDemand | null = null;
  private meanMs = 0;
  private readonly waiting: Job[] = [];
  private readonly sessions = new Set<SmtpSession>();
  private readonly established = new Set<SmtpSession>();
  private readonly opening = new Set<SmtpSession>();
  private readonly idle: IdleSessions;
  private onDrained: (() => void) | null = null;
  private readonly perSession = new SessionLimit();
  private generation = 0;
  private turnedAway = 0;

  constructor(private readonly options: SmtpPoolOptions) {
    this.limit = Math.max(1, options.connections);
    this.idle = new IdleSessions(options.idleCloseMs ?? IDLE_CLOSE_MS);
  }

  /** Hands over one letter to one recipient. Resolves with what became of it; never rejects. */
  transmit(letter: Letter): Promise<TransmitResult> {
    if (this.closing) return Promise.resolve(withheld('the pool is closed'));
    return new Promise((resolve) => {
      this.waiting[letter.first ? 'unshift' : 'push']({ letter, resolve });
      this.pump();
    });
  }

  /** From now on connections are opened for letters that are handed over only once a connection is ready for them. */
  attend(demand: SmtpDemand): void {
    this.demand = demand;
  }

  /** Opens what is wanted and missing. Call it when the demand has grown. */
  prepare(): void {
    const wanted = Math.max(this.waiting.length, (this.demand?.wanted() ?? 0) - this.running);
    const missing = wanted - this.idle.size - this.opening.size;
    const allowed = Math.min(this.limit, this.taken) - this.sessions.size;
    if (this.closing) return;
    for (let n = Math.min(missing, allowed); n > 0; n--) void this.openOne();
  }

  /** Connections that are established, of those that are allowed. */
  get ready(): number {
    return Math.min(this.limit, this.established.size);
  }

  /** How long a letter takes on a connection, from its first command to its last answer; 0 before the first. */
  get letterMs(): number {
    return this.meanMs;
  }

  get connections(): { open: number; busy: number; waiting: number; limit: number } {
    return { open: this.sessions.size, busy: this.running, waiting: this.waiting.length, limit: this.limit };
  }

  /** At least 1. Fewer than open: idle connections are closed now, busy ones after their letter. */
  setLimit(limit: number): void {
    this.limit = Math.max(1, Math.floor(limit));
    void this.idle.quit(Math.max(0, this.sessions.size - this.limit));
    this.pump();
  }

  /**
   * After this returns no further final dot is written for letters that were handed over before. Letters whose dot was
   * written go on waiting for their answer, which may have arrived already; all others end `withheld`. The pool can
   * still be used.
   */
  fence(): void {
    this.abandon((session) => session.fence());
  }

  /** As `fence`, but every connection is destroyed: letters whose dot was out end `broken` with `dotSent: true`. */
  dropAll(): void {
    this.abandon((session) => session.kill());
  }

  private abandon(end: (session: SmtpSession) => void): void {
    this.generation++;
    for (const job of this.waiting.splice(0)) job.resolve(withheld(STOPPED));
    for (const session of [...this.sessions]) end(session);
    this.prepare();
  }

  /** The account rests: letters whose transaction has not begun are withheld, but for those that go first. */
  turnAway(): void {
    this.turnedAway++;
    const kept = this.waiting.filter(({ letter }) => letter.first);
    const away = this.waiting.filter(({ letter }) => !letter.first);
    this.waiting.splice(0, Infinity, ...kept);
    for (const job of away) job.resolve(withheld(RESTS));
  }

  /** Waiting letters are withheld, running ones end, then QUIT. */
  async close(): Promise<void> {
    this.closing = true;
    for (const job of this.waiting.splice(0)) job.resolve(withheld('the pool is closing'));
    clearTimeout(this.takenTimer);
    for (const session of [...this.opening]) session.kill();
    const goodbyes = this.idle.quit(Infinity);
    if (this.running > 0) await new Promise<void>((resolve) => (this.onDrained = resolve));
    await goodbyes;
  }

  /** Connects and logs in on a connection of its own, for a status page. */
  verify(): Promise<SmtpCheck> {
    return checkAccount(this.options.settings);
  }

  private pump(): void {
    while (this.waiting.length > 0) {
      const fresh = this.waiting[0]?.letter.fresh !== undefined;
      const session = fresh ? this.idle.takeUnused() : this.idle.take();
      if (!session && !(fresh && this.makeRoom())) break;
      this.running++;
      void this.run(session, this.waiting.shift() as Job);
    }
    this.prepare();
    if (this.running === 0) this.onDrained?.();
  }

  /** Whether one more connection may be opened, in place of an idle one if need be. */
  private makeRoom(): boolean {
    if (this.running + this.opening.size >= Math.min(this.limit, this.taken)) return false;
    if (this.sessions.size >= this.limit) void this.idle.quit(1);
    return true;
  }

  private async run(idle: SmtpSession | undefined, { letter, resolve }: Job): Promise<void> {
    const { generation, turnedAway } = this;
    const served = idle?.letters ?? 0;
    const kept = idle && (served > 0 || performance.now() - idle.idleSince > KEPT_MS);
    let session = idle ?? this.create();
    let result: TransmitResult | null = idle ? null : ((await this.open(session)) ?? this.rests(letter, turnedAway));
    if (!result && letter.permit && !(await letter.permit())) result = withheld('not to be sent any more');
    const unused = result !== null && !session.dead;
    const startedAt = performance.now();
    result ??= await deliver(session, letter);
    if (result.kind === 'accepted') this.learn(performance.now() - startedAt);
    if (kept && session.wasStale(result) && generation === this.generation) {
      session.kill();
      session = this.create();
      result = (await this.open(session)) ?? this.rests(letter, turnedAway) ?? (await deliver(session, letter));
    }
    const judged = this.judge(letter, result, session === idle ? served : 0);
    resolve(judged);
    if (judged.kind === 'refused' && judged.spent) await session.quit();
    else if (unused || (await session.settle(judged))) await this.keep(session);
    this.running--;
    this.pump();
  }

  private rests(letter: Letter, turnedAway: number): SmtpFailure | null {
    return turnedAway !== this.turnedAway && !letter.first ? withheld(RESTS) : null;
  }

  private learn(letterMs: number): void {
    this.meanMs += (letterMs - this.meanMs) * (this.meanMs === 0 ? 1 : NEWEST);
  }

  private async openOne(): Promise<void> {
    const session = this.create();
    this.opening.add(session);
    const failure = await this.open(session);
    if (!failure) {
      await this.keep(session);
      this.demand?.ready();
      this.pump();
    } else if (failure.kind !== 'withheld' && this.established.size > 0) this.takeFewer();
  }

  /** The server takes no more connections than it has: no further one is tried for a while. */
  private takeFewer(): void {
    this.taken = this.established.size;
    clearTimeout(this.takenTimer);
    this.takenTimer = setTimeout(() => {
      this.taken = Infinity;
      this.prepare();
    }, this.options.fewerMs ?? FEWER_MS).unref();
  }

  /** Whether the connection's share of letters may be why this one was refused. */
  private judge(letter: Letter, result: TransmitResult, served: number): TransmitResult {
    if (letter.fresh !== undefined) this.perSession.settled(letter.fresh, result, letter);
    if (result.kind !== 'refused' || !this.perSession.spent(result, served, letter)) return result;
    return { ...result, spent: true };
  }

  private create(): SmtpSession {
    const mayWriteDot = this.options.beforeDot ?? (() => true);
    const session = new SmtpSession(this.options.settings, mayWriteDot, (dead) => this.forget(dead));
    this.sessions.add(session);
    return session;
  }

  private async open(session: SmtpSession): Promise<SmtpFailure | null> {
    const failure = hinted(await session.open(), this.options.settings);
    // In the same turn of the event loop in which it is judged, so that of several that fail at once the last one
    // counts as the last.
    this.opening.delete(session);
    const { host, port } = this.options.settings;
    if (!failure) {
      this.established.add(session);
      this.options.logger?.debug({ event: 'smtp_connection_opened', host, port }, 'SMTP connection opened');
    } else if (failure.kind !== 'withheld') {
      this.options.logger?.warn({ event: 'smtp_connection_failed', host, port, failure }, 'SMTP connection failed');
      if (this.established.size + this.opening.size === 0) this.tellUnreachable(failure);
    }
    return failure;
  }

  private tellUnreachable(failure: SmtpFailure): void {
    const told = this.waiting.splice(0);
    for (const job of told) job.resolve(failure);
    if (told.length === 0) this.demand?.unreachable(failure);
  }

  private async keep(session: SmtpSession): Promise<void> {
    const { maxMessagesPerConnection = Infinity } = this.options;
    const surplus = this.sessions.size > this.limit;
    const full = session.letters >= this.perSession.most;
    if (full) this.perSession.retired();
    if (this.closing || surplus || full || session.letters >= maxMessagesPerConnection) return session.quit();
    this.idle.put(session);
  }

  private forget(session: SmtpSession): void {
    this.sessions.delete(session);
    this.established.delete(session);
    this.idle.forget(session);
    // A connection that never served a letter is replaced only when a letter needs one; otherwise a server that closes
    // each connection at once would be called again and again.
    if (session.letters > 0) this.prepare();
  }
}

const withheld = (text: string): SmtpFailure => ({ kind: 'withheld', phase: 'connect', text });
