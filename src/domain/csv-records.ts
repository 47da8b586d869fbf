/** The longest record, in characters; longer ones are rejected without being held in memory. */
export const RECORD_MAX = 100_000;

/** One record or one line that can't be read; `line` is the physical line on which it begins, from 1. */
export type CsvItem = { ok: true; line: number; fields: string[] } | { ok: false; line: number; message: string };

type Scan = { fields: string[]; end: number } | 'more' | 'unclosed' | 'trailing';

const BROKEN = {
  unclosed: 'has a quotation mark that is not closed',
  trailing: 'has text behind a closing quotation mark; a quotation mark within quotes must be doubled',
  long: `is longer than ${RECORD_MAX} characters`,
};

/**
 * Reads CSV records (RFC 4180) from a text that comes in pieces, its line breaks being `\n`. Lenient where the meaning is
 * clear: a quotation mark inside an unquoted field is itself, spaces around a quoted field are dropped, empty lines and
 * records of empty fields are skipped.
 *
 * A line with broken quotes costs only itself: it is reported, and reading goes on at the next physical line. So it is
 * with a record over several lines that `plausible` refuses: it is rather a quotation mark too many than a long text.
 */
export class CsvReader {
  private rest = '';
  private skipping = false;

  /** @param line the physical number of the first line that is pushed */
  constructor(
    private readonly delimiter: string,
    private line: number,
    private readonly plausible: (fields: string[], lines: string[]) => boolean = () => true,
  ) {}

  push(text: string): Generator<CsvItem> {
    return this.read(text, false);
  }

  end(): Generator<CsvItem> {
    return this.read('', true);
  }

  private *read(more: string, ended: boolean): Generator<CsvItem> {
    const text = this.rest + more;
    let at = 0;
    while (at < text.length) {
      const lineEnd = text.indexOf('\n', at);
      if (this.skipping) {
        at = lineEnd < 0 ? text.length : lineEnd + 1;
        this.skipping = lineEnd < 0;
        if (lineEnd >= 0) this.line++;
        continue;
      }
      if ((lineEnd < 0 ? text.length : lineEnd) - at > RECORD_MAX) {
        yield this.broken('long');
        this.skipping = true;
        continue;
      }
      if (lineEnd < 0 && !ended) break;
      const record = this.scan(text, at, lineEnd < 0 ? text.length : lineEnd, ended);
      if (record === 'more') break;
      if (typeof record === 'string' || !this.isPlausible(text, at, lineEnd, record)) {
        yield this.broken(typeof record === 'string' ? record : 'unclosed');
        at = lineEnd < 0 ? text.length : lineEnd + 1;
        this.line++;
        continue;
      }
      const { fields, end } = record;
      if (fields.some((field) => field.trim() !== '')) yield { ok: true, line: this.line, fields };
      this.line += end === lineEnd ? 1 : countLines(text, at, end);
      at = end + 1;
    }
    this.rest = text.slice(at);
  }

  private broken(why: keyof typeof BROKEN): CsvItem {
    return { ok: false, line: this.line, message: BROKEN[why] };
  }

  private isPlausible(
    text: string,
    at: number,
    lineEnd: number,
    { fields, end }: { fields: string[]; end: number },
  ): boolean {
    return lineEnd < 0 || end <= lineEnd || this.plausible(fields, text.slice(at, end).split('\n'));
  }

  /** The record at `start`; its end is the position of the line break behind it, or the text's length. */
  private scan(text: string, start: number, lineEnd: number, ended: boolean): Scan {
    const line = text.slice(start, lineEnd);
    if (!line.includes('"')) return { fields: line.split(this.delimiter), end: lineEnd };
    const fields: string[] = [];
    for (let at = start; ;) {
      const open = skipSpaces(text, at);
      if (text[open] !== '"') {
        const { field, end } = this.unquoted(text, at);
        if (end === text.length && !ended) return text.length - start > RECORD_MAX ? 'unclosed' : 'more';
        fields.push(field);
        if (text[end] !== this.delimiter) return { fields, end };
        at = end + 1;
        continue;
      }
      const close = closingQuote(text, open, start + RECORD_MAX);
      if (close < 0) return ended || text.length - start > RECORD_MAX ? 'unclosed' : 'more';
      const end = skipSpaces(text, close + 1);
      if (end === text.length && !ended) return text.length - start > RECORD_MAX ? 'unclosed' : 'more';
      fields.push(text.slice(open + 1, close).replaceAll('""', '"'));
      if (end === text.length || text[end] === '\n') return { fields, end };
      if (text[end] !== this.delimiter) return 'trailing';
      at = end + 1;
    }
  }

  private unquoted(text: string, at: number): { field: string; end: number } {
    const lineEnd = text.indexOf('\n', at);
    const limit = lineEnd < 0 ? text.length : lineEnd;
    const delimiter = text.indexOf(this.delimiter, at);
    const end = delimiter >= 0 && delimiter < limit ? delimiter : limit;
    return { field: text.slice(at, end), end };
  }
}

function skipSpaces(text: string, at: number): number {
  while (text[at] === ' ') at++;
  return at;
}

/** The position of the quotation mark that closes the one at `open`, or -1 if there is none before `limit`. */
function closingQuote(text: string, open: number, limit: number): number {
  for (let at = open + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0 || at > limit) return -1;
    if (text[at + 1] !== '"') return at;
  }
}

function countLines(text: string, from: number, to: number): number {
  let lines = 1;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

const FORMULA = /^'*[=+\-@\t\r]/;
const ESCAPED_FORMULA = /^'+[=+\-@\t\r]/;

/**
 * One field of a CSV export. What a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, tab or CR)
 * gets an apostrophe in front; `plainField` takes it off again.
 */
export function csvField(value: string | number | null): string {
  if (value === null || typeof value === 'number') return String(value ?? '');
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",;\t\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A line of a CSV export, with its CRLF (RFC 4180). */
export function csvRow(values: readonly (string | number | null)[]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}

/** The value of a field that `csvField` may have protected. */
export function plainField(field: string): string {
  return ESCAPED_FORMULA.test(field) ? field.slice(1) : field;
}
