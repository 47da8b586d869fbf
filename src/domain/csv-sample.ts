import type { TextEncoding } from './csv-encoding';
import { bestHeader, CsvTable, type TextForm, textDelimiters } from './csv-table';
import { type CodedProblem, problem } from './problems';

interface AnyHeader {
  delimiter: string;
  width: number;
  headless: true;
}
interface AnyRow {
  kind: 'row';
  fields: string[];
}

export type Sampled =
  | { ok: true; encoding: TextEncoding; sure: boolean; delimiter: string; records: string[][]; count: number }
  | { ok: false; problem: CodedProblem };

/** The first records of a text whose columns are not known yet, the first line among them. */
export class CsvSample {
  private readonly table: CsvTable<AnyHeader, AnyRow>;
  private readonly records: string[][] = [];
  private problem: CodedProblem | null = null;
  private count = 0;

  constructor(
    form: TextForm,
    private readonly most: number,
  ) {
    const delimiters = form.delimiter ? [form.delimiter] : textDelimiters;
    this.table = new CsvTable<AnyHeader, AnyRow>(
      {
        readHeader: (line, own) =>
          bestHeader(line, own.length === 1 ? own : delimiters, ({ length: width }, delimiter) => ({
            delimiter,
            width,
            headless: true,
          })),
        isOneRecord: () => true,
        readRecord: (item) => ({ kind: 'row', fields: item.ok ? item.fields : [] }),
        empty: problem('file_without_clients'),
        headless: (line, found) => problem('file_header', { line, found }),
      },
      form,
    );
  }

  push(bytes: Uint8Array): void {
    this.take(this.table.push(bytes));
  }

  /** @param whole whether the text ends here; else its last record may be cut off, and is left out */
  end(whole: boolean): Sampled {
    this.take(this.table.end());
    if (!whole && this.records.length > 1 && this.records.length <= this.most) this.records.pop();
    const { header, encoding, sure } = this.table;
    if (this.problem) return { ok: false, problem: this.problem };
    if (!header || this.records.length === 0) return { ok: false, problem: problem('file_empty') };
    return { ok: true, encoding, sure, delimiter: header.delimiter, records: this.records, count: this.count };
  }

  private take(items: Iterable<AnyRow | { kind: 'rejected' } | { kind: 'unusable'; problem: CodedProblem }>): void {
    for (const item of items) {
      if (item.kind === 'unusable') this.problem = item.problem;
      else if (item.kind === 'row') {
        this.count++;
        if (item.fields.length > 0 && this.records.length <= this.most) this.records.push(item.fields);
      }
    }
  }
}
