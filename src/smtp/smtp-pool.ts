import { domainToASCII } from 'node:url';
import { type TransmitResult, type UnsendableProblem } from '../domain/smtp-outcome';
import { ASCII, type Envelope, type SmtpCapabilities, type SmtpFailure, SmtpSession } from './smtp-session';
import { type SmtpSettings } from './smtp-url';

export interface SmtpPoolOptions {
  settings: SmtpSettings;
  /** Connections at most; opened when needed. */
  connections: number;
  /** A connection is given up after so many letters; many servers want that. */
  maxMessagesPerConnection?: number;
  /** An unused connection is closed after this time; less than what servers usually allow. */
  idleCloseMs?: number;
  /** Asked synchronously, immediately before every final dot; false destroys the connection instead. */
  beforeDot?: () => boolean;
  logger?: { debug(fields: object, sentence: string): void; warn(fields: object, sentence: string): void };
}

export interface Letter extends Envelope {
  /** The whole letter, or how to make it once it is known what the server can take. */
  raw: Buffer | ((capabilities: SmtpCapabilities) => Buffer);
  /** Before all that wait. */
  first?: boolean;
}

export type SmtpCheck =
  { ok: true; capabilities: SmtpCapabilities; durationMs: number } | { ok: false; result: SmtpFailure };

const MAILBOX = /^[^\s<>\p{Cc}]+@[^\s<>@\p{Cc}]+$/u;
const IDLE_CLOSE_MS = 30_000;

interface Job {
  letter: Letter;
  resolve: (result: TransmitResult) => void;
}

/**
 * Kept connections to one SMTP server; waiting letters are served first come, first served, but for those that go first.
 *
 * Each `transmit` is at most one transaction, never repeated. The one exception is no transaction: a kept connection
 * that turns out to be closed (or answers 421) before MAIL FROM was answered is replaced by a new one, once.
 * When a connection can't be opened and none is established, all waiting letters get that failure at once.
 */
export class SmtpPool {
  private limit: number;
  private running = 0;
  private closing = false;
  private readonly waiting: Job[] = [];
  private readonly sessions = new Set<SmtpSession>();
  private readonly established = new Set<SmtpSession>();
  private readonly idle: SmtpSession[] = [];
  private readonly idleCloseMs: number;
  private idleTimer: NodeJS.Timeout | undefined;
  private onDrained: (() => void) | null = null;
  private generation = 0;

  constructor(private readonly options: SmtpPoolOptions) {
    this.limit = Math.max(1, options.connections);
    this.idleCloseMs = options.idleCloseMs ?? IDLE_CLOSE_MS;
  }

  /** Hands over one letter to one recipient. Resolves with what became of it; never rejects. */
  transmit(letter: Letter): Promise<TransmitResult> {
    if (this.closing) return Promise.resolve(withheld('the pool is closed'));
    return new Promise((resolve) => {
      this.waiting[letter.first ? 'unshift' : 'push']({ letter, resolve });
      this.pump();
    });
  }

  get connections(): { open: number; busy: number; waiting: number; limit: number } {
    return { open: this.sessions.size, busy: this.running, waiting: this.waiting.length, limit: this.limit };
  }

  /** At least 1. Fewer than open: idle connections are closed now, busy ones after their letter. */
  setLimit(limit: number): void {
    this.limit = Math.max(1, Math.floor(limit));
    for (const session of [...this.idle].slice(0, Math.max(0, this.sessions.size - this.limit))) void session.quit();
    this.pump();
  }

  /**
   * Self-fencing: destroys every connection at once; after this returns no further final dot is written. Letters whose
   * dot was out end `broken` with `dotSent: true`, all others `withheld`. The pool can be used on.
   */
  dropAll(): void {
    this.generation++;
    for (const session of [...this.sessions]) session.kill();
    for (const job of this.waiting.splice(0)) job.resolve(withheld('stopped by this worker'));
  }

  /** Waiting letters are withheld, running ones end, then QUIT. */
  async close(): Promise<void> {
    this.closing = true;
    for (const job of this.waiting.splice(0)) job.resolve(withheld('the pool is closing'));
    clearTimeout(this.idleTimer);
    const goodbyes = [...this.idle].map((session) => session.quit());
    if (this.running > 0) await new Promise<void>((resolve) => (this.onDrained = resolve));
    await Promise.all(goodbyes);
  }

  /** Connects and logs in on a connection of its own, for a status page. */
  async verify(): Promise<SmtpCheck> {
    const startedAt = performance.now();
    const session = new SmtpSession(
      this.options.settings,
      () => false,
      () => undefined,
    );
    const failure = await session.open();
    if (failure) return { ok: false, result: failure };
    const answers = await session.reset();
    await session.quit();
    if (!answers) {
      return {
        ok: false,
        result: { kind: 'broken', phase: 'mail', dotSent: false, error: 'The server did not answer RSET' },
      };
    }
    return { ok: true, capabilities: session.capabilities, durationMs: Math.round(performance.now() - startedAt) };
  }

  private pump(): void {
    while (this.running < this.limit) {
      const job = this.waiting.shift();
      if (!job) break;
      this.running++;
      void this.run(job);
    }
    if (this.running === 0) this.onDrained?.();
  }

  private async run({ letter, resolve }: Job): Promise<void> {
    const { generation } = this;
    let session = this.idle.pop();
    let result = session && (await deliver(session, letter));
    const stale = session && result && session.wasStale(result) && generation === this.generation;
    if (!session || !result || stale) {
      session?.kill();
      session = this.create();
      result = (await this.open(session)) ?? (await deliver(session, letter));
    }
    resolve(result);
    if (await session.settle(result)) await this.keep(session);
    this.running--;
    this.pump();
  }

  private create(): SmtpSession {
    const mayWriteDot = this.options.beforeDot ?? (() => true);
    const session = new SmtpSession(this.options.settings, mayWriteDot, (dead) => this.forget(dead));
    this.sessions.add(session);
    return session;
  }

  private async open(session: SmtpSession): Promise<SmtpFailure | null> {
    const failure = await session.open();
    const { host, port } = this.options.settings;
    if (!failure) {
      this.established.add(session);
      this.options.logger?.debug({ event: 'smtp_connection_opened', host, port }, 'SMTP connection opened');
    } else if (failure.kind !== 'withheld') {
      this.options.logger?.warn({ event: 'smtp_connection_failed', host, port, failure }, 'SMTP connection failed');
      if (this.established.size === 0) for (const job of this.waiting.splice(0)) job.resolve(failure);
    }
    return failure;
  }

  private async keep(session: SmtpSession): Promise<void> {
    const { maxMessagesPerConnection = Infinity } = this.options;
    const surplus = this.sessions.size > this.limit;
    if (this.closing || surplus || session.letters >= maxMessagesPerConnection) return session.quit();
    session.idleSince = performance.now();
    this.idle.push(session);
    this.idleTimer ??= setTimeout(() => this.closeIdle(), this.idleCloseMs).unref();
  }

  private closeIdle(): void {
    this.idleTimer = undefined;
    const longAgo = performance.now() - this.idleCloseMs;
    for (const session of [...this.idle]) if (session.idleSince <= longAgo + 1) void session.quit();
    const [oldest] = this.idle;
    if (oldest) this.idleTimer = setTimeout(() => this.closeIdle(), Math.max(1, oldest.idleSince - longAgo)).unref();
  }

  private forget(session: SmtpSession): void {
    this.sessions.delete(session);
    this.established.delete(session);
    const at = this.idle.indexOf(session);
    if (at >= 0) this.idle.splice(at, 1);
  }
}

/** Our own checks, once it is known what the server takes, then the letter; nothing was sent for it before. */
function deliver(session: SmtpSession, letter: Letter): Promise<TransmitResult> | TransmitResult {
  const { capabilities: server } = session;
  const from = letter.from && asciiDomain(letter.from);
  const to = asciiDomain(letter.to);
  if (to === null) return unsendable('bad_address', 'The address cannot be used in an SMTP command.');
  if (from === null) return unsendable('sender_needs_utf8', 'The sender address cannot be used in an SMTP command.');
  if (!server.smtpUtf8 && !ASCII.test(to)) {
    return unsendable('address_needs_utf8', 'The address is not ASCII and the server does not offer SMTPUTF8.');
  }
  if (!server.smtpUtf8 && !ASCII.test(from)) {
    return unsendable('sender_needs_utf8', 'The sender address is not ASCII and the server does not offer SMTPUTF8.');
  }
  let raw: Buffer;
  try {
    raw = typeof letter.raw === 'function' ? letter.raw(server) : letter.raw;
  } catch (error) {
    return unsendable('template_failed', error instanceof Error ? error.message : String(error));
  }
  if (server.size !== null && raw.length > server.size) {
    return unsendable('too_large', `The letter has ${raw.length} bytes, the server takes ${server.size}.`);
  }
  return session.send({ from, to }, raw);
}

/**
 * The address with its domain in ASCII (RFC 5890), or null where it is no address for an SMTP command: nothing that could
 * end the command gets past here.
 */
function asciiDomain(address: string): string | null {
  if (!MAILBOX.test(address)) return null;
  if (ASCII.test(address)) return address;
  const at = address.lastIndexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  return domain && `${address.slice(0, at)}@${domain}`;
}

const unsendable = (problem: UnsendableProblem, text: string): SmtpFailure => ({ kind: 'unsendable', problem, text });
const withheld = (text: string): SmtpFailure => ({ kind: 'withheld', phase: 'connect', text });
