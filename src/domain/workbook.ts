import { SaxesParser } from 'saxes';
import { Temporal } from 'temporal-polyfill';

/** The columns of a row that are read; Excel's own limit is 16,384, of which nobody fills more than some hundred. */
export const COLUMNS_MAX = 1_000;
/** The longest text of a cell, as Excel has it. */
const CELL_MAX = 32_767;

/** A row of a sheet, by its own number; cells that are not there are missing. */
export interface SheetRow {
  line: number;
  cells: (string | undefined)[];
}

interface Sheet {
  name: string;
  path: string;
  since1904: boolean;
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);
type Attributes = Record<string, string>;

/** The elements of a small part; null if it is no XML. */
function elementsOf(text: string): { name: string; attributes: Attributes }[] | null {
  const found: { name: string; attributes: Attributes }[] = [];
  const xml = new SaxesParser();
  xml.on('opentag', (tag) => found.push({ name: local(tag.name), attributes: tag.attributes }));
  try {
    if (text !== '') xml.write(text).close();
  } catch {
    return null;
  }
  return found;
}

/** The sheets that people see, in their order; null if the parts are no XML. */
export function sheetsOf(workbook: string, relations: string): Sheet[] | null {
  const [book, links] = [elementsOf(workbook), elementsOf(relations)];
  if (!book || !links) return null;
  const targets = new Map(links.map(({ attributes: a }) => [a.Id, a.Target ?? '']));
  const since1904 = book.some(
    ({ name, attributes: a }) => name === 'workbookPr' && /^(?:1|true)$/.test(a.date1904 ?? ''),
  );
  return book
    .filter(({ name, attributes: a }) => name === 'sheet' && !/hidden/i.test(a.state ?? ''))
    .map(({ attributes: a }, i) => {
      const id = Object.entries(a).find(([name]) => local(name) === 'id' && name.includes(':'))?.[1];
      const target = targets.get(id ?? '') ?? `worksheets/sheet${i + 1}.xml`;
      return { name: a.name ?? '', path: target.startsWith('/') ? target.slice(1) : `xl/${target}`, since1904 };
    });
}

/** Excel's own formats of days and times. */
const BUILT_IN_DATES = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57]);

/** By the number of a cell's style, whether it shows a day or a time. */
export function dateFormats(styles: string): boolean[] {
  const elements = elementsOf(styles) ?? [];
  const own = new Map<number, boolean>();
  let inCells = false;
  const formats: boolean[] = [];
  for (const { name, attributes: a } of elements) {
    if (name === 'numFmt') own.set(Number(a.numFmtId), isDateFormat(a.formatCode ?? ''));
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
export class SharedStrings {
  private readonly texts: string[] = [];

  get(index: number): string {
    return this.texts[index] ?? '';
  }

  attend(xml: SaxesParser): void {
    let text: string[] = [];
    let [inText, phonetic] = [false, 0];
    xml.on('opentag', ({ name }) => {
      const tag = local(name);
      if (tag === 'si') text = [];
      else if (tag === 't') inText = true;
      else if (tag === 'rPh') phonetic++;
    });
    xml.on('text', (piece) => {
      if (inText && phonetic === 0) text.push(piece);
    });
    xml.on('closetag', ({ name }) => {
      const tag = local(name);
      if (tag === 'si') this.texts.push(unescaped(text.join('')));
      else if (tag === 't') inText = false;
      else if (tag === 'rPh') phonetic--;
    });
  }
}

/** `_x000D_` is a character that XML can't hold. */
function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  const plain = text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  return plain.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Makes rows of a sheet's XML. */
export class SheetReader {
  /** A row has more columns than are read. */
  tooWide = false;
  private rows: SheetRow[] = [];
  private row: SheetRow = { line: 0, cells: [] };
  private column = -1;
  private type = '';
  private style = 0;
  private value: string[] = [];
  private length = 0;

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

  attend(xml: SaxesParser): void {
    let [inValue, phonetic] = [false, 0];
    xml.on('opentag', (tag) => {
      const name = local(tag.name);
      const a = tag.attributes;
      if (name === 'row') this.beginRow(a);
      else if (name === 'c') this.beginCell(a);
      else if (name === 'v' || name === 't') inValue = true;
      else if (name === 'rPh') phonetic++;
    });
    xml.on('text', (piece) => {
      if (!inValue || phonetic > 0 || this.length > CELL_MAX) return;
      this.length += piece.length;
      this.value.push(piece);
    });
    xml.on('closetag', (tag) => {
      const name = local(tag.name);
      if (name === 'v' || name === 't') inValue = false;
      else if (name === 'rPh') phonetic--;
      else if (name === 'c') this.endCell();
      else if (name === 'row' && this.row.cells.length > 0) this.rows.push(this.row);
    });
  }

  private beginRow({ r }: Attributes): void {
    const number = Number(r);
    const line = Number.isSafeInteger(number) && number > this.row.line ? number : this.row.line + 1;
    this.row = { line, cells: [] };
    this.column = -1;
  }

  private beginCell({ r, t = '', s }: Attributes): void {
    const letters = /^[A-Za-z]{1,3}/.exec(r ?? '')?.[0];
    this.column = letters ? columnOf(letters) : this.column + 1;
    this.type = t;
    this.style = Number(s ?? 0);
    this.value = [];
    this.length = 0;
  }

  private endCell(): void {
    const text = this.textOf(this.value.join('').slice(0, CELL_MAX));
    if (text === '') return;
    if (this.column >= COLUMNS_MAX) {
      this.tooWide = true;
      return;
    }
    // What is between is left out: a row may have a single cell far on the right.
    this.row.cells[this.column] = text;
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
