import { parseSmtpReply, type SmtpPhase, type SmtpReply, STOPPED, type TransmitResult } from '../domain/smtp-outcome';
import { Deadline } from './deadline';
import { type Envelope, LetterTransaction, type TransactionWire } from './letter-transaction';
import { ReplyParser } from './reply-parser';
import { broken, notAReply, type SmtpFailure } from './smtp-failure';
import { type SmtpCapabilities, SmtpHandshake, type SmtpLine } from './smtp-handshake';
import { type SmtpSettings } from './smtp-url';

/** The state of a connection: `letter` and `reset` wait for an answer, `idle` for the next letter. */
type Mode = 'new' | 'opening' | 'idle' | 'letter' | 'reset' | 'dead';

const QUIT_MS = 1_000;

/**
 * One connection: the handshake once, then letters one after another. Each step has its own deadline, so that a server
 * that sends a byte now and then is cut off too.
 */
export class SmtpSession implements TransactionWire {
  /** Letters that were answered on this connection. */
  letters = 0;
  /** Kept by the pool: when it last became free (monotonic milliseconds). */
  idleSince = 0;
  private mode: Mode = 'new';
  private line: SmtpLine | null = null;
  /** The running letter, or the last one. */
  private letter: LetterTransaction | null = null;
  private timedOut = false;
  private finish: ((result: TransmitResult | null) => void) | null = null;
  private readonly handshake: SmtpHandshake;
  private readonly replies = new ReplyParser();
  /** The last answer in each phase: most are the same for every letter. */
  private readonly usual: Partial<Record<SmtpPhase, SmtpReply>> = {};
  private readonly deadline = new Deadline((waitMs) => {
    this.timedOut = true;
    this.lost(new Error(`No answer within ${waitMs} ms`));
  });

  /**
   * @param mayWriteDot asked before a letter begins, and immediately before its final dot; false destroys the connection
   * instead
   * @param onDead called once, when the connection can't be used any more
   */
  constructor(
    readonly settings: SmtpSettings,
    readonly mayWriteDot: () => boolean,
    private readonly onDead: (session: SmtpSession) => void,
  ) {
    this.handshake = new SmtpHandshake(settings, (line, failure) => (line ? this.ready(line) : this.die(failure)));
  }

  get dead(): boolean {
    return this.mode === 'dead';
  }

  /** Of a connection that is open. */
  get capabilities(): SmtpCapabilities {
    if (!this.line) throw new Error('this connection is not open');
    return this.line.capabilities;
  }

  /** Connects, secures, logs in. Null when ready, else why not; then the session is dead. */
  open(): Promise<SmtpFailure | null> {
    return new Promise((resolve) => {
      this.mode = 'opening';
      this.finish = resolve as (result: TransmitResult | null) => void;
      this.handshake.begin();
    });
  }

  /** Sends one letter; its addresses must not contain control characters. `settle` must be called before the next. */
  send(envelope: Envelope, raw: Buffer, tail?: Buffer): Promise<TransmitResult> {
    // Once this worker does not count as alive any more, not even a transaction begins.
    if (this.mode !== 'idle' || !this.mayWriteDot())
      return Promise.resolve({ kind: 'withheld', phase: 'connect', text: STOPPED });
    return new Promise((resolve) => {
      this.mode = 'letter';
      this.finish = resolve as (result: TransmitResult | null) => void;
      this.timedOut = false;
      this.letter = new LetterTransaction(this, envelope, raw, tail);
      this.letter.begin();
    });
  }

  /** After a letter: makes the connection ready for the next one. False when it is not to be used again. */
  settle(result: TransmitResult): Promise<boolean> | boolean {
    if (this.dead) return false;
    if (result.kind === 'accepted' || result.kind === 'unsendable') return true;
    const spent = result.kind !== 'refused' || /^(421|50[0234])$/.test(String(result.reply.code));
    if (spent || (this.letter?.bodyStarted && !this.letter.dotSent)) {
      this.kill();
      return false;
    }
    return result.phase === 'dot' ? true : this.reset();
  }

  /** RSET: ends a refused transaction, and proves that the server still answers. */
  async reset(): Promise<boolean> {
    const result = await new Promise<TransmitResult | null>((resolve) => {
      this.mode = 'reset';
      this.finish = resolve;
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

  /**
   * Destroys the connection at once, with unsent bytes. A running letter ends `broken` if its dot was written, else
   * `withheld`.
   */
  kill(): void {
    if (this.dead) return;
    if (!this.line) return this.mode === 'opening' ? this.handshake.abandon() : this.die(null);
    this.line.tcp.resetAndDestroy();
    const { phase, dotSent } = this.running;
    const error = new Error(STOPPED);
    this.die(dotSent ? broken(phase, error, true) : { kind: 'withheld', phase, text: STOPPED });
  }

  /**
   * Makes sure that no further dot is written: destroys the connection, unless only the answer to a dot is still to
   * come.
   */
  fence(): void {
    if (!this.running.dotSent || this.line?.socket.writableLength !== 0) this.kill();
  }

  /** Sends QUIT; resolves when the connection is closed, after a second at most. */
  quit(): Promise<void> {
    const { line } = this;
    if (this.dead || !line) return Promise.resolve();
    this.mode = 'dead';
    this.deadline.stop();
    this.onDead(this);
    return new Promise((resolve) => {
      const timer = setTimeout(() => line.tcp.destroy(), QUIT_MS);
      line.tcp.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      line.conn.quit();
    });
  }

  say(commands: string): void {
    if (!this.isUpToDate()) return;
    this.expect(this.settings.commandTimeoutMs);
    // As UTF-8: with one octet per character U+010A would become a line end.
    this.line?.socket.write(commands);
  }

  write(octets: string | Buffer, taken?: () => void): void {
    if (taken) this.line?.socket.write(octets, 'latin1', (error) => error ?? taken());
    else this.line?.socket.write(octets, 'latin1');
  }

  expect(ms: number): void {
    this.deadline.within(ms);
  }

  /** Anything left would be taken for the next answer, so the connection is closed. */
  isUpToDate(): boolean {
    const { left } = this.replies;
    if (left) this.lost(new Error(`The server said what it was not asked: ${JSON.stringify(left.slice(0, 200))}`));
    return !left;
  }

  /** From now on we read the answers ourselves; nodemailer only notices when the connection ends. */
  private ready(line: SmtpLine): void {
    const { tcp, socket, conn } = line;
    this.line = line;
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => this.listen(chunk));
    socket.setTimeout(0);
    for (const source of new Set([tcp, socket, conn])) source.on('error', (error: Error) => this.lost(error));
    conn.once('end', () => queueMicrotask(() => this.closed()));
    this.end(null);
  }

  private listen(chunk: Buffer): void {
    // The answer to our goodbye.
    if (this.dead) return this.line?.conn.close();
    if (!this.replies.add(chunk)) return this.lost(new Error('The server’s answer does not end'));
    let answer: string | null = null;
    while (this.finish && (answer = this.replies.next()) !== null) this.hear(answer);
    if (!this.finish) this.isUpToDate();
  }

  private hear(answer: string): void {
    const { phase } = this.running;
    const usual = this.usual[phase];
    const reply = usual?.text === answer ? usual : parseSmtpReply(answer);
    if (!reply) return this.lost(notAReply(answer));
    this.usual[phase] = reply;
    const { code } = reply;
    const heard = this.mode === 'letter' && this.letter ? this.letter.hear(reply) : heardToReset(reply);
    if (heard === 'more') return;
    if (heard === 'unexpected') return this.lost(new Error(`Unexpected answer ${JSON.stringify(answer)}`));
    this.end(heard);
    // The server closes the connection anyway (421), or waits for a letter's text that will not be sent (354).
    if (heard?.kind === 'refused' && (code === 421 || code < 400)) this.kill();
  }

  /** The step of the running letter; an answer to RSET is handled like one to MAIL. */
  private get running(): Pick<LetterTransaction, 'phase' | 'dotSent'> {
    return this.mode === 'letter' && this.letter ? this.letter : NO_LETTER;
  }

  /** Ends what runs, once. */
  private end(result: TransmitResult | null): void {
    const { finish } = this;
    if (!finish) return;
    this.finish = null;
    this.deadline.met();
    if (this.mode === 'letter' && result && result.kind !== 'withheld') this.letters++;
    this.letter?.end();
    if (this.mode !== 'dead') this.mode = 'idle';
    finish(result);
  }

  /** The server may have closed the connection after a part of a refusal: the part that came counts. */
  private closed(): void {
    const { left } = this.replies;
    if (this.finish && /^[45]\d\d[ -]/.test(left)) this.hear(left);
    this.lost(new Error('The connection was closed'));
  }

  private lost(error: Error): void {
    if (this.dead) return;
    const { phase, dotSent } = this.running;
    const refusal = this.mode === 'letter' ? this.letter?.refusal : null;
    this.line?.tcp.destroy();
    this.die(refusal ?? broken(phase, error, dotSent));
  }

  private die(failure: SmtpFailure | null): void {
    if (this.dead) return;
    this.deadline.stop();
    this.line?.conn.close();
    if (this.mode === 'letter' && this.finish && failure && failure.kind !== 'withheld') this.letters++;
    this.mode = 'dead';
    this.end(failure);
    this.onDead(this);
  }
}

const NO_LETTER = { phase: 'mail', dotSent: false } as const;

function heardToReset(reply: SmtpReply): TransmitResult | null | 'unexpected' {
  if (reply.code >= 400) return { kind: 'refused', phase: 'mail', reply };
  return reply.code < 300 ? null : 'unexpected';
}
