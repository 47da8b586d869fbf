import { Inject, Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { CONFIG, type Config } from '../../config/config.module';
import { CopyBuffer, copyIn } from '../../database/copy';
import { Database, type Transaction } from '../../database/database';
import { readTable, type TableSink, UnusableUpload } from '../../database/read-table';
import { type SuppressionLine, SuppressionsCsv } from '../../domain/csv-suppressions';
import type { RejectedLine } from '../../domain/csv-table';
import { invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { type FieldProblem, problem } from '../../domain/problems';
import type { SuppressionReason } from '../../domain/suppression';
import { audit } from '../audit/audit';
import { type BatchView, SuppressionBatches } from './batches.service';

const KEPT_PROBLEMS = 100;
/** Memory for sorting a file's addresses. */
const SORT_MEMORY = '64MB';

export interface NewSuppressionImport {
  fileName?: string;
  /** Of lines that name none. */
  reason?: SuppressionReason;
}

/** Takes in lists of addresses that must get no mail: our own export, and those of other services. */
@Injectable()
export class SuppressionImports {
  constructor(
    private readonly database: Database,
    private readonly batches: SuppressionBatches,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Suppresses the file's addresses for the viewer's mailings. The lines are staged while they come in and take effect
   * together, in one transaction: all or none. Nothing is lifted by an import.
   * @throws ValidationError if the file can't be used or breaks off
   */
  async take(
    viewer: Viewer,
    { fileName = '', reason = 'unsubscribed' }: NewSuppressionImport,
    upload: Readable,
  ): Promise<BatchView> {
    // The sender may disconnect before the stream is read; whoever reads it gets the error again.
    upload.on('error', () => undefined);
    const batchId = await this.begin(viewer, fileName.replace(/[\u0000-\u001f]/g, '').slice(0, 200));
    const file: File = new File(batchId, () => this.database.transaction((tx) => stage(tx, file)));
    const csv = new SuppressionsCsv(reason);
    try {
      await readTable(csv, upload, this.config.importMaxBytes, file);
      const ignoredColumns = csv.header?.ignored ?? [];
      await this.database.transaction((tx) => apply(tx, viewer, file, ignoredColumns));
    } catch (error) {
      await this.drop(batchId).catch(() => undefined);
      throw error instanceof UnusableUpload ? invalid('file', error.problem) : error;
    }
    return this.batches.get(viewer, batchId);
  }

  private async begin(viewer: Viewer, fileName: string): Promise<number> {
    return this.database.transaction(async (tx) => {
      // What uploads left that ended with their process.
      await tx.affected(
        `WITH gone AS (
           DELETE FROM suppression_batches
            WHERE kind = 'import' AND complete_at IS NULL AND created_at < app_now() - interval '1 day' RETURNING id)
         DELETE FROM suppression_rows r USING gone WHERE r.batch_id = gone.id`,
      );
      const batch = await tx.first<{ id: number }>(
        `INSERT INTO suppression_batches (kind, owner_id, file_name) VALUES ('import', $1, $2) RETURNING id`,
        [viewer.userId, fileName],
      );
      if (!batch) throw new Error('an insert returned no row');
      await audit(tx, viewer, 'suppressions.import', { type: 'suppression_batch', id: batch.id });
      return batch.id;
    });
  }

  private drop(batchId: number): Promise<void> {
    return this.database.transaction(async (tx) => {
      await tx.affected('DELETE FROM suppression_rows WHERE batch_id = $1', [batchId]);
      await tx.affected('DELETE FROM suppression_batches WHERE id = $1 AND complete_at IS NULL', [batchId]);
    });
  }
}

/** The lines to be staged next, and the numbers of the whole file. */
class File implements TableSink<SuppressionLine> {
  readonly staged = new CopyBuffer();
  rows = 0;
  ignored = 0;
  rejected = 0;
  readonly problems: { line: number; errors: readonly FieldProblem[] }[] = [];

  constructor(
    readonly batchId: number,
    private readonly stage: () => Promise<void>,
  ) {}

  get bytes(): number {
    return this.staged.length;
  }

  /** A transaction may be repeated, so that nothing is forgotten before its end. */
  async write(): Promise<void> {
    await this.stage();
    this.staged.clear();
  }

  add(item: SuppressionLine | RejectedLine): void {
    this.rows++;
    if (item.kind === 'suppression') {
      const { line, emailKey, reason, detail, since } = item;
      this.staged.add([this.batchId, line, emailKey, reason, detail, since?.toISOString() ?? null]);
    } else if (item.kind === 'not_suppressed') this.ignored++;
    else {
      this.rejected++;
      if (this.problems.length < KEPT_PROBLEMS) this.problems.push({ line: item.line, errors: item.errors });
    }
  }
}

const stage = (tx: Transaction, { staged }: File): Promise<void> =>
  copyIn(tx, 'suppression_rows (batch_id, line, email_key, reason, detail, since)', staged.bytes);

/** Suppresses all staged addresses; of several lines with the same address and reason the first counts. */
async function apply(tx: Transaction, viewer: Viewer, file: File, ignoredColumns: string[]): Promise<void> {
  await stage(tx, file);
  const { rows, ignored, rejected } = file;
  const staged = await tx.first<{ n: number }>('SELECT count(*) AS n FROM suppression_rows WHERE batch_id = $1', [
    file.batchId,
  ]);
  // Staged lines are lost in a crash of the database; then the file has to be sent again.
  if (staged?.n !== rows - ignored - rejected) throw invalid('file', problem('upload_ended'));
  await tx.rows(`SET LOCAL work_mem = '${SORT_MEMORY}'`);
  const added = await tx.affected(
    // What is known is locked, so that no other list is undone meanwhile.
    `INSERT INTO suppressions AS s
       (owner_id, listed_for, email_key, address_hash, reason, source, detail, created_at, batch_id)
     SELECT DISTINCT ON (r.email_key, r.reason) $2, $2, r.email_key, address_hash(r.email_key), r.reason, 'import',
            r.detail, least(coalesce(r.since, app_now()), app_now()), $1
       FROM suppression_rows r WHERE r.batch_id = $1 ORDER BY r.email_key, r.reason, r.line
     ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL
       DO UPDATE SET batch_id = s.batch_id WHERE false`,
    [file.batchId, viewer.userId],
  );
  const known = rows - added - ignored - rejected;
  if (known > 0) await claim(tx, viewer, file.batchId);
  await tx.affected('DELETE FROM suppression_rows WHERE batch_id = $1', [file.batchId]);
  await tx.affected(
    `UPDATE suppression_batches SET rows = $2, added = $3, known = $4, ignored = $5, rejected = $6,
       ignored_columns = $7, problems = $8, complete_at = app_now() WHERE id = $1`,
    [file.batchId, rows, added, known, ignored, rejected, ignoredColumns, JSON.stringify(file.problems)],
  );
}

/** What other lists brought stays suppressed for this one's sake, should they be undone. */
const claim = (tx: Transaction, viewer: Viewer, batchId: number) =>
  tx.affected(
    `INSERT INTO suppression_claims (suppression_id, batch_id)
     SELECT DISTINCT s.id, $1::bigint FROM suppression_rows r
       JOIN suppressions s ON s.address_hash = address_hash(r.email_key) AND s.reason = r.reason
        AND s.owner_id = $2 AND s.mailing_id IS NULL AND s.lifted_at IS NULL AND s.batch_id <> $1
      WHERE r.batch_id = $1`,
    [batchId, viewer.userId],
  );
