import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { UnusableUpload } from '../../database/read-table';
import { looksLikeWorkbook, sheetNames, sheetRows } from '../../database/read-workbook';
import type { FieldDefinition } from '../../domain/client-fields';
import type { TextEncoding } from '../../domain/csv-encoding';
import { type ColumnTarget, type Suggestion, suggestMapping } from '../../domain/csv-mapping';
import { CsvSample } from '../../domain/csv-sample';
import { visible } from '../../domain/csv-table';
import { parseEmailAddress } from '../../domain/email-address';
import { invalid } from '../../domain/errors';
import { Semaphore } from '../../domain/semaphore';
import { offeredFields } from './field-definitions';
import { KeptFile } from './import-files';
import type { Import } from './import.entity';

/** Rows from which samples are taken; guesses are made from up to so many values, of which three are shown. */
const LOOKED_ROWS = 100;
const GUESSED_FROM = 20;
const SHOWN = 3;
const COLUMNS_MAX = 1_000;
/** Rows of a workbook that are counted at most. */
const COUNTED_ROWS = 5_000;
/** What is unpacked of its sheet at most, in characters. */
const LOOKED_LENGTH = 32 * 1024 * 1024;

/** How a file is to be looked at, where the guess was wrong. */
export interface Look {
  encoding?: TextEncoding | null;
  delimiter?: string | null;
  sheet?: string | null;
  /** Whether the first line names the columns. */
  hasHeader?: boolean | null;
}

export interface InspectedColumn {
  index: number;
  header: string;
  samples: string[];
  suggested: ColumnTarget;
  newField: Suggestion['newField'];
}

/** What a file looks like before anything is done with it. */
export interface Inspected {
  importId: number;
  fileName: string;
  /** Null if it is no text. */
  encoding: TextEncoding | null;
  /** False: other encodings are almost as likely. */
  encodingSure: boolean;
  delimiter: string | null;
  /** Of a workbook; else empty. */
  sheets: string[];
  sheet: string | null;
  hasHeader: boolean;
  /** How many records it has; null if it is too long to be counted now. */
  rows: number | null;
  columns: InspectedColumn[];
  /** The owner's fields. */
  fields: FieldDefinition[];
}

/** Reads the beginning of a kept file, and says what its columns probably are. */
@Injectable()
export class ImportInspector {
  /** Looking into a workbook takes memory, so a process looks into one at a time. */
  private readonly one = new Semaphore(1);

  constructor(private readonly database: Database) {}

  /** @throws ValidationError if the file is no table */
  async inspect(
    kept: Pick<Import, 'id' | 'ownerId' | 'fileName' | 'fileBytes' | 'charset'>,
    look: Look = {},
  ): Promise<Inspected> {
    const file = new KeptFile(this.database, kept.id, kept.fileBytes);
    try {
      const definitions = await offeredFields(this.database, kept.ownerId);
      const { records, count, ...table } = (await looksLikeWorkbook(file))
        ? await this.one.run(() => lookIntoWorkbook(file, look.sheet ?? null))
        : await lookIntoText(file, { ...look, encoding: look.encoding ?? kept.charset });
      const [first = [], ...others] = records.map((record) => record.slice(0, COLUMNS_MAX));
      const hasHeader = look.hasHeader ?? !first.some((value) => parseEmailAddress(value.trim()).ok);
      const columns = columnsOf(
        hasHeader ? first : first.map(() => ''),
        hasHeader ? others : [first, ...others],
        definitions,
      );
      return {
        importId: kept.id,
        fileName: kept.fileName,
        ...table,
        hasHeader,
        rows: count === null ? null : Math.max(0, count - (hasHeader ? 1 : 0)),
        columns,
        fields: definitions,
      };
    } catch (error) {
      throw error instanceof UnusableUpload ? invalid('file', error.problem) : error;
    }
  }
}

type Seen = Pick<Inspected, 'encoding' | 'encodingSure' | 'delimiter' | 'sheets' | 'sheet'> & {
  records: string[][];
  count: number | null;
};

async function lookIntoText(file: KeptFile, { encoding, delimiter }: Look): Promise<Seen> {
  const sample = new CsvSample({ encoding, delimiter }, LOOKED_ROWS);
  const ended = await sampleFrom(file, sample);
  const found = sample.end(ended);
  if (!found.ok) throw new UnusableUpload(found.problem);
  const { encoding: read, sure, delimiter: by, records, count } = found;
  return {
    encoding: read,
    encodingSure: sure,
    delimiter: by,
    records,
    count: ended ? count : null,
    sheets: [],
    sheet: null,
  };
}

/** One part is more than enough for a hundred rows of ordinary files. @returns whether it was the whole file */
async function sampleFrom(file: KeptFile, sample: CsvSample): Promise<boolean> {
  const bytes = await file.part(0);
  sample.push(bytes);
  return bytes.length === file.bytes;
}

async function lookIntoWorkbook(file: KeptFile, sheet: string | null): Promise<Seen> {
  const sheets = await sheetNames(file);
  const records: string[][] = [];
  const peek = { max: LOOKED_LENGTH, short: false };
  let count = 0;
  for await (const { cells } of sheetRows(file, sheet, peek)) {
    if (!cells.some((cell) => (cell ?? '').trim() !== '')) continue;
    if (++count > COUNTED_ROWS) break;
    if (records.length <= LOOKED_ROWS) records.push(Array.from(cells, (cell) => cell ?? ''));
  }
  return {
    encoding: null,
    encodingSure: true,
    delimiter: null,
    sheets,
    sheet: sheet ?? sheets[0] ?? null,
    records,
    count: peek.short || count > COUNTED_ROWS ? null : count,
  };
}

function columnsOf(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  definitions: readonly FieldDefinition[],
): InspectedColumn[] {
  const seen = headers.map((header, index) => ({
    header: visible(header, 200),
    samples: rows
      .map((row) => visible(row[index] ?? '', 100))
      .filter((value) => value !== '')
      .slice(0, GUESSED_FROM),
  }));
  const suggestions = suggestMapping(seen, definitions);
  return seen.map(({ header, samples }, index) => {
    const { target, newField } = suggestions[index] as Suggestion;
    return { index, header, samples: samples.slice(0, SHOWN), suggested: target, newField };
  });
}
