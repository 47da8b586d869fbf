export type TransferEncoding = '7bit' | '8bit' | 'quoted-printable' | 'base64';

/** A body part ready to be written; one character per octet. */
export interface EncodedBody {
  encoding: TransferEncoding;
  octets: string;
}

const MAX_LINE_OCTETS = 998; // RFC 5322 2.1.1, without CRLF
const BASE64_LINE = 76; // RFC 2045 6.8
const QUOTED_LINE = 76; // RFC 2045 6.7

/**
 * Encodes text as UTF-8 in the smallest encoding that is possible (RFC 2045 6): 7bit, 8bit if allowed, else the shorter
 * one of quoted-printable and base64. Line breaks of any kind become CRLF. A lone surrogate becomes U+FFFD.
 */
export function encodeBody(text: string, eightBitMime: boolean): EncodedBody {
  const lines = toCrlf(text);
  const extra = Buffer.byteLength(lines) - lines.length;
  const hasNul = lines.includes('\0');
  if (extra === 0 && !hasNul && longestLine(lines) <= MAX_LINE_OCTETS) return { encoding: '7bit', octets: lines };

  const bytes = Buffer.from(lines);
  if (eightBitMime && !hasNul) {
    const octets = bytes.toString('latin1');
    if (longestLine(octets) <= MAX_LINE_OCTETS) return { encoding: '8bit', octets };
  }
  // A character outside ASCII has at least one octet more than UTF-16 units, and costs about four octets more if
  // quoted.
  return extra * 4 > bytes.length * 0.37
    ? { encoding: 'base64', octets: base64(bytes) }
    : { encoding: 'quoted-printable', octets: quotedPrintable(bytes) };
}

/** Turns line breaks of any kind into CRLF; a text that has no others is returned as it is. */
export function toCrlf(text: string): string {
  let breaks = 0;
  for (let at = text.indexOf('\r\n'); at >= 0; at = text.indexOf('\r\n', at + 2)) breaks++;
  return breaks === count(text, '\n') && breaks === count(text, '\r') ? text : text.replace(/\r\n?|\n/g, '\r\n');
}

function count(text: string, character: string): number {
  let n = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) n++;
  return n;
}

function longestLine(text: string): number {
  let longest = 0;
  let start = 0;
  for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n', start)) {
    if (end - start > longest) longest = end - start;
    start = end + 2;
  }
  return Math.max(longest, text.length - start);
}

function base64(bytes: Buffer): string {
  const all = bytes.toString('base64');
  let lines = all.slice(0, BASE64_LINE);
  for (let i = BASE64_LINE; i < all.length; i += BASE64_LINE) lines += '\r\n' + all.slice(i, i + BASE64_LINE);
  return lines;
}

const [LF, CR, EQUALS] = [10, 13, 61] as const;
const [LITERAL, BLANK, QUOTED] = [0, 1, 2] as const;
const HEX = Buffer.from('0123456789ABCDEF');
const CLASSES = Uint8Array.from({ length: 256 }, (_, octet) => {
  if (octet === 9 || octet === 32) return BLANK;
  return octet > 32 && octet < 127 && octet !== EQUALS ? LITERAL : QUOTED;
});

function quotedPrintable(bytes: Buffer): string {
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil(bytes.length / 24) * 3);
  let size = 0;
  let column = 0;
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i]!;
    let kind = CLASSES[octet]!;
    if (kind !== LITERAL) {
      if (octet === CR && bytes[i + 1] === LF) {
        out[size++] = CR;
        out[size++] = LF;
        i++;
        column = 0;
        continue;
      }
      if (kind === BLANK && (i + 1 === bytes.length || bytes[i + 1] === CR)) kind = QUOTED;
    }
    column += kind === QUOTED ? 3 : 1;
    if (column >= QUOTED_LINE) {
      out[size++] = EQUALS;
      out[size++] = CR;
      out[size++] = LF;
      column = kind === QUOTED ? 3 : 1;
    }
    if (kind === QUOTED) {
      out[size++] = EQUALS;
      out[size++] = HEX[octet >> 4]!;
      out[size++] = HEX[octet & 15]!;
    } else {
      out[size++] = octet;
    }
  }
  return out.toString('latin1', 0, size);
}
