import { type Duplex, Readable } from 'node:stream';

const BLOCK = 64 * 1024;
/** What a data stream would have to mend (RFC 5321 4.5.2, 2.3.8): a dot that begins a line, a bare CR, a bare LF. */
const TO_MEND = /(?:^|\n)\.|\r(?!\n)|(?<!\r)\n/;

/** What the conversation wants to know while the body goes out. */
export interface BodyWatch {
  /** Asked once, after 354: false (or already over) writes nothing at all. */
  mayStart(): boolean;
  /** A block was taken. */
  onProgress(): void;
  /** Asked immediately before the end is written, in the same tick: false writes no dot. */
  mayEnd(): boolean;
}

/**
 * A letter as nodemailer wants it, with the end in our hands: nodemailer pipes the body into its own data stream after
 * 354, and only when that stream is ended does the final dot exist. So `mayEnd` is asked before a dot can be written,
 * and until it has answered true no byte of a dot can have left this process.
 * Small letters go in one write, past the stream's walk through every byte if there is nothing to mend; large ones
 * block by block, as the server takes them.
 */
export class LetterBody extends Readable {
  constructor(
    private readonly raw: Buffer,
    private readonly watch: BodyWatch,
  ) {
    super();
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    if (this.watch.mayStart()) {
      if (isReady(this.raw)) this.pass(destination as unknown as Duplex);
      else this.write(destination as unknown as Duplex, 0);
    }
    return destination;
  }

  override _read(): void {
    this.push(null);
  }

  /** The stream, which has seen no byte, ends with CRLF, dot, CRLF; so the letter's own last line end is left to it. */
  private pass(stream: Duplex): void {
    stream.push(this.raw.subarray(0, -2));
    if (this.watch.mayEnd()) stream.end();
  }

  private write(stream: Duplex, from: number): void {
    const to = from + BLOCK;
    stream.write(from === 0 && to >= this.raw.length ? this.raw : this.raw.subarray(from, to));
    const next = () => {
      if (from > 0) this.watch.onProgress();
      if (to < this.raw.length) this.write(stream, to);
      else if (this.watch.mayEnd()) stream.end();
    };
    if (stream.writableNeedDrain && this.raw.length > BLOCK) stream.once('drain', next);
    else next();
  }
}

const isReady = (raw: Buffer): boolean => {
  if (raw.length > BLOCK || raw.length < 3) return false;
  const text = raw.toString('latin1');
  return text.endsWith('\r\n') && !TO_MEND.test(text);
};
