import { isAscii } from 'node:buffer';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { failpoint } from '../config/failpoint';
import { parseSmtpReply, remoteQueueId, type SmtpPhase, type TransmitResult } from '../domain/smtp-outcome';
import { Deadline } from './deadline';
import { endOfPart, finalDot, onTheWire } from './letter-body';
import { ReplyReader } from './reply-reader';
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

const NOBODY: Envelope = { from: '', to: '' };
const NOTHING = Buffer.alloc(0);
/** What goes into a command without SMTPUTF8. */
export const ASCII = /^[\x20-\x7e]*$/;
const DATA = 'DATA\r\n';
const NEVER_MS = 2 ** 31 - 1;
const QUIT_MS = 1_000;
/** A longer letter goes out in parts, as the server takes them. */
const PART = 64 * 1024;
const PHASE_OF_COMMAND: Record<string, SmtpPhase> = { EHLO: 'ehlo', HELO: 'ehlo', STARTTLS: 'tls' };

/**
 * One connection: connect, TLS, login once, then letters one after another. It knows at every moment which answer it
 * waits for: `phase`. Each step has its own deadline, so that a server that sends a byte now and then is cut off too.
 *
 * nodemailer's class speaks up to the login; where it stands is read from its (documented) transaction log, because it
 * reports any lost connection as a failed connect. The letters are our own: MAIL, RCPT, DATA and what answers them is
 * little, and nothing stands between the question before the dot and the dot.
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
  private envelope: Envelope = NOBODY;
  private raw: Buffer = NOTHING;
  /** The first no of this letter, while answers to commands that were sent along are still to come. */
  private refusal: SmtpFailure | null = null;
  private finish: ((result: TransmitResult | null) => void) | null = null;
  private readonly deadline = new Deadline((waitMs) => {
    this.timedOut = true;
    this.lost(new Error(`No answer within ${waitMs} ms`));
  });
  private readonly replies = new ReplyReader();
  private tcp: Socket | null = null;
  /** What letters go through once the connection is ready: `tcp` or the TLS over it. */
  private socket: Socket | null = null;
  private declaresSize = false;
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
      this.deadline.within(connectionTimeoutMs);
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

  /** Offers one letter, whose addresses hold no control characters. Ready for the next only after `settle`. */
  send(envelope: Envelope, raw: Buffer): Promise<TransmitResult> {
    if (!this.socket || this.dead) {
      return Promise.resolve({ kind: 'withheld', phase: 'connect', text: 'stopped by this worker' });
    }
    return new Promise((resolve) => {
      this.finish = resolve as (result: TransmitResult | null) => void;
      this.phase = 'mail';
      this.inLetter = true;
      this.dotSent = this.bodyStarted = this.timedOut = false;
      this.refusal = null;
      this.envelope = envelope;
      this.raw = raw;
      const mail = this.mailCommand();
      this.say(this.capabilities.pipelining ? `${mail}${rcptCommand(envelope)}${DATA}` : mail);
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
      this.say('RSET\r\n');
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
    this.deadline.stop();
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
      this.deadline.stop();
      const timer = setTimeout(() => tcp.destroy(), QUIT_MS);
      tcp.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.conn?.quit();
    });
  }

  private mailCommand(): string {
    const { from, to } = this.envelope;
    const { smtpUtf8, eightBitMime } = this.capabilities;
    const utf8 = smtpUtf8 && !(ASCII.test(from) && ASCII.test(to)) ? ' SMTPUTF8' : '';
    const body = eightBitMime && !isAscii(this.raw) ? ' BODY=8BITMIME' : '';
    const size = this.declaresSize ? ` SIZE=${this.raw.length}` : '';
    return `MAIL FROM:<${from}>${utf8}${body}${size}\r\n`;
  }

  /** In UTF-8: in one octet per character U+010A would be a line end. */
  private say(commands: string): void {
    if (!this.isUpToDate()) return;
    this.deadline.within(this.settings.commandTimeoutMs);
    this.socket?.write(commands);
  }

  private listen(chunk: Buffer): void {
    // The answer to our goodbye.
    if (this.dead) return this.conn?.close();
    if (!this.replies.add(chunk)) return this.lost(new Error('The server’s answer does not end'));
    let answer: string | null = null;
    while (this.finish && (answer = this.replies.next()) !== null) this.hear(answer);
    if (!this.finish) this.isUpToDate();
  }

  /** Whether all that the server said is taken. Anything left would pass for the next answer: that is the end. */
  private isUpToDate(): boolean {
    const { left } = this.replies;
    if (left) this.lost(new Error(`The server said what it was not asked: ${JSON.stringify(left.slice(0, 200))}`));
    return !left;
  }

  /** One whole answer: the one to `phase`. */
  private hear(answer: string): void {
    const { phase } = this;
    const reply = parseSmtpReply(answer);
    if (!reply) return this.lost(new Error(`Not an SMTP reply: ${JSON.stringify(answer.slice(0, 200))}`));
    const { code } = reply;
    if (code >= 400) this.refusal ??= { kind: 'refused', phase, reply };
    // What was sent along with a refused command is answered, too.
    const { pipelining } = this.capabilities;
    const more = this.inLetter && pipelining && code !== 421 && (phase === 'mail' || phase === 'rcpt');
    if (this.refusal && !more) return this.refuse(this.refusal, code);
    const asAsked = phase === 'data' ? code === 354 && !this.bodyStarted : code < 300;
    if (!asAsked && !this.refusal) return this.lost(new Error(`Unexpected answer ${JSON.stringify(answer)}`));
    if (!this.inLetter) this.end(null);
    else if (phase === 'mail') this.proceed('rcpt');
    else if (phase === 'rcpt') this.proceed('data');
    else if (phase === 'data') this.begin();
    else this.end({ kind: 'accepted', reply, remoteQueueId: remoteQueueId(reply.text) });
  }

  private refuse(refusal: SmtpFailure, code: number): void {
    this.end(refusal);
    // It closes anyway; or it waits for a letter that nobody is to get.
    if (code === 421 || code < 400) this.kill();
  }

  private proceed(to: 'rcpt' | 'data'): void {
    this.phase = to;
    if (this.capabilities.pipelining) this.deadline.within(this.settings.commandTimeoutMs);
    else this.say(to === 'rcpt' ? rcptCommand(this.envelope) : DATA);
  }

  private begin(): void {
    if (!this.isUpToDate()) return;
    this.bodyStarted = true;
    if (this.raw.length > PART) this.writePart(0);
    else this.writeEnd(onTheWire(this.raw));
  }

  /** Part after part of a long letter, each when the one before was taken; the dot by itself. */
  private writePart(from: number): void {
    const { raw } = this;
    if (from >= raw.length) return this.writeEnd('');
    const to = endOfPart(raw, from, PART);
    this.deadline.within(this.settings.dataTimeoutMs);
    this.socket?.write(onTheWire(raw, from, to), 'latin1', (error) => {
      if (!error && this.finish) this.writePart(to);
    });
  }

  /** The final dot, and what of the letter goes along with it, in the very turn in which we are asked whether it may. */
  private writeEnd(body: string): void {
    failpoint('before-dot');
    if (!this.mayWriteDot()) return this.kill();
    this.dotSent = true;
    this.phase = 'dot';
    this.deadline.within(this.settings.dotTimeoutMs);
    this.socket?.write(body + finalDot(this.raw), 'latin1');
    failpoint('after-dot');
  }

  private secure(tcp: Socket): void {
    this.phase = 'tls';
    this.deadline.within(this.settings.commandTimeoutMs);
    const { host } = this.settings;
    const socket = connectTls({ socket: tcp, host, ...this.tls() }, () => this.greet(socket));
    socket.on('error', (error: SmtpError) => this.lost(error));
    tcp.once('close', () => {
      if (!this.conn) this.lost(new Error('The connection was closed during the TLS handshake'));
    });
  }

  private greet(socket: Socket): void {
    const { host, port, name, secure, requireTLS, ignoreTLS, greetingTimeoutMs } = this.settings;
    this.phase = 'greeting';
    this.deadline.within(greetingTimeoutMs);
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
    conn.once('end', () => queueMicrotask(() => this.closed()));
    conn.connect((error) => (error ? this.lost(error) : this.login(conn)));
  }

  private login(conn: SMTPConnection): void {
    const { login, authMethod } = this.settings;
    if (!login) return this.takeOver(conn);
    if (!conn.allowsAuth) {
      this.end({ kind: 'unsendable', problem: 'login_not_offered', text: 'The server offers no login.' });
      return this.kill();
    }
    conn.login({ credentials: login, method: authMethod ?? false }, (error) =>
      error ? this.lost(error) : this.takeOver(conn),
    );
  }

  /** Ready for letters: from now on we listen ourselves, and nodemailer only notices the connection's end. */
  private takeOver(conn: SMTPConnection): void {
    // There is no other way to the socket that STARTTLS made.
    const { _socket: socket } = conn as unknown as { _socket: Socket };
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => this.listen(chunk));
    socket.setTimeout(0);
    this.socket = socket;
    this.end(null);
  }

  private tls() {
    const { servername, rejectUnauthorized } = this.settings;
    return { rejectUnauthorized, ...(servername !== null && { servername }) };
  }

  /** nodemailer's transaction log: every command written, every complete answer read. */
  private note(kind: string | undefined, message: string): void {
    if (kind === 'client') {
      const verb = /^(EHLO|HELO|STARTTLS|AUTH)\b/.exec(message)?.[1];
      if (verb === undefined) return;
      this.phase = PHASE_OF_COMMAND[verb] ?? 'auth';
      this.deadline.within(this.settings.commandTimeoutMs);
    } else if (kind === 'server') {
      if (!parseSmtpReply(message))
        return this.lost(new Error(`Not an SMTP reply: ${JSON.stringify(message.slice(0, 200))}`));
      this.answered = this.phase;
      if (this.phase !== 'ehlo') return;
      this.capabilities = capabilitiesOf(message);
      this.declaresSize = /^250[ -]SIZE\b/im.test(message);
    }
  }

  /** Ends what runs, once. */
  private end(result: TransmitResult | null): void {
    const { finish } = this;
    if (!finish) return;
    this.finish = null;
    this.deadline.met();
    if (this.inLetter && result && result.kind !== 'withheld') this.letters++;
    this.inLetter = false;
    this.refusal = null;
    this.raw = NOTHING;
    finish(result);
  }

  /** A no need not be complete. */
  private closed(): void {
    const { left } = this.replies;
    if (this.finish && /^[45]\d\d[ -]/.test(left)) this.hear(left);
    this.lost(new Error('The connection was closed'));
  }

  private lost(error: SmtpError): void {
    if (this.dead) return;
    const failure = this.refusal ?? this.failureOf(error);
    this.dead = true;
    this.deadline.stop();
    this.conn?.close();
    this.tcp?.destroy();
    this.end(failure);
    this.onDead(this);
  }

  private failureOf(error: SmtpError): SmtpFailure {
    const { dotSent } = this;
    const reply = typeof error.response === 'string' ? parseSmtpReply(error.response) : null;
    if (reply && reply.code >= 400) return { kind: 'refused', phase: this.phaseOf(error.command ?? ''), reply };
    return { kind: 'broken', phase: dotSent ? 'dot' : this.phase, dotSent, error: error.message };
  }

  private phaseOf(command: string): SmtpPhase {
    return PHASE_OF_COMMAND[command] ?? (command.startsWith('AUTH') ? 'auth' : this.answered);
  }
}

const rcptCommand = ({ to }: Envelope): string => `RCPT TO:<${to}>\r\n`;

function capabilitiesOf(ehlo: string): SmtpCapabilities {
  const size = /^250[ -]SIZE[ \t]+(\d+)/im.exec(ehlo)?.[1];
  return {
    eightBitMime: /^250[ -]8BITMIME\b/im.test(ehlo),
    smtpUtf8: /^250[ -]SMTPUTF8\b/im.test(ehlo),
    pipelining: /^250[ -]PIPELINING\b/im.test(ehlo),
    size: Number(size ?? 0) || null,
  };
}
