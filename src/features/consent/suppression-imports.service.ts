import { Inject, Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CONFIG, type Config } from '../../config/config.module';
import { CopyBuffer, copyIn } from '../../database/copy';
import { Database, type Transaction } from '../../database/database';
import { type SuppressionItem, SuppressionsCsv } from '../../domain/csv-suppressions';
import { invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { type FieldProblem, problem } from '../../domain/problems';
import type { SuppressionReason } from '../../domain/suppression';
import { audit } from '../audit/audit';
import { type BatchView, SuppressionBatches } from './batches.service';

/** About so many bytes are collected before they are copied in one short transaction. */
const BATCH_BYTES = 512 * 1024;
const TURN_ROWS = 500;
const TURN_BYTES = 64 * 1024;
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
    const file = new File(batchId);
    const csv = new SuppressionsCsv(reason);
    try {
      let [bytes, turnAt] = [0, TURN_BYTES];
      for await (const chunk of sent(upload)) {
        bytes += chunk.length;
        if (bytes > this.config.importMaxBytes)
          throw invalid('file', problem('file_too_large', { max: this.config.importMaxBytes }));
        await this.read(file, csv.push(chunk));
        if (bytes < turnAt) continue;
        turnAt = bytes + TURN_BYTES;
        await nextTurn();
      }
      await this.read(file, csv.end());
      const ignoredColumns = csv.header?.ignored ?? [];
      await this.database.transaction((tx) => apply(tx, viewer, file, ignoredColumns));
    } catch (error) {
      // The rest is read and dropped: if the connection were closed, the sender would not see the answer.
      upload.resume();
      await this.drop(batchId).catch(() => undefined);
      throw error;
    }
    return this.batches.get(viewer, batchId);
  }

  private async begin(viewer: Viewer, fileName: string): Promise<number> {
    return this.database.transaction(async (tx) => {
      // What an upload left that ended with its process.
      await tx.affected(
        `DELETE FROM suppression_rows r USING suppression_batches b
          WHERE b.id = r.batch_id AND b.complete_at IS NULL AND b.created_at < app_now() - interval '1 day'`,
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

  private async read(file: File, items: Iterable<SuppressionItem>): Promise<void> {
    for (const item of items) {
      if (item.kind === 'unusable') throw invalid('file', item.problem);
      file.add(item);
      if (file.rows % TURN_ROWS === 0) await nextTurn();
      if (file.staged.length <= BATCH_BYTES) continue;
      await this.database.transaction((tx) => stage(tx, file));
      // A transaction may be repeated.
      file.staged.clear();
    }
  }

  private drop(batchId: number): Promise<void> {
    return this.database.transaction(async (tx) => {
      await tx.affected('DELETE FROM suppression_rows WHERE batch_id = $1', [batchId]);
      await tx.affected('DELETE FROM suppression_batches WHERE id = $1 AND complete_at IS NULL', [batchId]);
    });
  }
}

/** The lines to be staged next, and the numbers of the whole file. */
class File {
  readonly staged = new CopyBuffer();
  rows = 0;
  ignored = 0;
  rejected = 0;
  readonly problems: { line: number; errors: readonly FieldProblem[] }[] = [];

  constructor(readonly batchId: number) {}

  add(item: Exclude<SuppressionItem, { kind: 'unusable' }>): void {
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
  // The staged lines do not survive a crash of the database.
  if (staged?.n !== rows - ignored - rejected) throw invalid('file', problem('upload_ended'));
  await tx.rows(`SET LOCAL work_mem = '${SORT_MEMORY}'`);
  const added = await tx.affected(
    `INSERT INTO suppressions (owner_id, listed_for, email_key, address_hash, reason, source, detail, created_at, batch_id)
     SELECT DISTINCT ON (r.email_key, r.reason) $2, $2, r.email_key, address_hash(r.email_key), r.reason, 'import', r.detail,
            least(coalesce(r.since, app_now()), app_now()), $1
       FROM suppression_rows r WHERE r.batch_id = $1 ORDER BY r.email_key, r.reason, r.line
     ON CONFLICT (owner_id, mailing_id, address_hash, reason) WHERE lifted_at IS NULL DO NOTHING`,
    [file.batchId, viewer.userId],
  );
  await tx.affected('DELETE FROM suppression_rows WHERE batch_id = $1', [file.batchId]);
  const known = rows - added - ignored - rejected;
  await tx.affected(
    `UPDATE suppression_batches SET rows = $2, added = $3, known = $4, ignored = $5, rejected = $6,
       ignored_columns = $7, problems = $8, complete_at = app_now() WHERE id = $1`,
    [file.batchId, rows, added, known, ignored, rejected, ignoredColumns, JSON.stringify(file.problems)],
  );
}

/** The chunks of the upload. @throws ValidationError if the sender disconnects before the end */
async function* sent(upload: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of upload.iterator({ destroyOnReturn: false }))
      yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
  } catch {
    throw invalid('file', problem('upload_ended'));
  }
}
