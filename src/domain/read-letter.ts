import PostalMime, { decodeWords } from 'postal-mime';
import { htmlToText } from './html-text';

/** Of an incoming letter so much is kept and read; a report is much shorter, and stands before the letter it returns. */
export const INBOUND_KEPT_BYTES = 256 * 1024;
/** So large a letter is accepted. */
export const INBOUND_MAX_BYTES = 1024 * 1024;

/** A part that is not text for people: a report, an enclosed letter or its header, a file. */
export interface LetterPart {
  /** `message/delivery-status`, in lower case. */
  type: string;
  fileName: string;
  text: string;
  bytes: Uint8Array;
}

/** An incoming letter, as far as it could be read. */
export interface ReadLetter {
  /** By lower-case name, unfolded, not decoded. */
  headers: ReadonlyMap<string, readonly string[]>;
  /** What people read of it. */
  text: string;
  parts: readonly LetterPart[];
  /** Its structure could not be read: it is nested too deeply, or nothing but bytes. */
  isBroken: boolean;
}

const OPTIONS = { forceRfc822Attachments: true, maxNestingDepth: 40, maxHeadersSize: INBOUND_KEPT_BYTES };
const HEADER_CHARACTERS = 8_000;
const PARTS = 100;
/** The parser keeps each line by itself: so many are read, far more than a report has, and empty ones in a row. */
const LINES = 4_000;
const EMPTY_LINES = 50;
const NAME_CHARACTERS = 500;

/**
 * Reads the parts of a letter (RFC 2045), at most `INBOUND_KEPT_BYTES` of it; never throws. What is enclosed in it as a
 * letter is a part and is not read itself. Takes time in proportion to the bytes.
 */
export async function readLetter(raw: Uint8Array): Promise<ReadLetter> {
  const bytes = withFewLines(raw.subarray(0, INBOUND_KEPT_BYTES));
  try {
    const { headers, text, html, attachments } = await PostalMime.parse(bytes, OPTIONS);
    return {
      headers: byName(headers.map(({ key, value }) => [key, value])),
      text: text ?? (html === undefined ? '' : htmlToText(html)),
      parts: attachments.slice(0, PARTS).map(({ mimeType, filename, content }) => {
        const part = contentBytes(content);
        return {
          type: mimeType,
          fileName: (filename ?? '').slice(0, NAME_CHARACTERS),
          text: decoded(part),
          bytes: part,
        };
      }),
      isBroken: false,
    };
  } catch {
    return { headers: headersOf(decoded(bytes)), text: '', parts: [], isBroken: true };
  }
}

/** The first `LINES` lines, of empty ones in a row the first `EMPTY_LINES`. */
function withFewLines(bytes: Uint8Array): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  let [at, length, lines, empty] = [0, 0, 0, 0];
  while (at < bytes.length && lines < LINES) {
    const found = bytes.indexOf(LF, at);
    const end = found < 0 ? bytes.length : found + 1;
    empty = bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] === LF) ? empty + 1 : 0;
    if (empty <= EMPTY_LINES) {
      kept.set(bytes.subarray(at, end), length);
      length += end - at;
      lines++;
    }
    at = end;
  }
  return kept.subarray(0, length);
}

const LF = 0x0a;
const CR = 0x0d;

/** The fields of a header (RFC 5322 2.2), up to the first empty line. */
export function headersOf(text: string): Map<string, string[]> {
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length;
  return byName(fieldsOf(text.slice(0, end)));
}

/** The fields of some lines, names in lower case; lines that begin with a space belong to the field before. */
export function fieldsOf(lines: string): [name: string, value: string][] {
  const fields: { name: string; value: string[] }[] = [];
  for (const line of lines.split(/\r?\n/)) {
    const [, name, value = ''] = /^([!-9;-~]{1,80})[ \t]*:(.*)$/s.exec(line) ?? [];
    if (name !== undefined) fields.push({ name: name.toLowerCase(), value: [value.trim()] });
    else if (/^[ \t]/.test(line)) fields.at(-1)?.value.push(line.trim());
  }
  return fields.map(({ name, value }) => [name, value.join('\n')]);
}

/** The first field of this name, encoded words (RFC 2047) decoded, on one line; '' if there is none. */
export const header = (letter: Pick<ReadLetter, 'headers'>, name: string): string => {
  const value = letter.headers.get(name)?.[0] ?? '';
  return (value.includes('=?') ? decodeWords(value) : value).replace(/\s+/g, ' ').trim();
};

/** The address of the first mailbox of a header, without name and comments; '' if there is none. */
export function headerAddress(letter: Pick<ReadLetter, 'headers'>, name: string): string {
  const value = header(letter, name).replace(/\([^()]{0,200}\)/g, ' ');
  const found = /<([^<>\s]{1,320})>/.exec(value) ?? /([^\s<>,;:"]{1,250}@[^\s<>,;:"]{1,250})/.exec(value);
  return found?.[1] ?? '';
}

/** UTF-8, or if it is not that, Latin-1, so that every byte is something. */
export function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
}

const contentBytes = (content: ArrayBuffer | Uint8Array | string): Uint8Array =>
  typeof content === 'string'
    ? Buffer.from(content)
    : content instanceof Uint8Array
      ? content
      : new Uint8Array(content);

function byName(fields: [name: string, value: string][]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const values = headers.get(name);
    if (!values) headers.set(name, [value.slice(0, HEADER_CHARACTERS)]);
    else if (values.length < 10) values.push(value.slice(0, HEADER_CHARACTERS));
  }
  return headers;
}
