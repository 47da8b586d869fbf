import { guessEncoding, LEGACY_ENCODINGS } from './csv-detect';
import type { ProblemValues } from './problems';

type ForeignFile = ProblemValues['file_foreign']['what'];

/** The encodings that are recognised or may be named, by their WHATWG names. */
export const textEncodings = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  ...LEGACY_ENCODINGS,
  'windows-1255',
  'windows-1256',
  'windows-1258',
  'iso-8859-2',
  'gb18030',
] as const;
export type TextEncoding = (typeof textEncodings)[number];

/** The encoding that a charset parameter or a person means by a name; null if there is no such one. */
export function encodingNamed(name: string): TextEncoding | null {
  try {
    const { encoding } = new TextDecoder(name);
    return textEncodings.find((known) => known === encoding) ?? null;
  } catch {
    return null;
  }
}

const HEAD_BYTES = 4 * 1024;
const CONTEXT_BYTES = 200;
const SAMPLE_BYTES = 64 * 1024;
const MARKS: { encoding: TextEncoding; bytes: number[] }[] = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];
const FOREIGN: { what: ForeignFile; bytes: number[] }[] = [
  { what: 'workbook', bytes: [0x50, 0x4b, 0x03, 0x04] },
  { what: 'old_workbook', bytes: [0xd0, 0xcf, 0x11, 0xe0] },
  { what: 'gzip', bytes: [0x1f, 0x8b, 0x08] },
  { what: 'pdf', bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
];

/**
 * Decodes a text file, in chunks of any size and with bounded memory. An encoding that its sender declared decides. Of
 * one that is not declared a byte order mark decides, or else the zero bytes of UTF-16. Otherwise the text is decoded as
 * ASCII up to the first other byte, however late it comes: all remaining encodings agree on ASCII. From that byte on a
 * sample of 64 KB decides between UTF-8 and those of one or two bytes a character. Line breaks become `\n`; the byte
 * order mark is removed.
 */
export class CsvDecoder {
  /** The kind of file, if it is not text; nothing is decoded then. */
  foreign: ForeignFile | null = null;
  private known: TextEncoding | null = null;
  private decoder: TextDecoder | null = null;
  private held: Uint8Array = new Uint8Array(0);
  /** What stands before the first byte that is not ASCII: the beginning of its word. */
  private before = Buffer.alloc(0);
  private headSeen = false;
  private heldReturn = false;
  /** Whether the encoding is known, or at least the only likely one. */
  sure = true;

  constructor(private readonly declared: TextEncoding | null = null) {}

  /** Of what was read so far; a file that is ASCII throughout is UTF-8. */
  get encoding(): TextEncoding {
    return this.known ?? this.declared ?? 'utf-8';
  }

  push(bytes: Uint8Array): string {
    return this.plainBreaks(this.decode(bytes, false), false);
  }

  /** The rest of the text. */
  end(): string {
    return this.plainBreaks(this.decode(new Uint8Array(0), true), true);
  }

  private decode(bytes: Uint8Array, ended: boolean): string {
    if (this.foreign !== null) return '';
    if (this.decoder) return this.decoder.decode(bytes, { stream: !ended });
    const all = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    if (!this.headSeen) {
      if (all.length < HEAD_BYTES && !ended) return this.hold(all);
      this.headSeen = true;
      this.foreign = FOREIGN.find((f) => begins(all, f.bytes))?.what ?? null;
      const marked = MARKS.find((m) => begins(all, m.bytes))?.encoding;
      // Who declares UTF-16 may leave the order of its bytes to the mark.
      const declared = marked && this.declared?.startsWith('utf-16') ? null : this.declared;
      this.known = declared ?? marked ?? zeroPattern(all.subarray(0, HEAD_BYTES));
    }
    if (this.foreign === null && this.known === null) {
      const ascii = asciiLength(all);
      if (ascii > 0 || all.length === 0) {
        const text = Buffer.from(all.buffer, all.byteOffset, ascii).toString('latin1');
        this.before = Buffer.from(text.slice(-CONTEXT_BYTES), 'latin1');
        this.hold(all.subarray(ascii));
        return ascii === all.length ? text : text + this.decode(new Uint8Array(0), ended);
      }
      if (all.length < SAMPLE_BYTES && !ended) return this.hold(all);
      this.known = this.guess(all.subarray(0, SAMPLE_BYTES));
    }
    this.held = new Uint8Array(0);
    this.decoder = new TextDecoder(this.encoding);
    return this.decode(all, ended);
  }

  private guess(sample: Uint8Array): TextEncoding {
    if (looksLikeUtf8(sample)) return 'utf-8';
    const { encoding, sure } = guessEncoding(Buffer.concat([this.before, sample]));
    this.sure = sure;
    return encoding;
  }

  private hold(bytes: Uint8Array): '' {
    this.held = bytes.length === 0 ? bytes : bytes.slice();
    return '';
  }

  private plainBreaks(text: string, ended: boolean): string {
    let all = this.heldReturn ? `\r${text}` : text;
    this.heldReturn = !ended && all.endsWith('\r');
    if (this.heldReturn) all = all.slice(0, -1);
    return all.includes('\r') ? all.replace(/\r\n?/g, '\n') : all;
  }
}

const begins = (bytes: Uint8Array, mark: number[]): boolean => mark.every((byte, i) => bytes[i] === byte);

/** UTF-16 without a mark: delimiters, line breaks and addresses have a zero byte, always on the same side. */
function zeroPattern(head: Uint8Array): TextEncoding | null {
  const zeros: [number, number] = [0, 0];
  head.forEach((byte, i) => {
    if (byte === 0) zeros[(i % 2) as 0 | 1]++;
  });
  const [even, odd] = zeros;
  if (even + odd === 0 || (even + odd) * 20 < head.length || Math.min(even, odd) * 10 > Math.max(even, odd))
    return null;
  return odd > even ? 'utf-16le' : 'utf-16be';
}

function asciiLength(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return i;
  return bytes.length;
}

/**
 * Whether the non-ASCII characters of a sample are UTF-8 (RFC 3629); a few may be broken, but well over half must be
 * valid. Cyrillic words in Windows-1251 hardly contain a valid one. A character cut off by the sample's end does not
 * count.
 */
function looksLikeUtf8(sample: Uint8Array): boolean {
  let good = 0;
  let bad = 0;
  for (let i = 0; i < sample.length;) {
    const lead = sample[i] as number;
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0;
    let n = 1;
    while (n < length && i + n < sample.length && ((sample[i + n] as number) & 0xc0) === 0x80) n++;
    const complete = length > 0 && n === length;
    if (complete && length > 1) good++;
    else if (!complete && !(length > 0 && i + n === sample.length)) bad++;
    i += complete ? length : 1;
  }
  return good > 4 * bad || (good === 0 && bad === 0);
}
