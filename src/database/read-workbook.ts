import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl';
import { BoundedXml, WorkbookError, type XmlReader } from '../domain/bounded-xml';
import type { RecordTable, TableHeader } from '../domain/csv-table';
import { problem, type WorkbookFault } from '../domain/problems';
import {
  bookElements,
  dateFormats,
  relationElements,
  SharedStrings,
  SheetReader,
  type SheetRow,
  sheetsOf,
  styleElements,
} from '../domain/workbook';
import { type TableSink, UnusableUpload } from './read-table';

/** A file that can be read at any place, in parts of one length. */
export interface PartFile {
  readonly bytes: number;
  part(part: number): Promise<Buffer>;
}

const PART_BYTES = 256 * 1024;
const BATCH_BYTES = 512 * 1024;
/** Other work of this process gets its turn after so many rows, or characters of them. */
const TURN_ROWS = 500;
const TURN_LENGTH = 64 * 1024;
/** Bounds of what is unpacked, in bytes: texts are XML, so they take several times the room that they take in CSV. */
const BOUNDS = { entries: 10_000, small: 16 * 1024 * 1024, strings: 96 * 1024 * 1024, sheet: 1024 * 1024 * 1024 };
/** Sheets of the same few values are packed to a hundredth; what is packed more was made to be unpacked. */
const RATIO = 200;
const NAMES = {
  workbook: 'xl/workbook.xml',
  relations: 'xl/_rels/workbook.xml.rels',
  strings: 'xl/sharedStrings.xml',
  styles: 'xl/styles.xml',
};

const broken = (fault: WorkbookFault, max?: number) =>
  new UnusableUpload(problem('workbook', { fault, ...(max !== undefined && { max }) }));

/** Whether a file begins as ZIP archives do. */
export async function looksLikeWorkbook(file: PartFile): Promise<boolean> {
  const begin = file.bytes >= 4 ? await file.part(0) : Buffer.alloc(0);
  return begin.length >= 4 && begin.readUInt32LE(0) === 0x04034b50;
}

/**
 * Reads a sheet into the sink, with bounded memory: the sheet is unpacked while it is read; only the texts that its
 * cells share are held. What is left for the sink to write at the end is left to the caller.
 * @param sheet the name of the sheet; null: the first one
 * @throws UnusableUpload
 */
export async function readWorkbook<Header extends TableHeader, Row extends { kind: string }>(
  file: PartFile,
  sheet: string | null,
  table: RecordTable<Header, Row>,
  sink: TableSink<Row>,
): Promise<void> {
  let [rows, length, total] = [0, 0, 0];
  for await (const row of sheetRows(file, sheet)) {
    // Many cells may share one long text, so the rows may be longer than the file.
    total += row.length;
    if (total > BOUNDS.sheet) throw broken('bytes', BOUNDS.sheet);
    length += row.length;
    if (++rows % TURN_ROWS === 0 || length > TURN_LENGTH) {
      length = 0;
      await nextTurn();
    }
    const item = table.pushRow(row);
    if (item === null) continue;
    if (isUnusable(item)) throw new UnusableUpload(item.problem);
    sink.add(item);
    if (sink.bytes > BATCH_BYTES) await sink.write();
  }
  const wrong = table.end();
  if (wrong) throw new UnusableUpload(wrong);
}

const isUnusable = (item: {
  kind: string;
}): item is Extract<ReturnType<RecordTable<TableHeader, never>['push']>, { kind: 'unusable' }> =>
  item.kind === 'unusable';

/** The names of the sheets that people see. @throws UnusableUpload */
export async function sheetNames(file: PartFile): Promise<string[]> {
  const zip = await Archive.open(file);
  try {
    return (await listSheets(zip)).map(({ name }) => name);
  } finally {
    zip.close();
  }
}

/** A look at the beginning of a sheet. */
export interface Peek {
  /** At most so many characters of it are unpacked. */
  readonly max: number;
  /** Whether the sheet goes on after that. */
  short: boolean;
}

/** The rows of a sheet, as far as they are wanted. @throws UnusableUpload */
export async function* sheetRows(file: PartFile, sheet: string | null, peek?: Peek): AsyncGenerator<SheetRow> {
  const zip = await Archive.open(file);
  try {
    const sheets = await listSheets(zip);
    const chosen = sheet === null ? sheets[0] : sheets.find(({ name }) => name === sheet);
    if (!chosen || !zip.has(chosen.path)) throw broken('no_sheet');
    const strings = new SharedStrings();
    if (zip.has(NAMES.strings)) await zip.parse(NAMES.strings, BOUNDS.strings, 'strings', strings);
    const styles = await zip.elements(NAMES.styles, styleElements());
    const reader = new SheetReader(strings, dateFormats(styles), chosen.since1904);
    const xml = new BoundedXml(reader);
    let length = 0;
    for await (const text of zip.read(chosen.path, BOUNDS.sheet, 'bytes')) {
      told(() => xml.write(text));
      yield* reader.taken();
      length += text.length;
      if (!peek || length <= peek.max) continue;
      peek.short = true;
      return;
    }
    told(() => xml.end());
    yield* reader.taken();
  } finally {
    zip.close();
  }
}

async function listSheets(zip: Archive) {
  if (!zip.has(NAMES.workbook)) throw broken('no_workbook');
  const book = await zip.elements(NAMES.workbook, bookElements());
  return sheetsOf(book, await zip.elements(NAMES.relations, relationElements()));
}

/** @throws UnusableUpload */
function told(step: () => void): void {
  try {
    step();
  } catch (error) {
    throw error instanceof WorkbookError ? broken(error.fault, error.max) : error;
  }
}

/** The parts of a ZIP archive, by their names. */
class Archive {
  private readonly entries = new Map<string, Entry>();

  private constructor(private readonly zip: ZipFile) {}

  static async open(file: PartFile): Promise<Archive> {
    const zip = await new Promise<ZipFile>((resolve, reject) =>
      fromRandomAccessReader(
        new PartReader(file),
        file.bytes,
        { lazyEntries: true, autoClose: false, validateEntrySizes: true },
        (error, opened) => (error || !opened ? reject(broken('broken')) : resolve(opened)),
      ),
    );
    const archive = new Archive(zip);
    try {
      if (zip.entryCount > BOUNDS.entries) throw broken('entries', BOUNDS.entries);
      await archive.list();
    } catch (error) {
      zip.close();
      throw error;
    }
    return archive;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  close(): void {
    this.zip.close();
  }

  /** Reads a small part, if it is there. */
  async elements<Reader extends XmlReader>(name: string, reader: Reader): Promise<Reader> {
    if (this.has(name)) await this.parse(name, BOUNDS.small, 'bytes', reader);
    return reader;
  }

  async parse(name: string, max: number, bound: WorkbookFault, reader: XmlReader): Promise<void> {
    const xml = new BoundedXml(reader);
    let length = 0;
    for await (const text of this.read(name, max, bound)) {
      length += text.length;
      told(() => xml.write(text));
      await nextTurn();
    }
    // A part that is there but empty says nothing.
    if (length > 0) told(() => xml.end());
  }

  /** The unpacked text, counted while it comes: what the archive says of its size is not believed. */
  async *read(name: string, most: number, bound: WorkbookFault): AsyncGenerator<string> {
    const entry = this.entries.get(name);
    if (!entry) throw broken('broken');
    const max = Math.min(most, BOUNDS.small + RATIO * entry.compressedSize);
    if (entry.isEncrypted()) throw broken('encrypted');
    if (entry.uncompressedSize > max) throw broken(bound, max);
    const stream = await new Promise<Readable>((resolve, reject) =>
      this.zip.openReadStream(entry, (error, opened) =>
        error || !opened ? reject(broken('broken')) : resolve(opened),
      ),
    );
    const decoder = new TextDecoder();
    let bytes = 0;
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > max) throw broken(bound, max);
        yield decoder.decode(chunk, { stream: true });
      }
      yield decoder.decode();
    } catch (error) {
      throw error instanceof UnusableUpload ? error : broken('broken');
    } finally {
      stream.destroy();
    }
  }

  private list(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.zip.on('entry', (entry: Entry) => {
        this.entries.set(entry.fileName.replace(/^\//, ''), entry);
        this.zip.readEntry();
      });
      this.zip.on('end', resolve);
      this.zip.on('error', () => reject(broken('broken')));
      this.zip.readEntry();
    });
  }
}

class PartReader extends RandomAccessReader {
  constructor(private readonly file: PartFile) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.range(start, end), { objectMode: false });
  }

  private async *range(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const part = Math.floor(at / PART_BYTES);
      const bytes = await this.file.part(part);
      const from = at - part * PART_BYTES;
      const piece = bytes.subarray(from, Math.min(bytes.length, from + end - at));
      if (piece.length === 0) return;
      yield Buffer.from(piece);
      at += piece.length;
    }
  }
}
