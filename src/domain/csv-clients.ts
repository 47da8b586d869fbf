import { checkClient } from './client-input';
import { type CsvItem, plainField } from './csv-records';
import {
  bestHeader,
  columnName,
  columnsProblem,
  CsvTable,
  DELIMITERS,
  type RejectedLine,
  rejected,
  type UnusableFile,
  visible,
} from './csv-table';
import { parseEmailAddress } from './email-address';
import { at, type FieldProblem, problem } from './problems';

/** What a file of clients consists of. */
export type ClientItem = ClientLine | RejectedLine | UnusableFile;

export interface ClientLine {
  kind: 'client';
  line: number;
  client: { email: string; fullName: string; comment: string };
}

type Column = 'email' | 'fullName' | 'comment';

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

/** Reads a line as a header; null if it does not name e-mail and full name. */
export const readHeader = (line: string, delimiters = DELIMITERS): ClientHeader | null =>
  bestHeader(line, delimiters, mapColumns);

function mapColumns(fields: string[], delimiter: string): ClientHeader | null {
  const names = fields.map(columnName);
  const find = (column: Column) => NAMES[column].map((name) => names.indexOf(name)).find((i) => i >= 0) ?? -1;
  const [email, fullName, comment] = [find('email'), find('fullName'), find('comment')];
  if (email < 0 || fullName < 0) return null;
  const ignored = fields.flatMap((f, i) =>
    names[i] === '' || [email, fullName, comment].includes(i) ? [] : [visible(f, 60)],
  );
  return { delimiter, width: fields.length, email, fullName, comment, ignored: ignored.slice(0, 50) };
}

/** Reads a CSV file of clients. Does not detect repeated addresses. */
export class ClientsCsv extends CsvTable<ClientHeader, ClientLine> {
  constructor() {
    super({
      readHeader,
      isOneRecord: isOneClient,
      readRecord: readClient,
      empty: problem('file_without_clients'),
      headless: (line, found) => problem('file_header', { line, found }),
    });
  }
}

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

function readClient(item: CsvItem, header: ClientHeader): ClientLine | RejectedLine {
  const { line } = item;
  const reject = (errors: readonly FieldProblem[]) => rejected(line, errors);
  if (!item.ok) return reject(at('line', item.problem));
  const { fields } = item;
  const wrong = columnsProblem(fields, header.width, Math.max(header.email, header.fullName));
  if (wrong) return reject(at('line', wrong));
  const value = (i: number) => plainField(fields[i] ?? '');
  const input = { email: value(header.email), fullName: value(header.fullName), comment: value(header.comment) };
  const broken = (['email', 'fullName', 'comment'] as const).filter((field) => input[field].includes('\ufffd'));
  if (broken.length > 0) return reject(broken.flatMap((field) => at(field, problem('broken_character'))));
  const checked = checkClient(input);
  if (checked.ok) return { kind: 'client', line, client: checked.client };
  return reject(checked.errors.filter((error, i, all) => all.findIndex((e) => e.field === error.field) === i));
}
