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
 * Encodes text as UTF-8 by the lightest encoding that carries it (RFC 2045 6): 7bit, 8bit if allowed, else the shorter one of
 * quoted-printable and base64. Line breaks of any kind become CRLF. A lone surrogate becomes U+FFFD.
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
  // A character outside ASCII has at least one octet more than UTF-16 units, and costs about four octets more if quoted.
  return extra * 4 > bytes.length * 0.37
    ? { encoding: 'base64', octets: base64(bytes) }
    : { encoding: 'quoted-printable', octets: quotedPrintable(bytes) };
}

function toCrlf(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(/\r\n?|\n/g, '\r\n') : text;
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

const [TAB, LF, CR, SPACE, EQUALS, DEL] = [9, 10, 13, 32, 61, 127] as const;
const HEX = Buffer.from('0123456789ABCDEF');

function quotedPrintable(bytes: Buffer): string {
  const out = Buffer.allocUnsafe(bytes.length * 3 + Math.ceil(bytes.length / 24) * 3);
  let size = 0;
  let column = 0;
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i]!;
    if (octet === CR && bytes[i + 1] === LF) {
      out[size++] = CR;
      out[size++] = LF;
      i++;
      column = 0;
      continue;
    }
    const isBlank = octet === SPACE || octet === TAB;
    const literal = isBlank
      ? i + 1 < bytes.length && bytes[i + 1] !== CR
      : octet > SPACE && octet < DEL && octet !== EQUALS;
    const width = literal ? 1 : 3;
    if (column + width >= QUOTED_LINE) {
      out[size++] = EQUALS;
      out[size++] = CR;
      out[size++] = LF;
      column = 0;
    }
    column += width;
    if (literal) {
      out[size++] = octet;
    } else {
      out[size++] = EQUALS;
      out[size++] = HEX[octet >> 4]!;
      out[size++] = HEX[octet & 15]!;
    }
  }
  return out.toString('latin1', 0, size);
}
