import {
  changedValues,
  checkValue,
  type FieldChange,
  type FieldDefinition,
  type FieldValue,
  VALUES_MAX_BYTES,
  valuesProblem,
} from './client-fields';
import { checkClient } from './client-input';
import { type ColumnMapping, type ColumnTarget, mapSurely } from './csv-mapping';
import { type CsvItem, plainField } from './csv-records';
import { readStatus, type SaidStatus, strictest } from './csv-status';
import {
  bestHeader,
  columnsProblem,
  CsvTable,
  DELIMITERS,
  rejected,
  type RejectedLine,
  roughly,
  type TableFormat,
  type TextForm,
  type UnusableFile,
  visible,
} from './csv-table';
import { parseEmailAddress } from './email-address';
import { at, type FieldProblem, problem } from './problems';
import { type SaidTags, tagsInCells } from './csv-tags';
import type { SuppressionReason } from './suppression';

/** What a file of clients consists of. */
export type ClientItem = ClientLine | RejectedLine | UnusableFile;

export interface ClientLine {
  kind: 'client';
  line: number;
  client: { email: string; fullName: string; comment: string };
  /** Of the owner's fields; absent if there is no value, or no column for one. */
  fields?: FieldChange;
  tags?: string[];
  /** Why the address gets no mail, as the file says. */
  excluded?: { reason: SuppressionReason; detail: string };
}

/** How the columns of a file are to be understood. */
export interface ClientsForm extends TextForm {
  /** The owner's fields. */
  definitions?: readonly FieldDefinition[];
  /** What somebody decided; without it the columns are known by their names, and others are ignored. */
  mapping?: ColumnMapping | null;
  /** The first line is a record. */
  headless?: boolean;
  /** Empty cells take values away. */
  clears?: boolean;
}

/** Where a client's values stand in a record, by a file's header; -1 if the file has none. */
export interface ClientHeader {
  delimiter: string;
  width: number;
  headless: boolean;
  email: number;
  fullName: number;
  /** Of the given, the middle and the family name, which make up the full one. */
  parts: number[];
  /** If the file has none, the comments of known clients are left alone. */
  comment: number;
  fields: { index: number; definition: FieldDefinition }[];
  tags: number[];
  status: { index: number; header: string }[];
  /** Whether words that are not known in a status column are an error. */
  strict: boolean;
  clears: boolean;
  /** Names of the columns, as they stand in the file. */
  names: string[];
  /** Names of the columns that nothing is taken from. */
  ignored: string[];
}

/** Reads a line as a header; null if it does not name e-mail. */
export const readHeader = (line: string, delimiters = DELIMITERS, form: ClientsForm = {}): ClientHeader | null =>
  bestHeader(line, delimiters, (fields, delimiter) => headerOf(fields, delimiter, form));

/** @returns null if no column is the address */
export function headerOf(fields: readonly string[], delimiter: string, form: ClientsForm): ClientHeader | null {
  const { definitions = [], mapping, headless = false, clears = false } = form;
  const targets = mapping ? fields.map((_, i): ColumnTarget => mapping[i] ?? 'ignore') : mapSurely(fields, definitions);
  const find = (target: ColumnTarget) => targets.indexOf(target);
  const all = (target: ColumnTarget) => targets.flatMap((own, i) => (own === target ? [i] : []));
  if (find('email') < 0) return null;
  const fullName = find('fullName');
  const parts = [find('firstName'), find('middleName'), find('lastName')].filter((i) => i >= 0);
  return {
    delimiter,
    width: fields.length,
    headless,
    email: find('email'),
    fullName,
    parts: fullName < 0 ? parts : [],
    comment: find('comment'),
    fields: definitions.flatMap((definition) => {
      const index = find(`fields.${definition.key}`);
      return index < 0 ? [] : [{ index, definition }];
    }),
    tags: all('tags'),
    status: all('status').map((index) => ({ index, header: headless ? '' : (fields[index] ?? '') })),
    strict: Boolean(mapping),
    clears,
    names: headless ? fields.map((_, i) => `column_${i + 1}`) : fields.map((name) => visible(name, 200)),
    ignored: fields
      .flatMap((name, i) => (targets[i] !== 'ignore' || headless || name.trim() === '' ? [] : [visible(name, 60)]))
      .slice(0, 50),
  };
}

/** How records of clients are read, from a text or a workbook. */
export const clientsFormat = (form: ClientsForm): TableFormat<ClientHeader, ClientLine> => ({
  readHeader: (line, delimiters) => readHeader(line, delimiters, form),
  mapHeader: (fields) => headerOf(fields, '', form),
  isOneRecord: isOneClient,
  readRecord: readClient,
  empty: problem('file_without_clients'),
  headless: (line, found) => problem('file_header', { line, found }),
});

/** Reads a CSV file of clients. Does not detect repeated addresses. */
export class ClientsCsv extends CsvTable<ClientHeader, ClientLine> {
  constructor(form: ClientsForm = {}) {
    super(clientsFormat(form), form);
  }
}

/**
 * Whether a record of several lines is plausible: only its comment and ignored columns may have several lines, and none
 * of the lines may be a client by itself.
 */
function isOneClient(fields: string[], lines: string[], header: ClientHeader): boolean {
  const { delimiter, width, email, fullName, parts } = header;
  if ([email, fullName, ...parts].some((i) => fields[i]?.trim().includes('\n'))) return false;
  return !lines.slice(1).some((line) => {
    if (!line.includes('@')) return false;
    const own = line.split(delimiter);
    return own.length === width && parseEmailAddress(own[email] ?? '').ok && own[fullName]?.trim() !== '';
  });
}

/** A record as a client, or why it is none. */
function readClient(item: CsvItem, header: ClientHeader): ClientLine | RejectedLine {
  const { line } = item;
  if (!item.ok) return rejected(line, at('line', item.problem), roughly(item.text, header.delimiter));
  const { fields } = item;
  const reject = (errors: readonly FieldProblem[]) => rejected(line, errors, fields);
  const wrong = columnsProblem(fields, header.width, Math.max(header.email, header.fullName));
  if (wrong) return reject(at('line', wrong));
  const value = (i: number) => plainField(fields[i] ?? '');
  const fullName =
    header.parts.length === 0
      ? value(header.fullName)
      : header.parts
          .map((i) => value(i).trim())
          .filter((part) => part !== '')
          .join(' ');
  const input = { email: value(header.email), fullName, comment: value(header.comment) };
  const more = header.fields.length + header.tags.length + header.status.length > 0 ? readMore(value, header) : null;
  const rejectValues = (errors: readonly FieldProblem[]): RejectedLine => {
    const excluded = more?.found.excluded;
    const address = excluded ? parseEmailAddress(input.email) : null;
    const line = reject(errors);
    return excluded && address?.ok ? { ...line, excluded: { email: address.email, ...excluded } } : line;
  };
  const broken = (['email', 'fullName', 'comment'] as const).filter((field) => input[field].includes('\ufffd'));
  if (broken.length > 0) return rejectValues(broken.flatMap((field) => at(field, problem('broken_character'))));
  const checked = checkClient(input);
  const errors = [...(checked.ok ? [] : checked.errors), ...(more?.errors ?? [])];
  if (checked.ok && errors.length === 0) return { kind: 'client', line, client: checked.client, ...more?.found };
  return rejectValues(errors.filter((error, i) => errors.findIndex((e) => e.field === error.field) === i));
}

type Found = Pick<ClientLine, 'fields' | 'tags' | 'excluded'>;

function readMore(value: (i: number) => string, header: ClientHeader): { found: Found; errors: FieldProblem[] } {
  const found: Found = {};
  const errors: FieldProblem[] = [];
  if (header.fields.length > 0) {
    const fields = readFields(value, header, errors);
    if (fields) found.fields = fields;
  }
  if (header.tags.length > 0) {
    const said: SaidTags = tagsInCells(header.tags.map(value));
    if (!said.ok) errors.push(...at('tags', said.problem));
    else if (said.tags.length > 0) found.tags = said.tags;
  }
  if (header.status.length > 0) {
    const said: SaidStatus = strictest(header.status.map(({ index, header: name }) => readStatus(name, value(index))));
    if (said === 'unknown' && header.strict) errors.push(...at('status', problem('unknown_status')));
    else if (said !== null && typeof said === 'object')
      found.excluded = { reason: said.reason, detail: visible(said.detail, 200) };
  }
  return { found, errors };
}

function readFields(
  value: (i: number) => string,
  { fields, clears }: ClientHeader,
  errors: FieldProblem[],
): FieldChange | null {
  const change: Record<string, FieldValue | null> = {};
  let any = false;
  let size = 0;
  for (const { index, definition } of fields) {
    const text = value(index);
    if (text === '' && !clears) continue;
    size += text.length + 50;
    const checked = checkValue(definition, text);
    if (!checked.ok) errors.push(...at(`fields.${definition.key}`, checked.problem));
    else if (checked.value !== null || clears) {
      change[definition.key] = checked.value;
      any = true;
    }
  }
  if (!any) return null;
  // What is shorter fits whatever its characters are.
  const long = 4 * size > VALUES_MAX_BYTES ? valuesProblem(changedValues({}, change)) : null;
  if (long) errors.push(...at('fields', long));
  return change;
}
