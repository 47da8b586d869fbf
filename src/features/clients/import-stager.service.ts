import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { copyIn } from '../../database/copy';
import { Database, type Transaction } from '../../database/database';
import { readTable, UnusableUpload } from '../../database/read-table';
import { looksLikeWorkbook, readWorkbook } from '../../database/read-workbook';
import { type ClientHeader, ClientsCsv, type ClientsForm, clientsFormat } from '../../domain/csv-clients';
import type { TextEncoding } from '../../domain/csv-encoding';
import { RecordTable } from '../../domain/csv-table';
import { type CodedProblem, problem } from '../../domain/problems';
import { Semaphore } from '../../domain/semaphore';
import { Batch } from './import-batch';
import { offeredFields } from './field-definitions';
import { checkNewTags, tagsInOrder } from './import-fields';
import { checkKept, keepPart, KeptFile, takeParts } from './import-files';
import { layoutOf } from './import-layout';
import { rejectRepeated } from './import-repeated';
import { type Import, type ImportPlan, storedProblem } from './import.entity';

/** A kept file whose readings do not end, because they kill their processes or throw, is not read for ever. */
const READINGS_MAX = 3;

/** The files of an owner that wait may have so many times the bytes of the largest one together. */
const KEPT_FILES = 2;

/** Another process has marked this import as failed because it took this one for dead, or reads it itself. */
class GivenUp extends Error {}

/** What is known of the file. */
interface Table {
  header: ClientHeader | null;
  /** Null if it is no text. */
  encoding: TextEncoding | null;
}

/** An import whose file is being read by this process; `reader` is null if the file comes in meanwhile. */
interface Reading {
  importId: number;
  reader: string | null;
}

/**
 * Reads files into Postgres: uploads while they come in, and kept ones. They are decoded, parsed, checked and copied in
 * batches, with bounded memory and without keeping a connection while the sender is slow. No client is changed before
 * the file is complete.
 */
@Injectable()
export class ImportStager {
  /** A workbook takes memory, so a process reads one at a time. */
  private readonly one = new Semaphore(1);

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /**
   * Ends with the import staged (true), or failed with its reason recorded (false).
   * @throws if Postgres can't be reached; the import is then failed by the sweeper
   */
  async stage(importId: number, upload: Readable, form: ClientsForm): Promise<boolean> {
    const csv = new ClientsCsv(form);
    return this.reading({ importId, reader: null }, csv, async (batch) => {
      await readTable(csv, upload, this.config.importMaxBytes, batch);
    });
  }

  /** Keeps an upload to be read later; false if it failed, with its reason recorded. */
  async keep(importId: number, upload: Readable): Promise<boolean> {
    return this.alive({ importId, reader: null }, { header: null, encoding: null }, async () => {
      const bytes = await takeParts(upload, this.config.importMaxBytes, (part, buffer) =>
        this.database.transaction(async (tx) => {
          await this.renewed(tx, { importId, reader: null });
          await keepPart(tx, importId, part, buffer);
          await checkKept(tx, importId, buffer.length, KEPT_FILES * this.config.importMaxBytes);
        }),
      );
      if (bytes === 0) throw new UnusableUpload(problem('file_empty'));
      await this.database.affected(
        `UPDATE imports SET status = 'waiting', kept_at = app_now(), file_bytes = $2
          WHERE id = $1 AND status = 'running' AND kept_at IS NULL`,
        [importId, bytes],
      );
    });
  }

  /**
   * Reads a kept file if that is to be done, unless a living process does it: from the beginning, whatever an earlier
   * one read.
   * @returns whether the import goes on from here
   */
  async stageKept(importId: number): Promise<boolean> {
    const reading = { importId, reader: randomUUID() };
    const found = await this.database.transaction(async (tx) => {
      const own = await tx.first<Import & { plan: ImportPlan }>(
        `UPDATE imports SET reader = $2, alive_at = clock_timestamp(), rows = 0, rejected = 0
          WHERE id = $1 AND status = 'running' AND staged_at IS NULL AND kept_at IS NOT NULL
            AND (reader IS NULL OR alive_at < clock_timestamp() - $3 * interval '1 millisecond') RETURNING *`,
        [importId, reading.reader, this.config.takeoverMs],
      );
      if (own) await forgetRows(tx, importId);
      return own;
    });
    if (!found) return this.isStaged(importId);
    const { plan, ownerId, fileBytes, charset } = found;
    const definitions = [...(await offeredFields(this.database, ownerId)), ...(found.dryRun ? plan.newFields : [])];
    const form: ClientsForm = { ...plan, encoding: plan.encoding ?? charset, definitions };
    const file = new KeptFile(this.database, importId, fileBytes);
    if (await looksLikeWorkbook(file)) {
      const table = new RecordTable(clientsFormat(form));
      return this.reading(reading, table, (batch) =>
        this.one.run(async () => {
          await this.countReading(reading);
          await readWorkbook(file, plan.sheet, table, batch);
        }),
      );
    }
    const csv = new ClientsCsv(form);
    return this.reading(reading, csv, async (batch) => {
      await this.countReading(reading);
      await readTable(csv, file.stream(), Infinity, batch);
    });
  }

  /** @throws UnusableUpload if it was begun too often */
  private async countReading({ importId, reader }: Reading): Promise<void> {
    const own = await this.database.first<{ readings: number }>(
      'UPDATE imports SET readings = readings + 1 WHERE id = $1 AND reader = $2 RETURNING readings',
      [importId, reader],
    );
    if (!own) throw new GivenUp();
    if (own.readings > READINGS_MAX) throw new UnusableUpload(problem('file_unreadable', { times: READINGS_MAX }));
  }

  /** Fails imports whose receiving process is gone: the rest of their files is lost. */
  async failAbandoned(): Promise<number[]> {
    return this.database.transaction(async (tx) => {
      const gone = await tx.rows<{ id: number }>(
        `UPDATE imports SET status = 'failed', finished_at = app_now(), reason = $2
          WHERE status = 'running' AND staged_at IS NULL AND kept_at IS NULL
            AND alive_at < clock_timestamp() - $1 * interval '1 millisecond' RETURNING id`,
        [this.config.takeoverMs, storedProblem(problem('upload_abandoned'))],
      );
      const ids = gone.map((row) => row.id);
      if (ids.length > 0) {
        await tx.affected('DELETE FROM import_rows WHERE import_id = ANY($1)', [ids]);
        await tx.affected('DELETE FROM import_files WHERE import_id = ANY($1)', [ids]);
      }
      return ids;
    });
  }

  private async isStaged(importId: number): Promise<boolean> {
    const row = await this.database.first<{ staged: boolean }>(
      `SELECT staged_at IS NOT NULL AS staged FROM imports WHERE id = $1`,
      [importId],
    );
    return row?.staged ?? false;
  }

  private reading(reading: Reading, table: Table, read: (batch: Batch) => Promise<void>): Promise<boolean> {
    return this.alive(reading, table, async () => {
      const batch: Batch = new Batch(
        reading.importId,
        () => isWide(table.header),
        () => this.database.transaction((tx) => this.copy(tx, reading, batch, table)),
      );
      await read(batch);
      await this.finish(reading, batch, table);
    });
  }

  /** Does the work with a heartbeat; false if it failed for a reason of the file, or somebody else does it. */
  private async alive(reading: Reading, table: Table, work: () => Promise<void>): Promise<boolean> {
    const heartbeat = setInterval(() => void this.renew(reading), this.config.heartbeatMs);
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof UnusableUpload) await this.fail(reading, error.problem, table);
      else if (!(error instanceof GivenUp)) {
        // A kept file can be read again.
        if (reading.reader === null) await this.fail(reading, problem('upload_failed'), table);
        throw error;
      }
      return false;
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** The lock of the import's row excludes those who might take this process for dead. */
  private async renewed(tx: Transaction, { importId, reader }: Reading, counts?: Batch): Promise<void> {
    const ours = await tx.affected(
      `UPDATE imports SET rows = coalesce($3, rows), rejected = coalesce($4, rejected), alive_at = clock_timestamp()
        WHERE id = $1 AND status = 'running' AND staged_at IS NULL AND reader IS NOT DISTINCT FROM $2`,
      [importId, reader, counts?.rows ?? null, counts?.rejected ?? null],
    );
    if (ours === 0) throw new GivenUp();
  }

  private async copy(tx: Transaction, reading: Reading, batch: Batch, { header }: Table): Promise<void> {
    await this.renewed(tx, reading, batch);
    const more = isWide(header) ? Batch.MORE : '';
    await copyIn(tx, `import_rows (import_id, line, email, full_name, comment${more})`, batch.good.bytes);
    await copyIn(tx, 'import_errors (import_id, line, field, message)', batch.bad.bytes);
    await copyIn(tx, 'import_rejected (import_id, line, record)', batch.records.bytes);
  }

  private async finish(reading: Reading, batch: Batch, table: Table): Promise<void> {
    const { importId } = reading;
    await this.database.transaction(async (tx) => {
      await this.copy(tx, reading, batch, table);
      const { header, encoding } = table;
      const repeated = await rejectRepeated(tx, importId, batch, header);
      const own = await tx.first<Import>('SELECT * FROM imports WHERE id = $1', [importId]);
      if (!own) throw new GivenUp();
      const names = [...batch.tags.keys()];
      const forAll = own.plan?.tags ?? [];
      await checkNewTags(tx, own.ownerId, [...names, ...forAll]);
      const tagIds = own.dryRun ? [[], []] : await tagsInOrder(tx, own.ownerId, names, forAll);
      await tx.affected(
        `UPDATE imports SET staged_at = app_now(), rejected = rejected + $2, encoding = $3, delimiter = $4,
           ignored_columns = coalesce($5::text[], '{}'), has_comment = $6, clears_name = $7, field_keys = $8, clears_fields = $9,
           row_tags = $10, all_tags = $11, layout = $12, reader = NULL WHERE id = $1`,
        [
          importId,
          repeated,
          encoding,
          encoding === null ? null : header?.delimiter,
          header?.ignored,
          header !== null && header.comment >= 0 && (own.plan?.mapping ? own.plan.clears : true),
          header !== null && layoutOf(header).name >= 0 && (own.plan?.clears ?? false),
          header?.fields.map(({ definition }) => definition.key) ?? [],
          own.plan?.clears ?? false,
          ...tagIds,
          header && JSON.stringify(layoutOf(header)),
        ],
      );
    });
  }

  private async fail({ importId, reader }: Reading, reason: CodedProblem, { encoding, header }: Table): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        const failed = await tx.affected(
          `UPDATE imports SET status = 'failed', reason = $2, encoding = $3, delimiter = $4, finished_at = app_now(), reader = NULL
            WHERE id = $1 AND status = 'running' AND staged_at IS NULL AND reader IS NOT DISTINCT FROM $5`,
          [importId, storedProblem(reason), encoding, header?.delimiter ?? null, reader],
        );
        if (failed === 0) return;
        await tx.affected('DELETE FROM import_rows WHERE import_id = $1', [importId]);
        // What came in of an upload that broke off is of no use; a kept file may be read in another way.
        if (reader === null) await tx.affected('DELETE FROM import_files WHERE import_id = $1', [importId]);
      });
    } catch (error) {
      this.logger.warn(
        { event: 'import.not_marked', importId, reason: (error as Error).message },
        'Import was not marked as failed; the sweeper will do it',
      );
    }
  }

  private async renew(reading: Reading): Promise<void> {
    try {
      await this.database.affected(
        `UPDATE imports SET alive_at = clock_timestamp()
          WHERE id = $1 AND status = 'running' AND staged_at IS NULL AND reader IS NOT DISTINCT FROM $2`,
        [reading.importId, reading.reader],
      );
    } catch (error) {
      this.logger.debug(
        { event: 'import.heartbeat_failed', importId: reading.importId, reason: (error as Error).message },
        'The heartbeat of an import was not written',
      );
    }
  }
}

const isWide = (header: ClientHeader | null): boolean =>
  header !== null && header.fields.length + header.tags.length + header.status.length > 0;

/** Takes away what an earlier reading of an import left. */
export async function forgetRows(tx: Transaction, importId: number): Promise<void> {
  await tx.affected('DELETE FROM import_rows WHERE import_id = $1', [importId]);
  await tx.affected('DELETE FROM import_errors WHERE import_id = $1', [importId]);
  await tx.affected('DELETE FROM import_rejected WHERE import_id = $1', [importId]);
  await tx.affected('DELETE FROM import_chunks WHERE import_id = $1', [importId]);
}
