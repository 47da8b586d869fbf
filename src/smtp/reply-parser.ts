/** Far longer than any real answer; it stops a server whose answer never ends. */
const MAX_LENGTH = 64 * 1024;
const CR = 0x0d;
const DASH = 0x2d;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/**
 * Cuts what a server says into replies (RFC 5321 section 4.2), however it comes in chunks. Does not check whether a
 * reply is valid.
 */
export class ReplyParser {
  /** Octets as characters, so that a chunk may end within a character of several. */
  private rest = '';
  /** Where in the rest the line begins whose end has not been seen. */
  private lineAt = 0;

  /** What was received and not yet returned by `next`. */
  get left(): string {
    return this.rest && this.rest.trim();
  }

  /** Returns false if the unfinished answer is too long. */
  add(chunk: Buffer): boolean {
    this.rest += chunk.toString('latin1');
    return this.rest.length <= MAX_LENGTH;
  }

  /** The next complete reply without its last line end; null when none is complete. Empty lines are passed over. */
  next(): string | null {
    for (;;) {
      const end = this.rest.indexOf('\n', this.lineAt);
      if (end < 0) return null;
      const goesOn = this.isContinued();
      this.lineAt = end + 1;
      if (goesOn) continue;
      const reply = this.rest.slice(0, this.rest.charCodeAt(end - 1) === CR ? end - 1 : end);
      this.rest = this.rest.slice(this.lineAt);
      this.lineAt = 0;
      if (reply !== '') return decoded(reply);
    }
  }

  private isContinued(): boolean {
    const { rest, lineAt } = this;
    if (rest.charCodeAt(lineAt + 3) !== DASH) return false;
    return (
      isDigit(rest.charCodeAt(lineAt)) && isDigit(rest.charCodeAt(lineAt + 1)) && isDigit(rest.charCodeAt(lineAt + 2))
    );
  }
}

const decoded = (octets: string): string => {
  if (!/[\x80-\xff]/.test(octets)) return octets;
  const text = Buffer.from(octets, 'latin1').toString();
  return text.includes('\ufffd') ? octets : text;
};
