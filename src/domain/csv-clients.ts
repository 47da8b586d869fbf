import { checkClient } from './client-input';
import { type TextEncoding, CsvDecoder } from './csv-encoding';
import { CsvParser, plainField, RECORD_MAX, type CsvItem } from './csv-records';
import { parseEmailAddress } from './email-address';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';

/** What a file of clients consists of. `unusable` is the last item: the file as a whole can't be imported. */
export type ClientItem =
  | { kind: 'client'; line: number; client: { email: string; fullName: string; comment: string } }
  | { kind: 'rejected'; line: number; errors: readonly FieldProblem[] }
  | { kind: 'unusable'; problem: CodedProblem };

type Column = 'email' | 'fullName' | 'comment';

/**
 * Chunks are joined to this size before they are parsed, because the unfinished rest of each is scanned again with the
 * next.
 */
const GATHERED_BYTES = 64 * 1024;

/** If the first so many lines do not fit the header's columns, the file is of another kind. */
const FOREIGN_LINES = 1_000;

/** The names of a column, the preferred first, in lower case and without spaces, hyphens, underscores and dots. */
const NAMES: Record<Column, string[]> = {
  email: [
    'email',
    'emailaddress',
    'mail',
    'почта',
    'электроннаяпочта',
    'элпочта',
    'эладрес',
    'имейл',
    'емейл',
    'адресэлектроннойпочты',
  ],
  fullName: [
    'fullname',
    'name',
    'фио',
    'полноеимя',
    'имяифамилия',
    'фамилияиимя',
    'имя',
    'клиент',
    'client',
    'contact',
  ],
  comment: [
    'comment',
    'comments',
    'note',
    'notes',
    'комментарий',
    'комментарии',
    'примечание',
    'примечания',
    'заметка',
    'заметки',
  ],
};
const DELIMITERS = [',', ';', '\t'];

/** Where a client's values stand in a record, by a file's header. */
export interface ClientHeader {
  delimiter: string;
  width: number;
  email: number;
  fullName: number;
  /** -1 if the file has none: the comments of known clients are left alone then. */
  comment: number;
  /** Names of unknown columns, as they stand in the file. */
  ignored: string[];
}

/**
 * Reads a line as a header; null if it does not name e-mail and full name. Of the delimiters the one that gives most
 * known columns is taken.
 */
export function readHeader(line: string, delimiters = DELIMITERS): ClientHeader | null {
  const headers = delimiters.flatMap((delimiter) => {
    const [record] = [...new CsvParser(delimiter, 1).push(`${line}\n`)];
    const header = record?.ok ? mapColumns(record.fields, delimiter) : null;
    return header ? [header] : [];
  });
  return headers.reduce<ClientHeader | null>((best, h) => (best && best.width >= h.width ? best : h), null);
}

function mapColumns(fields: string[], delimiter: string): ClientHeader | null {
  const names = fields.map((field) => field.toLowerCase().replace(/[\s_.-]/g, ''));
  const find = (column: Column) => NAMES[column].map((name) => names.indexOf(name)).find((i) => i >= 0) ?? -1;
  const [email, fullName, comment] = [find('email'), find('fullName'), find('comment')];
  if (email < 0 || fullName < 0) return null;
  const ignored = fields.flatMap((f, i) =>
    names[i] === '' || [email, fullName, comment].includes(i) ? [] : [visible(f, 60)],
  );
  return { delimiter, width: fields.length, email, fullName, comment, ignored: ignored.slice(0, 50) };
}

/**
 * Reads a CSV file of clients from its bytes, which come in pieces of any size; memory is bounded whatever the file
 * holds. Recognises encoding, delimiter (or Excel's line `sep=;`) and columns by itself. Every invalid line is reported
 * with its physical line number and does not affect other lines. Does not detect repeated addresses.
 */
export class ClientsCsv {
  header: ClientHeader | null = null;
  private readonly text = new CsvDecoder();
  private records: CsvParser | null = null;
  private gathered: Uint8Array[] = [];
  private size = 0;
  private head = '';
  private line = 1;
  private delimiters = DELIMITERS;
  private found = false;
  private unusable = false;
  /** Lines so far that are no records of the header's columns; Infinity once one is. */
  private foreignLines = 0;

  get encoding(): TextEncoding {
    return this.text.encoding;
  }

  /** Characters that were looked at so far, for tests. */
  get work(): number {
    return this.records?.work ?? 0;
  }

  *push(bytes: Uint8Array): Generator<ClientItem> {
    this.gathered.push(bytes);
    this.size += bytes.length;
    if (this.size >= GATHERED_BYTES) yield* this.read(this.text.push(this.takeGathered()), false);
  }

  *end(): Generator<ClientItem> {
    const text = this.text.push(this.takeGathered());
    yield* this.read(text + this.text.end(), true);
  }

  private takeGathered(): Uint8Array {
    const [only, ...more] = this.gathered;
    const bytes = more.length === 0 ? (only ?? new Uint8Array(0)) : Buffer.concat(this.gathered);
    this.gathered = [];
    this.size = 0;
    return bytes;
  }

  private *read(text: string, ended: boolean): Generator<ClientItem> {
    for (const item of this.items(text, ended)) {
      if (this.unusable) return;
      this.found = true;
      this.unusable = item.kind === 'unusable';
      yield item;
    }
    if (ended && !this.found) yield unusable(problem(this.header ? 'file_without_clients' : 'file_empty'));
  }

  private *items(text: string, ended: boolean): Generator<ClientItem> {
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
    for (const item of this.records.push(rest)) yield this.client(item, this.header);
    if (ended) for (const item of this.records.end()) yield this.client(item, this.header);
  }

  private client(item: CsvItem, header: ClientHeader): ClientItem {
    const client = readClient(item, header);
    const first = client.kind === 'rejected' ? client.errors[0] : undefined;
    if (first?.field !== 'line') {
      this.foreignLines = Infinity;
      return client;
    }
    const { code, values } = first;
    if (++this.foreignLines !== FOREIGN_LINES) return client;
    return unusable(
      problem('file_of_others', { lines: FOREIGN_LINES, line: item.line, first: { code, values } as CodedProblem }),
    );
  }

  /** Removes lines from `head` until the header is found. Returns what is wrong with the header, or null. */
  private readHead(ended: boolean): CodedProblem | null {
    for (;;) {
      const lineEnd = this.head.indexOf('\n');
      if (lineEnd < 0 && this.head.length > RECORD_MAX)
        return problem('file_header_long', { line: this.line, max: RECORD_MAX });
      if (lineEnd < 0 && (!ended || this.head === '')) return null;
      const line = lineEnd < 0 ? this.head : this.head.slice(0, lineEnd);
      this.head = lineEnd < 0 ? '' : this.head.slice(lineEnd + 1);
      if (line === '') {
        this.line++;
        continue;
      }
      const separator = /^"?sep=([^"])"?\s*$/i.exec(line)?.[1];
      if (separator) this.delimiters = [separator];
      else if (line.trim() !== '') {
        this.header = readHeader(line, this.delimiters);
        if (!this.header) return problem('file_header', { line: this.line, found: visible(line, 200) });
      }
      this.line++;
      if (!this.header) continue;
      const { header } = this;
      this.records = new CsvParser(header.delimiter, this.line, (fields, lines) => isOneClient(fields, lines, header));
      return null;
    }
  }
}

const unusable = (found: CodedProblem): ClientItem => ({ kind: 'unusable', problem: found });

/**
 * Whether a record of several lines is plausible: only its comment and ignored columns may have several lines, and none
 * of the lines may be a client by itself.
 */
function isOneClient(fields: string[], lines: string[], { delimiter, width, email, fullName }: ClientHeader): boolean {
  if ([email, fullName].some((i) => fields[i]?.trim().includes('\n'))) return false;
  return !lines.slice(1).some((line) => {
    if (!line.includes('@')) return false;
    const own = line.split(delimiter);
    return own.length === width && parseEmailAddress(own[email] ?? '').ok && own[fullName]?.trim() !== '';
  });
}

function readClient(item: CsvItem, header: ClientHeader): ClientItem {
  const { line } = item;
  const reject = (errors: readonly FieldProblem[]): ClientItem => ({ kind: 'rejected', line, errors });
  if (!item.ok) return reject(at('line', item.problem));
  const { fields } = item;
  const extra = fields.length > header.width && fields.slice(header.width).some((field) => field.trim() !== '');
  if (extra || fields.length <= Math.max(header.email, header.fullName)) {
    return reject(at('line', problem('columns', { has: fields.length, wanted: header.width, extra })));
  }
  const value = (i: number) => plainField(fields[i] ?? '');
  const input = { email: value(header.email), fullName: value(header.fullName), comment: value(header.comment) };
  const broken = (['email', 'fullName', 'comment'] as const).filter((field) => input[field].includes('\ufffd'));
  if (broken.length > 0) return reject(broken.flatMap((field) => at(field, problem('broken_character'))));
  const checked = checkClient(input);
  if (checked.ok) return { kind: 'client', line, client: checked.client };
  return reject(checked.errors.filter((error, i, all) => all.findIndex((e) => e.field === error.field) === i));
}

/** A piece of a file as a message may show it. */
function visible(text: string, maxLength: number): string {
  const plain = text.trim().replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  return plain.length > maxLength ? `${plain.slice(0, maxLength)}…` : plain;
}
