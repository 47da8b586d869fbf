import { Temporal } from 'temporal-polyfill';
import { type Attributes, local, WorkbookError, type XmlReader } from './bounded-xml';
import { RECORD_MAX } from './csv-records';
import { cut } from './cut';

/** The columns of a row that are read; Excel's own limit is 16,384, of which nobody fills more than some hundred. */
export const COLUMNS_MAX = 1_000;
/** The longest text of a cell, the longest name of a sheet and the number of rows, as Excel has them. */
const CELL_MAX = 32_767;
const NAME_MAX = 255;
const ROWS_MAX = 1_048_576;
/** Elements that are kept of a small part. */
const ELEMENTS_MAX = 100_000;
/** Bounds of the texts that cells share: how many, and their characters. */
const TEXTS_MAX = 2_000_000;
const TEXTS_LENGTH = 48 * 1024 * 1024;

/** A row of a sheet, by its own number; cells that are not there are missing. */
export interface SheetRow {
  line: number;
  cells: (string | undefined)[];
  /** The characters of its cells. If they are more than a record may have, the cells are left out. */
  length: number;
}

interface Sheet {
  name: string;
  path: string;
  since1904: boolean;
}

/** Those elements of a small part that mean something here. */
export class Elements implements XmlReader {
  readonly found: { name: string; attributes: Attributes }[] = [];

  constructor(private readonly names: readonly string[]) {}

  opened(name: string, attributes: Attributes): void {
    if (!this.names.includes(name)) return;
    if (this.found.length === ELEMENTS_MAX) throw new WorkbookError('broken');
    this.found.push({ name, attributes });
  }
}

export const bookElements = () => new Elements(['workbookPr', 'sheet']);
export const relationElements = () => new Elements(['Relationship']);
export const styleElements = () => new Elements(['numFmt', 'cellXfs', 'cellStyles', 'xf']);

/** The sheets that people see, in their order. */
export function sheetsOf({ found: book }: Elements, { found: links }: Elements): Sheet[] {
  const targets = new Map(links.map(({ attributes: a }) => [a.Id, a.Target ?? '']));
  const since1904 = book.some(
    ({ name, attributes: a }) => name === 'workbookPr' && /^(?:1|true)$/.test(a.date1904 ?? ''),
  );
  return book
    .filter(({ name, attributes: a }) => name === 'sheet' && !/hidden/i.test(a.state ?? ''))
    .map(({ attributes: a }, i) => {
      const id = Object.entries(a).find(([name]) => local(name) === 'id' && name.includes(':'))?.[1];
      const target = targets.get(id ?? '') ?? `worksheets/sheet${i + 1}.xml`;
      const path = target.startsWith('/') ? target.slice(1) : `xl/${target}`;
      return { name: cut(a.name ?? '', NAME_MAX), path, since1904 };
    });
}

/** Excel's own formats of days and times. */
const BUILT_IN_DATES = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57]);

/** The longest format, as Excel has it. */
const FORMAT_MAX = 255;

/** By the number of a cell's style, whether it shows a day or a time. */
export function dateFormats({ found: elements }: Elements): boolean[] {
  const own = new Map<number, boolean>();
  let inCells = false;
  const formats: boolean[] = [];
  for (const { name, attributes: a } of elements) {
    if (name === 'numFmt') own.set(Number(a.numFmtId), isDateFormat((a.formatCode ?? '').slice(0, FORMAT_MAX)));
    else if (name === 'cellXfs') inCells = true;
    else if (name === 'cellStyles') inCells = false;
    else if (name === 'xf' && inCells) {
      const id = Number(a.numFmtId ?? 0);
      formats.push(own.get(id) ?? BUILT_IN_DATES.has(id));
    }
  }
  return formats;
}

/** Quoted texts, colours and escaped signs do not count. */
const isDateFormat = (code: string): boolean =>
  /[ymdhs]/i.test(code.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general/gi, ''));

/** The texts that cells share, by their numbers. */
export class SharedStrings implements XmlReader {
  private readonly texts: string[] = [];
  private total = 0;
  private readonly current = new CellText();

  get(index: number): string {
    return this.texts[index] ?? '';
  }

  opened(name: string): void {
    if (name === 'si') this.current.begin();
    else if (name === 't') this.current.inside = true;
    else if (name === 'rPh') this.current.phonetic++;
  }

  text(piece: string): void {
    this.current.add(piece);
  }

  closed(name: string): void {
    if (name === 't') this.current.inside = false;
    else if (name === 'rPh') this.current.phonetic--;
    else if (name === 'si') this.keep(cut(unescaped(this.current.whole()), CELL_MAX));
  }

  private keep(text: string): void {
    if (this.texts.length === TEXTS_MAX) throw new WorkbookError('texts', TEXTS_MAX);
    this.total += text.length;
    if (this.total > TEXTS_LENGTH) throw new WorkbookError('strings', TEXTS_LENGTH);
    this.texts.push(text);
  }
}

/** The text of a cell, which comes in pieces; no more of it is held than a cell may have. */
class CellText {
  inside = false;
  /** Readings of Japanese texts are no part of them. */
  phonetic = 0;
  private pieces: string[] = [];
  private length = 0;

  begin(): void {
    this.pieces = [];
    this.length = 0;
  }

  add(piece: string): void {
    if (!this.inside || this.phonetic > 0 || this.length > CELL_MAX) return;
    this.length += piece.length;
    this.pieces.push(piece);
  }

  whole(): string {
    return cut(this.pieces.join(''), CELL_MAX);
  }
}

/** `_x000D_` is a character that XML can't hold. */
function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  const plain = text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  return plain.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Makes rows of a sheet's XML. */
export class SheetReader implements XmlReader {
  private rows: SheetRow[] = [];
  private row: SheetRow = { line: 0, cells: [], length: 0 };
  private column = -1;
  private type = '';
  private style = 0;
  private readonly value = new CellText();

  constructor(
    private readonly strings: SharedStrings,
    private readonly dates: readonly boolean[],
    private readonly since1904: boolean,
  ) {}

  /** The rows that are complete. */
  taken(): SheetRow[] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  opened(name: string, attributes: Attributes): void {
    if (name === 'row') this.beginRow(attributes);
    else if (name === 'c') this.beginCell(attributes);
    else if (name === 'v' || name === 't') this.value.inside = true;
    else if (name === 'rPh') this.value.phonetic++;
  }

  text(piece: string): void {
    this.value.add(piece);
  }

  closed(name: string): void {
    if (name === 'v' || name === 't') this.value.inside = false;
    else if (name === 'rPh') this.value.phonetic--;
    else if (name === 'c') this.endCell();
    else if (name === 'row' && this.row.length > 0) this.rows.push(this.row);
  }

  private beginRow({ r }: Attributes): void {
    const number = Number(r);
    const line = number > this.row.line && (Number.isInteger(number) || number > ROWS_MAX) ? number : this.row.line + 1;
    if (line > ROWS_MAX) throw new WorkbookError('broken');
    this.row = { line, cells: [], length: 0 };
    this.column = -1;
  }

  private beginCell({ r, t = '', s }: Attributes): void {
    const letters = /^[A-Za-z]{1,3}/.exec(r ?? '')?.[0];
    this.column = letters ? columnOf(letters) : this.column + 1;
    this.type = t;
    this.style = Number(s ?? 0);
    this.value.begin();
  }

  private endCell(): void {
    if (this.row.length > RECORD_MAX) return;
    const text = this.textOf(this.value.whole());
    if (text === '') return;
    if (this.column >= COLUMNS_MAX) throw new WorkbookError('columns', COLUMNS_MAX);
    this.row.length += text.length;
    // What is between is left out: a row may have a single cell far on the right.
    if (this.row.length <= RECORD_MAX) this.row.cells[this.column] = text;
    else this.row.cells = [];
  }

  private textOf(value: string): string {
    switch (this.type) {
      case 's':
        return this.strings.get(Number(value));
      case 'b':
        return value === '1' ? 'true' : value === '0' ? 'false' : value;
      case 'inlineStr':
      case 'str':
        return unescaped(value);
      case 'e':
        return '';
      case 'd':
        return value;
      default:
        return value !== '' && this.dates[this.style] ? this.dayOf(value) : plainNumber(value);
    }
  }

  /** A day, with the time if there is one; Excel counts days, and has a 29 February 1900 that never was. */
  private dayOf(value: string): string {
    const serial = Number(value);
    if (!Number.isFinite(serial) || serial < 0 || serial > 2_958_465) return value;
    const days = Math.floor(serial + 1e-9);
    const seconds = Math.round((serial - days) * 86_400);
    const begin = this.since1904 ? [1904, 1, 1] : [1899, 12, serial < 60 ? 31 : 30];
    const [year, month, day] = begin as [number, number, number];
    const time = new Temporal.PlainDateTime(year, month, day).add({ days, seconds });
    if (days === 0 && seconds > 0) return time.toPlainTime().toString();
    return seconds === 0 ? time.toPlainDate().toString() : time.toString().replace('T', ' ');
  }
}

const columnOf = (letters: string): number => {
  let n = 0;
  for (const c of letters.toUpperCase()) n = n * 26 + c.charCodeAt(0) - 64;
  return n - 1;
};

/** Numbers are stored in binary (`0.30000000000000004`); people wrote at most fifteen digits. */
function plainNumber(value: string): string {
  if (!/[.eE]/.test(value)) return value;
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  const rounded = Number(number.toPrecision(15));
  return Math.abs(rounded) < 1e21 && Number.isInteger(rounded) ? BigInt(rounded).toString() : String(rounded);
}
