import { isAscii } from 'node:buffer';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { failpoint, isArmed } from '../config/failpoint';
import { parseSmtpReply, remoteQueueId, type SmtpPhase, type TransmitResult } from '../domain/smtp-outcome';
import { LetterBody } from './letter-body';
import { type SmtpSettings } from './smtp-url';

/** What the server offers, from its last EHLO. */
export interface SmtpCapabilities {
  eightBitMime: boolean;
  smtpUtf8: boolean;
  pipelining: boolean;
  /** Largest letter in bytes; null where the server names none. */
  size: number | null;
}

export interface Envelope {
  from: string;
  to: string;
}

/** Every result but `accepted`. */
export type SmtpFailure = Exclude<TransmitResult, { kind: 'accepted' }>;
type SmtpError = Error & { code?: string; response?: string; command?: string; syscall?: string };

const NEVER_MS = 2 ** 31 - 1;
const QUIT_MS = 1_000;
const NEXT: Partial<Record<SmtpPhase, SmtpPhase>> = { mail: 'rcpt', rcpt: 'data' };
const PHASE_OF_COMMAND: Record<string, SmtpPhase> = {
  EHLO: 'ehlo',
  HELO: 'ehlo',
  STARTTLS: 'tls',
  'MAIL FROM': 'mail',
  'RCPT TO': 'rcpt',
};

/**
 * One connection: connect, TLS, login once, then letters one after another. It knows at every moment which answer it
 * waits for. nodemailer's class speaks the protocol; where it stands is read from its (documented) transaction log,
 * because it reports any lost connection as a failed connect. Each step has its own deadline, so that a server that
 * sends a byte now and then is cut off too.
 */
export class SmtpSession {
  capabilities: SmtpCapabilities = { eightBitMime: false, smtpUtf8: false, pipelining: false, size: null };
  /** Letters that were answered on this connection. */
  letters = 0;
  dead = false;
  /** Kept by the pool: when it last became free (monotonic milliseconds). */
  idleSince = 0;
  private phase: SmtpPhase;
  private answered: SmtpPhase = 'connect';
  private dotSent = false;
  private timedOut = false;
  private inLetter = false;
  private bodyStarted = false;
  private finish: ((result: TransmitResult | null) => void) | null = null;
  private timer: NodeJS.Timeout | undefined;
  /** When the timer fires, and by when an answer must have come (monotonic milliseconds; Infinity: none is awaited). */
  private timerAt = Infinity;
  private deadline = Infinity;
  private waitMs = 0;
  private tcp: Socket | null = null;
  private conn: SMTPConnection | null = null;

  /**
   * @param mayWriteDot asked immediately before every final dot; false destroys the connection instead
   * @param onDead called once, when the connection can't be used any more
   */
  constructor(
    private readonly settings: SmtpSettings,
    private readonly mayWriteDot: () => boolean,
    private readonly onDead: (session: SmtpSession) => void,
  ) {
    this.phase = isIP(settings.host) ? 'connect' : 'dns';
  }

  /** Connects, secures, logs in. Null when ready, else why not; then the session is dead. */
  open(): Promise<SmtpFailure | null> {
    const { host, port, localAddress, secure, connectionTimeoutMs } = this.settings;
    return new Promise((resolve) => {
      this.finish = resolve as (result: TransmitResult | null) => void;
      this.wait(connectionTimeoutMs);
      const tcp = connect({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        ...(localAddress !== null && { localAddress }),
      });
      this.tcp = tcp;
      tcp.on('error', (error: SmtpError) => this.lost(error));
      tcp.once('lookup', (error) => {
        if (!error) this.phase = 'connect';
      });
      tcp.once('connect', () => (secure ? this.secure(tcp) : this.greet(tcp)));
    });
  }

  /** Offers one letter. The session is ready for the next only after `settle`. */
  send({ from, to }: Envelope, raw: Buffer): Promise<TransmitResult> {
    const { conn } = this;
    if (!conn || this.dead) {
      return Promise.resolve({ kind: 'withheld', phase: 'connect', text: 'stopped by this worker' });
    }
    return new Promise((resolve) => {
      this.finish = resolve as (result: TransmitResult | null) => void;
      this.phase = 'mail';
      this.inLetter = true;
      this.dotSent = this.bodyStarted = this.timedOut = false;
      this.wait(this.settings.commandTimeoutMs);
      const use8BitMime = this.capabilities.eightBitMime && !isAscii(raw);
      conn.send({ from, to, size: raw.length, use8BitMime }, new LetterBody(raw, this), (error, info) =>
        this.end(error ? this.failureOf(error) : this.acceptedOf(info?.response ?? '')),
      );
    });
  }

  /** After a letter: makes the connection ready for the next one. False when it is not to be used again. */
  settle(result: TransmitResult): Promise<boolean> | boolean {
    if (this.dead) return false;
    if (result.kind === 'accepted' || result.kind === 'unsendable') return true;
    const spent = result.kind !== 'refused' || /^(421|50[0234])$/.test(String(result.reply.code));
    if (spent || (this.bodyStarted && !this.dotSent)) {
      this.kill();
      return false;
    }
    return result.phase === 'dot' ? true : this.reset();
  }

  /** RSET: ends a refused transaction, and proves that the server still answers. */
  async reset(): Promise<boolean> {
    const result = await new Promise<TransmitResult | null>((resolve) => {
      this.finish = resolve;
      this.phase = 'mail';
      this.wait(this.settings.commandTimeoutMs);
      this.conn?.reset((error) => this.end(error ? this.failureOf(error) : null));
    });
    if (result) this.kill();
    return !result && !this.dead;
  }

  /**
   * Whether the letter failed only because the server had given up this kept connection before it began:
   * no answer to MAIL FROM but a closed connection or a 421. Ask it of connections that served a letter before.
   */
  wasStale(result: TransmitResult): boolean {
    if (this.timedOut) return false;
    if (result.kind === 'broken') return result.phase === 'mail' && !result.dotSent;
    return result.kind === 'refused' && result.phase === 'mail' && result.reply.code === 421;
  }

  /** Destroys the connection at once, unsent bytes included. What ran ends: unknown if its dot was out, else withheld. */
  kill(): void {
    if (this.dead) return;
    this.dead = true;
    clearTimeout(this.timer);
    if (this.tcp?.connecting) this.tcp.destroy();
    else this.tcp?.resetAndDestroy();
    this.conn?.close();
    const { phase, dotSent } = this;
    const text = 'stopped by this worker';
    this.end(dotSent ? { kind: 'broken', phase, dotSent, error: text } : { kind: 'withheld', phase, text });
    this.onDead(this);
  }

  /** Says goodbye; resolves when the connection is gone, which takes a second at most. */
  quit(): Promise<void> {
    const { tcp } = this;
    if (this.dead || !tcp) return Promise.resolve();
    this.dead = true;
    this.onDead(this);
    return new Promise((resolve) => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => tcp.destroy(), QUIT_MS);
      tcp.once('close', () => {
        clearTimeout(this.timer);
        resolve();
      });
      this.conn?.quit();
    });
  }

  mayStart(): boolean {
    if (!this.finish || this.dead) return false;
    const reply = this.conn?.lastServerResponse;
    if (typeof reply !== 'string' || !reply.startsWith('354')) {
      this.lost(new Error(`DATA was answered with ${JSON.stringify(reply)}`));
      return false;
    }
    this.bodyStarted = true;
    this.wait(this.settings.dataTimeoutMs);
    // Body and dot of a small letter leave in one segment: a seventh more letters per second.
    this.tcp?.cork();
    setImmediate(() => this.tcp?.uncork());
    return true;
  }

  onProgress(): void {
    if (this.finish) this.wait(this.settings.dataTimeoutMs);
  }

  mayEnd(): boolean {
    if (!this.finish || this.dead) return false;
    failpoint('before-dot');
    if (!this.mayWriteDot()) {
      this.kill();
      return false;
    }
    if (isArmed('after-dot')) setImmediate(() => failpoint('after-dot'));
    this.dotSent = true;
    this.phase = 'dot';
    this.wait(this.settings.dotTimeoutMs);
    return true;
  }

  private secure(tcp: Socket): void {
    this.phase = 'tls';
    this.wait(this.settings.commandTimeoutMs);
    const { host } = this.settings;
    const socket = connectTls({ socket: tcp, host, ...this.tls() }, () => this.greet(socket));
    socket.on('error', (error: SmtpError) => this.lost(error));
    tcp.once('close', () => this.lost(new Error('The connection was closed during the TLS handshake')));
  }

  private greet(socket: Socket): void {
    const { host, port, name, secure, requireTLS, ignoreTLS, greetingTimeoutMs } = this.settings;
    this.phase = 'greeting';
    this.wait(greetingTimeoutMs);
    const note = (entry: { tnx?: string }, message: string) => this.note(entry.tnx, message);
    const quiet = () => undefined;
    const conn = new SMTPConnection({
      connection: socket,
      host,
      port,
      secure,
      secured: secure,
      requireTLS,
      ignoreTLS,
      tls: this.tls(),
      ...(name !== null && { name }),
      logger: { debug: note, trace: quiet, info: quiet, warn: quiet, error: quiet, fatal: quiet },
      transactionLog: true,
      connectionTimeout: NEVER_MS,
      greetingTimeout: NEVER_MS,
      socketTimeout: NEVER_MS,
      socketCloseTimeout: 0,
    });
    this.conn = conn;
    conn.on('error', (error: SmtpError) => this.lost(error));
    // After a 421 nodemailer says that it ended before it says why, in the same turn.
    conn.once('end', () => queueMicrotask(() => this.lost(new Error('The connection was closed'))));
    conn.connect((error) => (error ? this.lost(error) : this.login(conn)));
  }

  private login(conn: SMTPConnection): void {
    const { login, authMethod } = this.settings;
    if (!login) return this.end(null);
    if (!conn.allowsAuth) {
      this.end({ kind: 'unsendable', problem: 'login_not_offered', text: 'The server offers no login.' });
      return this.kill();
    }
    conn.login({ credentials: login, method: authMethod ?? false }, (error) =>
      error ? this.lost(error) : this.end(null),
    );
  }

  private tls() {
    const { servername, rejectUnauthorized } = this.settings;
    return { rejectUnauthorized, ...(servername !== null && { servername }) };
  }

  /** nodemailer's transaction log: every command written, every complete answer read. */
  private note(kind: string | undefined, message: string): void {
    if (kind === 'client' && !this.inLetter) {
      const verb = /^(EHLO|HELO|STARTTLS|AUTH)\b/.exec(message)?.[1];
      if (verb === undefined) return;
      this.phase = PHASE_OF_COMMAND[verb] ?? 'auth';
      this.wait(this.settings.commandTimeoutMs);
    } else if (kind === 'server') {
      if (!parseSmtpReply(message))
        return this.lost(new Error(`Not an SMTP reply: ${JSON.stringify(message.slice(0, 200))}`));
      this.answered = this.phase;
      if (this.phase === 'ehlo') this.capabilities = capabilitiesOf(message);
      if (!this.inLetter || this.dotSent || !this.finish) return;
      this.phase = NEXT[this.phase] ?? this.phase;
      if (!this.bodyStarted) this.wait(this.settings.commandTimeoutMs);
    }
  }

  /**
   * The next answer must come within this time. A letter has five such waits, and hardly one ever ends by its deadline:
   * a timer that fires before the deadline is left running and looks again then.
   */
  private wait(ms: number): void {
    this.waitMs = ms;
    this.deadline = performance.now() + ms;
    if (this.timerAt > this.deadline) this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    this.timerAt = this.deadline;
    this.timer = setTimeout(() => this.expire(), Math.max(0, this.deadline - performance.now()) + 1);
  }

  private expire(): void {
    this.timerAt = Infinity;
    if (this.dead || this.deadline === Infinity) return;
    if (performance.now() < this.deadline) return this.arm();
    this.timedOut = true;
    this.lost(new Error(`No answer within ${this.waitMs} ms`));
  }

  /** Ends what runs, once. */
  private end(result: TransmitResult | null): void {
    const { finish } = this;
    if (!finish) return;
    this.finish = null;
    this.deadline = Infinity;
    if (this.inLetter && result && result.kind !== 'withheld') this.letters++;
    this.inLetter = false;
    finish(result);
  }

  private lost(error: SmtpError): void {
    if (this.dead) return;
    const failure = this.failureOf(error);
    this.dead = true;
    clearTimeout(this.timer);
    this.conn?.close();
    this.tcp?.destroy();
    this.end(failure);
    this.onDead(this);
  }

  private acceptedOf(response: string): TransmitResult {
    const reply = parseSmtpReply(response);
    if (this.dotSent && reply && reply.code < 300) {
      return { kind: 'accepted', reply, remoteQueueId: remoteQueueId(reply.text) };
    }
    return this.failureOf(Object.assign(new Error(`Unexpected answer ${JSON.stringify(response)}`), { response }));
  }

  private failureOf(error: SmtpError): SmtpFailure {
    const { dotSent } = this;
    const reply = typeof error.response === 'string' ? parseSmtpReply(error.response) : null;
    if (reply && reply.code >= 400) return { kind: 'refused', phase: this.phaseOf(error.command ?? ''), reply };
    return { kind: 'broken', phase: dotSent ? 'dot' : this.phase, dotSent, error: error.message };
  }

  private phaseOf(command: string): SmtpPhase {
    if (command === 'DATA') return this.dotSent ? 'dot' : 'data';
    return PHASE_OF_COMMAND[command] ?? (command.startsWith('AUTH') ? 'auth' : this.answered);
  }
}

function capabilitiesOf(ehlo: string): SmtpCapabilities {
  const size = /^250[ -]SIZE[ \t]+(\d+)/im.exec(ehlo)?.[1];
  return {
    eightBitMime: /^250[ -]8BITMIME\b/im.test(ehlo),
    smtpUtf8: /^250[ -]SMTPUTF8\b/im.test(ehlo),
    pipelining: /^250[ -]PIPELINING\b/im.test(ehlo),
    size: Number(size ?? 0) || null,
  };
}
