import { isAscii } from 'node:buffer';
import { failpoint } from '../config/failpoint';
import type { SmtpPhase, SmtpReply, TransmitResult } from '../domain/smtp-outcome';
import { endOfPart, finalDot, onTheWire } from './letter-body';
import type { SmtpFailure } from './smtp-failure';
import type { SmtpCapabilities } from './smtp-handshake';
import type { SmtpSettings } from './smtp-url';

export interface Envelope {
  from: string;
  to: string;
}

/** What a transaction needs of its connection. */
export interface TransactionWire {
  readonly settings: SmtpSettings;
  readonly capabilities: SmtpCapabilities;
  /** Writes commands, in UTF-8, and waits for the answer to the first one. */
  say(commands: string): void;
  /** Writes octets, in a text one a character; `taken` is called once they left this process. */
  write(octets: string | Buffer, taken?: () => void): void;
  /** The next answer must come within this time. */
  expect(ms: number): void;
  /** Whether every answer of the server has been consumed; if not, the connection is closed. */
  isUpToDate(): boolean;
  /** Asked immediately before the final dot. */
  mayWriteDot(): boolean;
  kill(): void;
}

/** What a command may contain without SMTPUTF8. */
export const ASCII = /^[\x20-\x7e]*$/;
const DATA = 'DATA\r\n';
const NOTHING = Buffer.alloc(0);
/** A longer letter goes out in parts, as the server takes them. */
const PART = 64 * 1024;
const TAIL_PART = 256 * 1024;

/** What an answer means: the letter's result, that more answers are to come, or that it does not answer our command. */
export type Heard = TransmitResult | 'more' | 'unexpected';

/**
 * One letter on a connection: MAIL, RCPT, DATA, the body, the dot, and what answers them (RFC 5321 section 3.3; with
 * PIPELINING the first three go out at once, RFC 2920). Nothing happens between asking `mayWriteDot` and writing the
 * dot.
 */
export class LetterTransaction {
  /** Which answer is awaited. */
  phase: SmtpPhase = 'mail';
  bodyStarted = false;
  /** The dot was given to the socket: from now on the server may accept the letter. */
  dotSent = false;
  /** The first refusal, while answers to commands that were sent along are still to come. */
  refusal: SmtpFailure | null = null;
  private ended = false;

  constructor(
    private readonly wire: TransactionWire,
    private readonly envelope: Envelope,
    private raw: Buffer,
    private tail: Buffer | undefined,
  ) {}

  begin(): void {
    const mail = this.mailCommand();
    this.wire.say(this.wire.capabilities.pipelining ? `${mail}${this.rcptCommand()}${DATA}` : mail);
  }

  /** Nothing more is written; the letter's octets can be freed. */
  end(): void {
    this.ended = true;
    this.raw = NOTHING;
    this.tail = undefined;
  }

  /** One whole answer: the one to `phase`. */
  hear(reply: SmtpReply): Heard {
    const { phase } = this;
    const { code } = reply;
    if (code >= 400) this.refusal ??= { kind: 'refused', phase, reply };
    // What was sent along with a refused command is answered, too.
    const more = this.wire.capabilities.pipelining && code !== 421 && (phase === 'mail' || phase === 'rcpt');
    if (this.refusal && !more) return this.refusal;
    const asAsked = phase === 'data' ? code === 354 && !this.bodyStarted : code < 300;
    if (!asAsked && !this.refusal) return 'unexpected';
    if (phase === 'dot') return { kind: 'accepted', reply };
    if (phase === 'mail') this.proceed('rcpt');
    else if (phase === 'rcpt') this.proceed('data');
    else this.writeBody();
    return 'more';
  }

  private mailCommand(): string {
    const { from, to } = this.envelope;
    const { smtpUtf8, eightBitMime, declaresSize } = this.wire.capabilities;
    const utf8 = smtpUtf8 && !(ASCII.test(from) && ASCII.test(to)) ? ' SMTPUTF8' : '';
    const body = eightBitMime && !isAscii(this.raw) ? ' BODY=8BITMIME' : '';
    const size = declaresSize ? ` SIZE=${this.raw.length + (this.tail?.length ?? 0)}` : '';
    return `MAIL FROM:<${from}>${utf8}${body}${size}\r\n`;
  }

  private rcptCommand(): string {
    return `RCPT TO:<${this.envelope.to}>\r\n`;
  }

  private proceed(to: 'rcpt' | 'data'): void {
    const { capabilities, settings } = this.wire;
    this.phase = to;
    if (capabilities.pipelining) this.wire.expect(settings.commandTimeoutMs);
    else this.wire.say(to === 'rcpt' ? this.rcptCommand() : DATA);
  }

  private writeBody(): void {
    if (!this.wire.isUpToDate()) return;
    this.bodyStarted = true;
    if (this.tail || this.raw.length > PART) this.writePart(0);
    else this.writeEnd(onTheWire(this.raw));
  }

  /** Writes a long letter part by part, each when the socket has taken the one before, then the dot by itself. */
  private writePart(from: number): void {
    const { raw } = this;
    if (from >= raw.length) return this.tail ? this.writeTail(this.tail, 0) : this.writeEnd('');
    const to = endOfPart(raw, from, PART);
    this.wire.expect(this.wire.settings.dataTimeoutMs);
    this.wire.write(onTheWire(raw, from, to), () => {
      if (!this.ended) this.writePart(to);
    });
  }

  /** Writes what follows the letter as it is, without a copy. */
  private writeTail(tail: Buffer, from: number): void {
    if (from >= tail.length) return this.writeEnd('');
    this.wire.expect(this.wire.settings.dataTimeoutMs);
    this.wire.write(tail.subarray(from, from + TAIL_PART), () => {
      if (!this.ended) this.writeTail(tail, from + TAIL_PART);
    });
  }

  /**
   * Writes the rest of the letter and the final dot, in the same turn of the event loop in which `mayWriteDot` is
   * asked.
   */
  private writeEnd(body: string): void {
    failpoint('before-dot');
    if (!this.wire.mayWriteDot()) return this.wire.kill();
    this.dotSent = true;
    this.phase = 'dot';
    this.wire.expect(this.wire.settings.dotTimeoutMs);
    this.wire.write(body + finalDot(this.raw));
    failpoint('after-dot');
  }
}
