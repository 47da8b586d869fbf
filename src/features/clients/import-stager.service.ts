import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Readable } from 'node:stream';
import { CONFIG, type Config } from '../../config/config.module';
import { CopyBuffer, copyIn } from '../../database/copy';
import { Database, type Transaction } from '../../database/database';
import { readTable, type TableSink, UnusableUpload } from '../../database/read-table';
import { ClientsCsv, type ClientLine } from '../../domain/csv-clients';
import type { RejectedLine } from '../../domain/csv-table';
import { type CodedProblem, problem } from '../../domain/problems';
import { KEPT_ERRORS, storedProblem } from './import.entity';

/** Memory for sorting a file's addresses, in the one statement that finds repeated ones. */
const SORT_MEMORY = '64MB';

/** Another process has marked this import as failed because it took this one for dead. */
class GivenUp extends Error {}

/**
 * Reads an upload into Postgres: decoded, parsed, checked and copied in batches, with bounded memory and without
 * keeping a connection while the sender is slow. No client is changed before the file is complete.
 */
@Injectable()
export class ImportStager {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /**
   * Ends with the import staged (true), or failed with its reason recorded (false).
   * @throws if Postgres can't be reached; the import is then failed by the sweeper
   */
  async stage(importId: number, upload: Readable): Promise<boolean> {
    const heartbeat = setInterval(() => void this.renew(importId), this.config.heartbeatMs);
    const csv = new ClientsCsv();
    try {
      const batch: Batch = new Batch(importId, () => this.database.transaction((tx) => this.copy(tx, importId, batch)));
      await readTable(csv, upload, this.config.importMaxBytes, batch);
      await this.finish(importId, batch, csv);
      return true;
    } catch (error) {
      if (error instanceof UnusableUpload) await this.fail(importId, error.problem, csv);
      else if (!(error instanceof GivenUp)) {
        await this.fail(importId, problem('upload_failed'), csv);
        throw error;
      }
      return false;
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** Fails imports whose reading process is gone: the rest of their files is lost. */
  async failAbandoned(): Promise<number[]> {
    return this.database.transaction(async (tx) => {
      const gone = await tx.rows<{ id: number }>(
        `UPDATE imports SET status = 'failed', finished_at = app_now(), reason = $2
          WHERE status = 'running' AND staged_at IS NULL
            AND alive_at < clock_timestamp() - $1 * interval '1 millisecond' RETURNING id`,
        [this.config.takeoverMs, storedProblem(problem('upload_abandoned'))],
      );
      const ids = gone.map((row) => row.id);
      if (ids.length > 0) await tx.affected('DELETE FROM import_rows WHERE import_id = ANY($1)', [ids]);
      return ids;
    });
  }

  /** The lock of the import's row excludes those who might take this process for dead. */
  private async copy(tx: Transaction, importId: number, batch: Batch): Promise<void> {
    const ours = await tx.affected(
      `UPDATE imports SET rows = $2, rejected = $3, alive_at = clock_timestamp()
        WHERE id = $1 AND status = 'running' AND staged_at IS NULL`,
      [importId, batch.rows, batch.rejected],
    );
    if (ours === 0) throw new GivenUp();
    await copyIn(tx, 'import_rows (import_id, line, email, full_name, comment)', batch.good.bytes);
    await copyIn(tx, 'import_errors (import_id, line, field, message)', batch.bad.bytes);
  }

  private async finish(importId: number, batch: Batch, csv: ClientsCsv): Promise<void> {
    await this.database.transaction(async (tx) => {
      await this.copy(tx, importId, batch);
      // Postgres may have no statistics of these rows yet. It would assume few and choose a nested loop.
      await tx.rows(`SET LOCAL work_mem = '${SORT_MEMORY}'; SET LOCAL enable_nestloop = off`);
      // Sorting finds repeated addresses without any estimate of the number of rows.
      const repeated = await tx.first<{ lines: number }>(
        `WITH
         -- Lines whose address an earlier line has, with that line.
         later AS (
           SELECT line, first FROM (
             SELECT line, first_value(line) OVER (PARTITION BY lower(email) ORDER BY line) AS first
               FROM import_rows WHERE import_id = $1) r WHERE line > first),
         -- They are not imported,
         gone AS (DELETE FROM import_rows r USING later WHERE r.import_id = $1 AND r.line = later.line),
         -- but reported as errors.
         told AS (
           INSERT INTO import_errors (import_id, line, field, message)
           SELECT $1, line, 'email', json_build_object('code', 'repeated', 'values', json_build_object('line', first))
             FROM later ORDER BY line LIMIT $2)
         SELECT count(*) AS lines FROM later`,
        [importId, KEPT_ERRORS - batch.kept],
      );
      const { header, encoding } = csv;
      await tx.affected(
        `UPDATE imports SET staged_at = app_now(), rejected = rejected + $2, encoding = $3, delimiter = $4,
          ignored_columns = $5, has_comment = $6 WHERE id = $1`,
        [
          importId,
          repeated?.lines ?? 0,
          encoding,
          header?.delimiter,
          header?.ignored,
          header ? header.comment >= 0 : true,
        ],
      );
    });
  }

  private async fail(importId: number, reason: CodedProblem, { encoding, header }: ClientsCsv): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        const failed = await tx.affected(
          `UPDATE imports SET status = 'failed', reason = $2, encoding = $3, delimiter = $4, finished_at = app_now()
            WHERE id = $1 AND status = 'running' AND staged_at IS NULL`,
          [importId, storedProblem(reason), encoding, header?.delimiter ?? null],
        );
        if (failed > 0) await tx.affected('DELETE FROM import_rows WHERE import_id = $1', [importId]);
      });
    } catch (error) {
      this.logger.warn(
        { event: 'import.not_marked', importId, reason: (error as Error).message },
        'Import was not marked as failed; the sweeper will do it',
      );
    }
  }

  private async renew(importId: number): Promise<void> {
    try {
      await this.database.affected(
        `UPDATE imports SET alive_at = clock_timestamp() WHERE id = $1 AND status = 'running' AND staged_at IS NULL`,
        [importId],
      );
    } catch (error) {
      this.logger.debug(
        { event: 'import.heartbeat_failed', importId, reason: (error as Error).message },
        'The heartbeat of an import was not written',
      );
    }
  }
}

/** The rows of the next COPY, and the counts for the whole file. */
class Batch implements TableSink<ClientLine> {
  readonly good = new CopyBuffer();
  readonly bad = new CopyBuffer();
  rows = 0;
  rejected = 0;
  kept = 0;

  constructor(
    private readonly importId: number,
    private readonly copy: () => Promise<void>,
  ) {}

  get bytes(): number {
    return this.good.length + this.bad.length;
  }

  add(item: ClientLine | RejectedLine): void {
    this.rows++;
    if (item.kind === 'client') {
      const { email, fullName, comment } = item.client;
      this.good.add([this.importId, item.line, email, fullName, comment]);
      return;
    }
    this.rejected++;
    for (const error of item.errors) {
      if (this.kept === KEPT_ERRORS) return;
      this.kept++;
      this.bad.add([this.importId, item.line, error.field, storedProblem(error)]);
    }
  }

  async write(): Promise<void> {
    await this.copy();
    this.good.clear();
    this.bad.clear();
  }
}
