import { CopyBuffer } from '../../database/copy';
import { type TableSink, UnusableUpload } from '../../database/read-table';
import type { ClientLine } from '../../domain/csv-clients';
import type { RejectedLine } from '../../domain/csv-table';
import { NEW_TAGS_MAX } from '../../domain/csv-tags';
import { problem } from '../../domain/problems';
import { KEPT_ERRORS, storedProblem } from './import.entity';

/** Rejected lines are kept up to so many bytes of an import. */
const KEPT_RECORD_BYTES = 16 * 1024 * 1024;
/** Different tags in a file, known ones included. */
const FILE_TAGS_MAX = 20 * NEW_TAGS_MAX;

/** The rows of the next COPY, and the counts for the whole file. */
export class Batch implements TableSink<ClientLine> {
  /** Columns of import_rows beyond the ones that every file has. */
  static readonly MORE = ', fields, tags, reason, detail, rejected';
  readonly good = new CopyBuffer();
  readonly bad = new CopyBuffer();
  readonly records = new CopyBuffer();
  /** The numbers of the tags, counted from 1. */
  readonly tags = new Map<string, number>();
  rows = 0;
  rejected = 0;
  kept = 0;
  private recordBytes = 0;

  /** @param wide whether the file has columns for MORE; asked when there is a row */
  constructor(
    private readonly importId: number,
    private readonly wide: () => boolean,
    private readonly copy: () => Promise<void>,
  ) {}

  get bytes(): number {
    return this.good.length + this.bad.length + this.records.length;
  }

  add(item: ClientLine | RejectedLine): void {
    this.rows++;
    if (item.kind === 'client') this.addClient(item);
    else this.addRejected(item);
  }

  async write(): Promise<void> {
    await this.copy();
    for (const buffer of [this.good, this.bad, this.records]) buffer.clear();
  }

  private addClient({ line, client, fields, tags, excluded }: ClientLine): void {
    const { email, fullName, comment } = client;
    if (!this.wide()) {
      this.good.add([this.importId, line, email, fullName, comment]);
      return;
    }
    this.good.add([
      this.importId,
      line,
      email,
      fullName,
      comment,
      fields ? JSON.stringify(fields) : null,
      tags ? `{${tags.map((tag) => this.tagNumber(tag)).join()}}` : null,
      excluded?.reason ?? null,
      excluded?.detail ?? null,
      'f',
    ]);
  }

  private addRejected({ line, errors, record, excluded }: RejectedLine): void {
    this.rejected++;
    // An address that the file marks as getting no mail is excluded, whatever else is wrong with the line.
    if (excluded)
      this.good.add([this.importId, line, excluded.email, '', '', null, null, excluded.reason, excluded.detail, 't']);
    const before = this.kept;
    for (const error of errors) {
      if (this.kept === KEPT_ERRORS) break;
      this.kept++;
      this.bad.add([this.importId, line, error.field, storedProblem(error)]);
    }
    if (this.kept > before) this.recordBytes = this.keep(this.records, this.recordBytes, line, record ?? []);
  }

  /** More rejected lines, for a COPY of their own. Changes nothing here: the transaction around it may be repeated. */
  moreRecords(lines: readonly { line: number; record: readonly string[] }[]): Buffer {
    const records = new CopyBuffer();
    let bytes = this.recordBytes;
    for (const { line, record } of lines) bytes = this.keep(records, bytes, line, record);
    return records.bytes;
  }

  /**
   * What is over the bound is left out: its line number and reason are kept all the same.
   * @returns how many bytes there are then
   */
  private keep(records: CopyBuffer, before: number, line: number, record: readonly string[]): number {
    // JSON is not made of what is too long.
    const length = record.reduce((sum, value) => sum + value.length, 0);
    if (before + length > KEPT_RECORD_BYTES) return before + length;
    const text = JSON.stringify(record);
    const bytes = before + text.length;
    if (bytes <= KEPT_RECORD_BYTES) records.add([this.importId, line, text]);
    return bytes;
  }

  private tagNumber(tag: string): number {
    let number = this.tags.get(tag);
    if (number === undefined) {
      if (this.tags.size === FILE_TAGS_MAX)
        throw new UnusableUpload(problem('too_many_new_tags', { max: NEW_TAGS_MAX }));
      this.tags.set(tag, (number = this.tags.size + 1));
    }
    return number;
  }
}
