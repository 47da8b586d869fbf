import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { parseSmtpReply, type SmtpPhase, STOPPED } from '../domain/smtp-outcome';
import { Deadline } from './deadline';
import { broken, notAReply, type SmtpFailure } from './smtp-failure';
import { type SmtpSettings } from './smtp-url';

/** What the server offers, from its last EHLO. */
export interface SmtpCapabilities {
  eightBitMime: boolean;
  smtpUtf8: boolean;
  pipelining: boolean;
  /** Largest letter in bytes; null where the server names none. */
  size: number | null;
  /** Whether MAIL may say how long the letter is (RFC 1870), with or without a largest one. */
  declaresSize: boolean;
}

/** A connection that takes letters. */
export interface SmtpLine {
  tcp: Socket;
  /** What letters go through: `tcp` or the TLS over it. */
  socket: Socket;
  capabilities: SmtpCapabilities;
  /** nodemailer's connection: notices when the connection ends, and sends QUIT. */
  conn: SMTPConnection;
}

type SmtpError = Error & { response?: string; command?: string };

const NEVER_MS = 2 ** 31 - 1;
const PHASE_OF_COMMAND: Record<string, SmtpPhase> = { EHLO: 'ehlo', HELO: 'ehlo', STARTTLS: 'tls' };
const NOTHING_OFFERED = { eightBitMime: false, smtpUtf8: false, pipelining: false, size: null, declaresSize: false };

/**
 * Connects, secures, logs in, once. Each step has its own deadline, so that a server that sends a byte now and then is
 * cut off too. nodemailer's class does the talking; the step it has reached is read from its (documented) transaction
 * log, because it reports any lost connection as a failed connect.
 */
export class SmtpHandshake {
  /** Which answer is awaited. */
  private phase: SmtpPhase;
  private answered: SmtpPhase = 'connect';
  private over = false;
  private tcp: Socket | null = null;
  private conn: SMTPConnection | null = null;
  private capabilities: SmtpCapabilities = NOTHING_OFFERED;
  private readonly deadline = new Deadline((waitMs) => this.lost(new Error(`No answer within ${waitMs} ms`)));

  /** @param done called once with the outcome, in the turn of the event loop in which it is known */
  constructor(
    private readonly settings: SmtpSettings,
    private readonly done: (line: SmtpLine | null, failure: SmtpFailure | null) => void,
  ) {
    this.phase = isIP(settings.host) ? 'connect' : 'dns';
  }

  begin(): void {
    const { host, port, localAddress, secure, connectionTimeoutMs } = this.settings;
    this.deadline.within(connectionTimeoutMs);
    const own = localAddress !== null && { localAddress };
    const tcp = connect({ host, port, noDelay: true, keepAlive: true, ...own });
    this.tcp = tcp;
    tcp.on('error', (error: SmtpError) => this.lost(error));
    tcp.once('lookup', (error) => {
      if (!error) this.phase = 'connect';
    });
    tcp.once('connect', () => (secure ? this.secure(tcp) : this.greet(tcp)));
  }

  /** Destroys what there is of the connection. */
  abandon(): void {
    this.fail({ kind: 'withheld', phase: this.phase, text: STOPPED });
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
    // After a 421 nodemailer emits `end` before the error, in the same turn of the event loop.
    conn.once('end', () => queueMicrotask(() => this.lost(new Error('The connection was closed'))));
    conn.connect((error) => (error ? this.lost(error) : this.login(conn)));
  }

  private login(conn: SMTPConnection): void {
    const { login, authMethod } = this.settings;
    if (!login) return this.ready(conn);
    if (!conn.allowsAuth)
      return this.fail({ kind: 'unsendable', problem: 'login_not_offered', text: 'The server offers no login.' });
    conn.login({ credentials: login, method: authMethod ?? false }, (error) =>
      error ? this.lost(error) : this.ready(conn),
    );
  }

  private ready(conn: SMTPConnection): void {
    const { tcp, capabilities } = this;
    if (this.over || !tcp) return;
    this.over = true;
    this.deadline.stop();
    // nodemailer has no public access to the socket that STARTTLS made.
    const { _socket: socket } = conn as unknown as { _socket: Socket };
    this.done({ tcp, socket, capabilities, conn }, null);
  }

  private tls() {
    const { servername, rejectUnauthorized } = this.settings;
    return { rejectUnauthorized, ...(servername !== null && { servername }) };
  }

  /** nodemailer's transaction log: every command written, every complete answer read. */
  private note(kind: string | undefined, message: string): void {
    if (this.over) return;
    if (kind === 'client') {
      const verb = /^(EHLO|HELO|STARTTLS|AUTH)\b/.exec(message)?.[1];
      if (verb === undefined) return;
      this.phase = PHASE_OF_COMMAND[verb] ?? 'auth';
      this.deadline.within(this.settings.commandTimeoutMs);
    } else if (kind === 'server') {
      if (!parseSmtpReply(message)) return this.lost(notAReply(message));
      this.answered = this.phase;
      if (this.phase === 'ehlo') this.capabilities = capabilitiesOf(message);
    }
  }

  private lost(error: SmtpError): void {
    const reply = typeof error.response === 'string' ? parseSmtpReply(error.response) : null;
    if (reply && reply.code >= 400)
      return this.fail({ kind: 'refused', phase: this.phaseOf(error.command ?? ''), reply });
    this.fail(broken(this.phase, error));
  }

  private phaseOf(command: string): SmtpPhase {
    return PHASE_OF_COMMAND[command] ?? (command.startsWith('AUTH') ? 'auth' : this.answered);
  }

  private fail(failure: SmtpFailure): void {
    if (this.over) return;
    this.over = true;
    this.deadline.stop();
    this.conn?.close();
    this.tcp?.destroy();
    this.done(null, failure);
  }
}

function capabilitiesOf(ehlo: string): SmtpCapabilities {
  const size = /^250[ -]SIZE[ \t]+(\d+)/im.exec(ehlo)?.[1];
  return {
    eightBitMime: /^250[ -]8BITMIME\b/im.test(ehlo),
    smtpUtf8: /^250[ -]SMTPUTF8\b/im.test(ehlo),
    pipelining: /^250[ -]PIPELINING\b/im.test(ehlo),
    size: Number(size ?? 0) || null,
    declaresSize: /^250[ -]SIZE\b/im.test(ehlo),
  };
}
