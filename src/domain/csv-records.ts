import { type CodedProblem, problem } from './problems';

/** The longest record, in characters; longer ones are rejected without being held in memory. */
export const RECORD_MAX = 100_000;

/** One record or one line that can't be read; `line` is the physical line on which it begins, from 1. */
export type CsvItem =
  | { ok: true; line: number; fields: string[] }
  /** `text` is the line as it stands in the file; empty if it is too long. */
  | { ok: false; line: number; problem: CodedProblem; text: string };

type Broken = keyof typeof BROKEN;

const BROKEN = {
  unclosed: problem('quote_open'),
  trailing: problem('quote_trailing'),
  long: problem('too_long', { max: RECORD_MAX }),
};

/** A record read so far: its complete fields, and the beginning of a quoted field that continues in the next line. */
interface Reading {
  fields: string[];
  open: string | null;
}

/** A record over several lines that is being read, and these lines as they stand in the file. */
interface Unfinished extends Reading {
  text: string;
}

/**
 * Reads CSV records (RFC 4180) from a text that comes in pieces, its line breaks being `\n`. Lenient where the meaning
 * is clear: a quotation mark inside an unquoted field is itself, spaces around a quoted field are dropped, empty lines
 * and records of empty fields are skipped.
 *
 * A line with broken quotes affects no other line: it is reported, and parsing continues with the next physical line.
 * The same holds for a record of several lines that `plausible` refuses: a stray quotation mark is more likely than a
 * long text.
 *
 * The lines after a broken one were parsed as a part of its record. They are parsed again, each as a record of one
 * line, except for the last, where any record may begin. So every line is parsed at most three times, whatever the file
 * contains.
 */
export class CsvParser {
  /** How many characters were scanned, for tests: bounded by a multiple of the file's length. */
  work = 0;
  private items: CsvItem[] = [];
  private rest = '';
  private skipping = false;
  private unfinished: Unfinished | null = null;

  /** @param line the physical number of the first line that is pushed */
  constructor(
    private readonly delimiter: string,
    private line: number,
    private readonly plausible: (fields: string[], lines: string[]) => boolean = () => true,
  ) {}

  /** The items of one chunk, as a list: a generator would cost as much for each step as parsing a short line. */
  push(text: string): CsvItem[] {
    const searched = this.rest.length;
    const all = this.rest + text;
    this.work += all.length;
    let at = 0;
    let quote = -1;
    for (let end = all.indexOf('\n', searched); end >= 0; end = all.indexOf('\n', at)) {
      if (this.unfinished && quote < at) {
        quote = all.indexOf('"', at);
        if (quote < 0) quote = all.length;
        const plain = all.lastIndexOf('\n', quote);
        if (plain > end && this.takeWithin(all.slice(at, plain))) {
          at = plain + 1;
          continue;
        }
      }
      if (this.skipping || (end === at && !this.unfinished)) {
        this.skipping = false;
        this.line++;
      } else if (end - at > RECORD_MAX) {
        this.tooLong();
        this.line++;
      } else this.take(all.slice(at, end));
      at = end + 1;
    }
    this.rest = this.skipping ? '' : all.slice(at);
    if (this.rest.length > RECORD_MAX) {
      this.tooLong();
      this.skipping = true;
      this.rest = '';
    }
    return this.taken();
  }

  end(): CsvItem[] {
    if (this.rest !== '') this.take(this.rest);
    this.rest = '';
    if (this.unfinished) this.giveUp('unclosed', this.unfinished.text.split('\n'));
    return this.taken();
  }

  private taken(): CsvItem[] {
    const { items } = this;
    this.items = [];
    return items;
  }

  private tooLong(): void {
    if (this.unfinished) this.giveUp('unclosed', this.unfinished.text.split('\n'));
    this.refuse('long', '');
  }

  /** One physical line: a record, a part of one, or the end of one. */
  private take(line: string): void {
    const before = this.unfinished;
    if (!before) {
      const read = this.read(line);
      if (typeof read !== 'string' && read.open !== null)
        this.unfinished = { fields: read.fields, open: read.open, text: line };
      else this.finished(read, 1, line);
      return;
    }
    if (!line.includes('"') && this.takeWithin(line)) return;
    before.text += `\n${line}`;
    const read = before.text.length > RECORD_MAX ? 'unclosed' : this.read(line, before);
    if (typeof read !== 'string' && read.open !== null) {
      before.open = read.open;
      return;
    }
    const lines = before.text.split('\n');
    if (typeof read === 'string' || !this.plausible(read.fields, lines)) {
      this.giveUp(typeof read === 'string' ? read : 'unclosed', lines.slice(0, -1));
      this.take(line);
      return;
    }
    this.unfinished = null;
    this.finished(read, lines.length);
  }

  /**
   * Lines without a quotation mark, which belong to the open field of the unfinished record; false if it gets too long.
   */
  private takeWithin(lines: string): boolean {
    const before = this.unfinished!;
    if (before.text.length + 1 + lines.length > RECORD_MAX) return false;
    this.work += lines.length;
    before.text += `\n${lines}`;
    before.open += `\n${lines}`;
    return true;
  }

  /** Reports the first of these lines, and reads the others each for itself. */
  private giveUp(why: Broken, lines: string[]): void {
    this.unfinished = null;
    this.finished(why, 1, lines[0]);
    for (const line of lines.slice(1)) {
      const read = this.read(line);
      this.finished(typeof read !== 'string' && read.open !== null ? 'unclosed' : read, 1, line);
    }
  }

  private finished(read: Reading | Broken, lines = 1, text = ''): void {
    if (typeof read === 'string') this.refuse(read, text);
    else if (read.fields.some((field) => field.trim() !== ''))
      this.items.push({ ok: true, line: this.line, fields: read.fields });
    this.line += lines;
  }

  private refuse(why: Broken, text: string): void {
    this.items.push({ ok: false, line: this.line, problem: BROKEN[why], text });
  }

  /** Reads a line from its beginning, or as the next one of a record whose quoted field is not closed. */
  private read(line: string, before?: Unfinished): Reading | Broken {
    this.work += line.length;
    if (!before && !line.includes('"')) return { fields: line.split(this.delimiter), open: null };
    const fields = before?.fields ?? [];
    for (let at = 0, begun = before?.open ?? null; ; begun = null) {
      let open = begun === null ? skipSpaces(line, at) : -1;
      if (begun === null && line[open] !== '"') {
        const delimiter = line.indexOf(this.delimiter, at);
        fields.push(line.slice(at, delimiter < 0 ? line.length : delimiter));
        if (delimiter < 0) return { fields, open: null };
        at = delimiter + 1;
        continue;
      }
      open++;
      const close = closingQuote(line, open);
      const text = line.slice(open, close < 0 ? line.length : close).replaceAll('""', '"');
      const whole = begun === null ? text : `${begun}\n${text}`;
      if (close < 0) return { fields, open: whole };
      fields.push(whole);
      const end = skipSpaces(line, close + 1);
      if (end === line.length) return { fields, open: null };
      if (line[end] !== this.delimiter) return 'trailing';
      at = end + 1;
    }
  }
}

function skipSpaces(text: string, at: number): number {
  while (text[at] === ' ') at++;
  return at;
}

/** The position of the quotation mark that closes the field whose text begins at `from`, or -1. */
function closingQuote(text: string, from: number): number {
  for (let at = from; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) return -1;
    if (text[at + 1] !== '"') return at;
  }
}

/**
 * The signs that begin a formula; spreadsheets also accept their full-width, small, superscript and subscript forms.
 */
const BEGINNING =
  /(?:[\t\r]|[\s\p{Cf}]*[=+\-@\u2212\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u207A-\u207C\u208A-\u208C])/u;
const FORMULA = new RegExp(`^'*${BEGINNING.source}`, 'u');
const ESCAPED_FORMULA = new RegExp(`^'+${BEGINNING.source}`, 'u');

/**
 * One field of a CSV export. A text that a spreadsheet would evaluate as a formula (it begins with tab or CR, or, after
 * spaces and invisible characters, with `=`, `+`, `-`, `@` or a similar sign) gets an apostrophe in front; `plainField`
 * removes it.
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
  return field.startsWith("'") && ESCAPED_FORMULA.test(field) ? field.slice(1) : field;
}
