/** What must be changed (RFC 5321 4.5.2, 2.3.8): a dot that may begin a line, a bare CR, a bare LF. */
const TO_MEND = /(?:^|\n)\.|\r(?!\n)|(?<!\r)\n/;
const BARE_LINE_END = /\r(?!\n)|(?<!\r)\n/g;
const LF = 0x0a;
const CR = 0x0d;

const isLineEnd = (octet: number | undefined): boolean => octet === LF || octet === CR;

/**
 * A part of a letter as it goes to the server, one character per octet: every line ends with CRLF, a dot that begins
 * one is doubled. Parts must be cut by `endOfPart`.
 */
export function onTheWire(raw: Buffer, from = 0, to = raw.length): string {
  const text = raw.toString('latin1', from, to);
  if (!TO_MEND.test(text)) return text;
  const mended = text.replace(BARE_LINE_END, '\r\n').replaceAll('\n.', '\n..');
  return text.startsWith('.') && (from === 0 || isLineEnd(raw[from - 1])) ? `.${mended}` : mended;
}

/** Where a part of about that length ends: never within a CRLF. */
export function endOfPart(raw: Buffer, from: number, length: number): number {
  const to = from + length;
  return raw[to] === LF && raw[to - 1] === CR ? to + 1 : to;
}

/** What ends the letter: the dot on a line of its own. */
export function finalDot(raw: Buffer): string {
  return isLineEnd(raw.at(-1)) ? '.\r\n' : '\r\n.\r\n';
}
