import { CsvDecoder, type TextEncoding } from './csv-encoding';
import { type CsvItem, CsvParser, RECORD_MAX } from './csv-records';
import { cut } from './cut';
import { type CodedProblem, type FieldProblem, problem } from './problems';
import type { SuppressionReason } from './suppression';

/** A line that can't be used. */
export interface RejectedLine {
  kind: 'rejected';
  line: number;
  errors: readonly FieldProblem[];
  /** Its values as they stand in the file, as far as they can be told apart. */
  record?: readonly string[];
  /** What can be read all the same: that the address gets no mail. */
  excluded?: { email: string; reason: SuppressionReason; detail: string };
}
/** The last item: the file as a whole can't be used. */
export interface UnusableFile {
  kind: 'unusable';
  problem: CodedProblem;
}

/** A header as a table needs it. */
export interface TableHeader {
  delimiter: string;
  width: number;
  /** The file has no header: the line that was read as one is its first record. */
  headless?: boolean;
}

/** How a file is to be read, as far as somebody said it. */
export interface TextForm {
  encoding?: TextEncoding | null;
  delimiter?: string | null;
}

/** What a kind of file needs to be read: what its header means, and what its records do. */
export interface TableFormat<Header extends TableHeader, Row> {
  /** Null if the line does not name the columns that are needed. */
  readHeader(line: string, delimiters: readonly string[]): Header | null;
  /** Whether a record of several lines can be one: a stray quotation mark is more likely than a long text. */
  isOneRecord(fields: string[], lines: string[], header: Header): boolean;
  readRecord(item: CsvItem, header: Header): Row | RejectedLine;
  /** The same of a row of a workbook. */
  mapHeader?(fields: string[]): Header | null;
  /** A file with a header and no records. */
  empty: CodedProblem;
  /** Its first line is no header. */
  headless(line: number, found: string): CodedProblem;
}

/**
 * Chunks are joined to this size before they are parsed, because the unfinished rest of each is scanned again with the
 * next.
 */
const GATHERED_BYTES = 64 * 1024;

/** If the first so many lines do not fit the header's columns, the file is of another kind. */
const FOREIGN_LINES = 1_000;

export const DELIMITERS: readonly string[] = [',', ';', '\t'];
/** Those that may be named. */
export const textDelimiters = [',', ';', '\t', '|'] as const;

/** Reads records, and gives up a file of which none of the first ones fits its header. */
class Rows<Header extends TableHeader, Row extends { kind: string }> {
  /** Lines so far that are no records of the header's columns; Infinity once one is. */
  private foreignLines = 0;

  constructor(private readonly format: TableFormat<Header, Row>) {}

  read(item: CsvItem, header: Header): Row | RejectedLine | UnusableFile {
    const row = this.format.readRecord(item, header);
    const first = isRejected(row) ? row.errors[0] : undefined;
    if (first?.field !== 'line') {
      this.foreignLines = Infinity;
      return row;
    }
    const { code, values } = first;
    if (++this.foreignLines !== FOREIGN_LINES) return row;
    return unusable(
      problem('file_of_others', { lines: FOREIGN_LINES, line: item.line, first: { code, values } as CodedProblem }),
    );
  }
}

/** Reads the rows of a workbook's sheet, of which the first one that is not empty is the header. */
export class RecordTable<Header extends TableHeader, Row extends { kind: string }> {
  header: Header | null = null;
  /** A workbook has no encoding that could be wrong. */
  readonly encoding = null;
  private readonly rows: Rows<Header, Row>;
  private found = false;

  constructor(private readonly format: TableFormat<Header, Row>) {
    this.rows = new Rows(format);
  }

  /** Null if the row is empty or the header. */
  push(line: number, fields: readonly (string | undefined)[]): Row | RejectedLine | UnusableFile | null {
    let width = fields.length;
    while (width > 0 && (fields[width - 1] ?? '').trim() === '') width--;
    if (width === 0) return null;
    let { header } = this;
    if (!header) {
      const names = Array.from({ length: width }, (_, i) => fields[i] ?? '');
      header = this.header = this.format.mapHeader?.(names) ?? null;
      if (!header) return unusable(this.format.headless(line, visible(names.join(', '), 200)));
      if (!header.headless) return null;
    }
    this.found = true;
    // Of what is beyond the header's columns the last value is enough to see that there is something.
    const record = Array.from({ length: header.width }, (_, i) => fields[i] ?? '');
    if (width > header.width) record.push(fields[width - 1] ?? '');
    return this.rows.read({ ok: true, line, fields: record }, header);
  }

  /** A row as a sheet has it; one that is longer than a record may be has no cells. */
  pushRow({ line, cells, length }: { line: number; cells: readonly (string | undefined)[]; length: number }) {
    if (length <= RECORD_MAX) return this.push(line, cells);
    if (!this.header) return unusable(problem('file_header_long', { line, max: RECORD_MAX }));
    this.found = true;
    const long: CsvItem = { ok: false, line, problem: problem('too_long', { max: RECORD_MAX }), text: '' };
    return this.rows.read(long, this.header);
  }

  /** What is wrong with the sheet as a whole, or null. */
  end(): CodedProblem | null {
    return this.found ? null : this.header ? this.format.empty : problem('file_empty');
  }
}

/**
 * Reads a CSV file with a header from its bytes, which come in pieces of any size; memory is bounded whatever the file
 * holds. Recognises encoding, delimiter (or Excel's line `sep=;`) and columns by itself. Every invalid line is reported
 * with its physical line number and does not affect other lines.
 */
export class CsvTable<Header extends TableHeader, Row extends { kind: string }> {
  header: Header | null = null;
  private readonly text: CsvDecoder;
  private records: CsvParser | null = null;
  private gathered: Uint8Array[] = [];
  private size = 0;
  private head = '';
  private line = 1;
  private delimiters: readonly string[];
  private found = false;
  private unusable = false;
  private readonly rows: Rows<Header, Row>;

  constructor(
    private readonly format: TableFormat<Header, Row>,
    { encoding = null, delimiter }: TextForm = {},
  ) {
    this.text = new CsvDecoder(encoding);
    this.rows = new Rows(format);
    this.delimiters = delimiter ? [delimiter] : DELIMITERS;
  }

  get encoding(): TextEncoding {
    return this.text.encoding;
  }

  /** False if the encoding is one of several likely ones. */
  get sure(): boolean {
    return this.text.sure;
  }

  /** Characters that were looked at so far, for tests. */
  get work(): number {
    return this.records?.work ?? 0;
  }

  *push(bytes: Uint8Array): Generator<Row | RejectedLine | UnusableFile> {
    this.gathered.push(bytes);
    this.size += bytes.length;
    if (this.size >= GATHERED_BYTES) yield* this.read(this.text.push(this.takeGathered()), false);
  }

  *end(): Generator<Row | RejectedLine | UnusableFile> {
    const text = this.text.push(this.takeGathered());
    yield* this.read(text + this.text.end(), true);
  }

  private takeGathered(): Uint8Array {
    const bytes = this.gathered.length === 1 ? this.gathered[0]! : Buffer.concat(this.gathered);
    this.gathered = [];
    this.size = 0;
    return bytes;
  }

  private *read(text: string, ended: boolean): Generator<Row | RejectedLine | UnusableFile> {
    for (const item of this.items(text, ended)) {
      if (this.unusable) return;
      this.found = true;
      this.unusable = item.kind === 'unusable';
      yield item;
    }
    if (ended && !this.found) yield unusable(this.header ? this.format.empty : problem('file_empty'));
  }

  private *items(text: string, ended: boolean): Generator<Row | RejectedLine | UnusableFile> {
    const { foreign } = this.text;
    if (foreign !== null) {
      yield unusable(problem('file_foreign', { what: foreign }));
      return;
    }
    let rest = text;
    if (!this.records) {
      this.head += text;
      const wrong = this.readHead(ended);
      if (wrong !== null) {
        yield unusable(wrong);
        return;
      }
      rest = this.head;
    }
    if (!this.records || !this.header) return;
    this.head = '';
    for (const item of this.records.push(rest)) yield this.rows.read(item, this.header);
    if (ended) for (const item of this.records.end()) yield this.rows.read(item, this.header);
  }

  /** Removes lines from `head` until the header is found. Returns what is wrong with the header, or null. */
  private readHead(ended: boolean): CodedProblem | null {
    for (;;) {
      const lineEnd = this.head.indexOf('\n');
      if (lineEnd < 0 && this.head.length > RECORD_MAX)
        return problem('file_header_long', { line: this.line, max: RECORD_MAX });
      if (lineEnd < 0 && (!ended || this.head === '')) return null;
      const before = this.head;
      const line = lineEnd < 0 ? this.head : this.head.slice(0, lineEnd);
      this.head = lineEnd < 0 ? '' : this.head.slice(lineEnd + 1);
      const separator = /^"?sep=([^"])"?\s*$/i.exec(line)?.[1];
      if (separator) this.delimiters = [separator];
      else if (line.trim() !== '') {
        this.header = this.format.readHeader(line, this.delimiters);
        if (!this.header) return this.format.headless(this.line, visible(line, 200));
      }
      if (this.header?.headless) this.head = before;
      else this.line++;
      if (!this.header) continue;
      const { header } = this;
      this.records = new CsvParser(header.delimiter, this.line, (fields, lines) =>
        this.format.isOneRecord(fields, lines, header),
      );
      return null;
    }
  }
}

const isRejected = (row: { kind: string }): row is RejectedLine => row.kind === 'rejected';
const unusable = (found: CodedProblem): UnusableFile => ({ kind: 'unusable', problem: found });

/** A piece of a file as a message may show it. */
export function visible(text: string, maxLength: number): string {
  const plain = text.trim().replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return plain.length > maxLength ? `${cut(plain, maxLength)}…` : plain;
}

/**
 * Reads a line as a header by `map`, which returns null if it does not name the columns that are needed. Of the
 * delimiters the one that gives most columns is taken.
 */
export function bestHeader<Header extends { width: number }>(
  line: string,
  delimiters: readonly string[],
  map: (fields: string[], delimiter: string) => Header | null,
): Header | null {
  const headers = delimiters.flatMap((delimiter) => {
    const [record] = new CsvParser(delimiter, 1).push(`${line}\n`);
    const header = record?.ok ? map(record.fields, delimiter) : null;
    return header ? [header] : [];
  });
  return headers.reduce<Header | null>((best, h) => (best && best.width >= h.width ? best : h), null);
}

/** A column's name as names are compared: in lower case, without spaces, hyphens, underscores and dots. */
export const columnName = (field: string): string => field.toLowerCase().replace(/[\s_.-]/g, '');

/** Null if the record reaches the last column that is needed and has no values beyond the header's. */
export function columnsProblem(fields: string[], width: number, lastNeeded: number): CodedProblem | null {
  const extra = fields.length > width && fields.slice(width).some((field) => field.trim() !== '');
  if (!extra && fields.length > lastNeeded) return null;
  return problem('columns', { has: fields.length, wanted: width, extra });
}

export const rejected = (
  line: number,
  errors: readonly FieldProblem[],
  record: readonly string[] = [],
): RejectedLine => ({ kind: 'rejected', line, errors, record });

/** The values of a line that can't be read: what stands between delimiters. */
export const roughly = (text: string, delimiter: string): string[] =>
  text
    .slice(0, 10_000)
    .split(delimiter)
    .map((part) => part.trim().replace(/^"|"$/g, ''));
