import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { Readable } from 'node:stream';
import { Database } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import type { TextEncoding } from '../../domain/csv-encoding';
import { visible } from '../../domain/csv-table';
import { invalid, NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import { type CodedProblem, problem } from '../../domain/problems';
import { Repeated } from '../../logging/repeated';
import { APPLY_IMPORT, PLAN_QUEUE, type PlanJob } from '../../queue/queues';
import { audit } from '../audit/audit';
import { ImportApplier } from './import-applier.service';
import { offeredFields } from './field-definitions';
import { beginning } from './import-files';
import type { Inspected, Look } from './import-inspector.service';
import { ImportPlans, type ImportRequest } from './import-plans.service';
import { errorLines, importErrors, rejectedLines, shownRecords } from './import-reports';
import { ImportStager } from './import-stager.service';
import { ImportUndo } from './import-undo.service';
import { type Import, type ImportError, readProblem } from './import.entity';

/** Files of up to so many rows are applied before `begin` returns. */
const AT_ONCE_ROWS = 2_000;
const SHOWN_ERRORS = 100;
/** Kept files of so many bytes, too; a workbook may be a hundred times as large as its file. */
const AT_ONCE_BYTES = 64 * 1024;
/** What is left after that is left to a worker. */
const AT_ONCE_MS = 5_000;

export interface NewImport {
  fileName?: string;
  dryRun?: boolean;
  /** The encoding that the sender declared. */
  charset?: TextEncoding | null;
  /** Of a kept file, if its sender declared it. */
  hasHeader?: boolean | null;
}

export type ImportView = Omit<Import, 'reason'> & { reason: CodedProblem | null };
export type ImportDetail = ImportView & { errors: (ImportError & { email: string })[] };

const view = (row: Import): ImportView => ({ ...row, reason: row.reason === null ? null : readProblem(row.reason) });

/**
 * Imports of clients from files. Either the columns are known by their names, and the file is read into Postgres while
 * it comes in (`begin`); or it is kept (`keep`), somebody chooses what its columns are, and it is read from there
 * (`apply`). Then it is applied by a worker (a small one at once). Once `begin` or `apply` has answered, no kill of
 * anything loses the import.
 */
@Injectable()
export class ImportsService {
  private readonly said: Repeated;

  constructor(
    private readonly database: Database,
    private readonly stager: ImportStager,
    private readonly applier: ImportApplier,
    private readonly plans: ImportPlans,
    private readonly undoing: ImportUndo,
    @InjectQueue(PLAN_QUEUE) private readonly queue: Queue<PlanJob>,
    private readonly logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /**
   * Takes in a file for the viewer's own clients, whose columns are known by their names; answers when all of it was
   * received. `get` returns what is wrong with the file or its lines; a file that can't be imported, or whose upload
   * broke off, gives a failed import.
   */
  async begin(viewer: Viewer, given: NewImport, upload: Readable): Promise<{ importId: number }> {
    const importId = await this.make(viewer, given, upload);
    const { dryRun = false, charset = null } = given;
    const { isWorkbook, whole } = await beginning(upload);
    // A workbook can't be read before its end came.
    if (isWorkbook) {
      if (!(await this.stager.keep(importId, whole))) return { importId };
      await this.applyKept(await this.plans.decideByNames(viewer, importId, dryRun));
      return { importId };
    }
    await audit(this.database, viewer, 'clients.import', { type: 'import', id: importId }, { dryRun });
    const definitions = await offeredFields(this.database, viewer.userId);
    if (await this.stager.stage(importId, whole, { encoding: charset, definitions }))
      await this.applyOrEnqueue(importId);
    return { importId };
  }

  /**
   * Takes in a file and keeps it for an hour, for `apply`.
   * @returns what its columns probably are
   * @throws ValidationError if it is no table, or the upload broke off
   */
  async keep(viewer: Viewer, given: NewImport, upload: Readable): Promise<Inspected> {
    const importId = await this.make(viewer, given, upload);
    if (!(await this.stager.keep(importId, upload))) {
      const { reason } = await this.get(viewer, importId);
      throw invalid('file', reason ?? problem('upload_failed'));
    }
    return this.plans.inspect(viewer, importId, { hasHeader: given.hasHeader ?? null });
  }

  /** The columns of a kept file, read in another way. */
  inspect(viewer: Viewer, importId: number, look: Look = {}): Promise<Inspected> {
    return this.plans.inspect(viewer, importId, look);
  }

  /**
   * Imports a kept file, or checks it: then it may be imported after that. It is read from the database, so it survives
   * any process.
   */
  async apply(viewer: Viewer, importId: number, request: ImportRequest | 'as checked'): Promise<{ importId: number }> {
    await this.applyKept(
      request === 'as checked'
        ? await this.plans.decideAgain(viewer, importId)
        : await this.plans.decide(viewer, importId, request),
    );
    return { importId };
  }

  /** Deletes the clients that an import added, see ImportUndo; answers when that is noted. */
  async undo(viewer: Viewer, importId: number): Promise<{ importId: number }> {
    await this.undoing.begin(viewer, importId);
    await this.enqueue(importId);
    return { importId };
  }

  /**
   * Reads an import's kept file if that is to be done, applies it here and now, or what is left of it, and undoes it if
   * somebody wants that; see ImportApplier. For the worker's job, and for the command line, which needs no worker.
   */
  async resume(importId: number, maxMs = Infinity, onProgress?: (progress: Import) => void): Promise<boolean> {
    if (!(await this.stager.stageKept(importId))) return true;
    const finished = await this.applier.resume(importId, maxMs, onProgress);
    if (finished) this.logger.info({ event: 'import.applied', importId }, 'Import is applied');
    return finished && this.undoing.resume(importId, maxMs);
  }

  /**
   * For the sweeper: fails imports whose upload died with its process, forgets files that waited too long, and enqueues
   * all that are not done.
   */
  async runPending(): Promise<void> {
    const failed = await this.stager.failAbandoned();
    if (failed.length > 0)
      this.logger.warn(
        { event: 'import.abandoned', imports: failed },
        'Imports failed because their uploads did not complete',
      );
    await this.plans.forgetFiles();
    for (const importId of [...(await this.applier.pending()), ...(await this.undoing.pending())])
      await this.enqueue(importId);
  }

  /** With the first 100 errors, in line order. @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<ImportDetail> {
    const found = await this.find(viewer, id);
    const errors = await importErrors(this.database, id, [0, ''], SHOWN_ERRORS);
    const records = await shownRecords(
      this.database,
      id,
      errors.map(({ line }) => line),
    );
    const address = (line: number) => records.get(line)?.[found.layout?.email ?? 0] ?? '';
    return { ...view(found), errors: errors.map((error) => ({ ...error, email: visible(address(error.line), 200) })) };
  }

  /** Newest first. */
  async list(viewer: Viewer, page: PageRequest & { ownerId?: number }): Promise<Page<ImportView>> {
    const found = await listPage<Import>(
      this.database,
      {
        select: 'i.*',
        from: 'imports i',
        where: '($1::bigint IS NULL OR i.owner_id = $1) AND ($2::bigint IS NULL OR i.owner_id = $2)',
        params: [readableOwner(viewer), page.ownerId ?? null],
        ...newestFirst('i.id'),
      },
      page,
    );
    return { ...found, items: found.items.map(view) };
  }

  /**
   * All stored errors as CSV (`line,field,message`), worded by `words`, in chunks that are read as they are consumed.
   * @throws NotFoundError before the first piece
   */
  async errorsCsv(viewer: Viewer, id: number, words: (found: CodedProblem) => string): Promise<AsyncIterable<string>> {
    await this.find(viewer, id);
    return errorLines(this.database, id, words);
  }

  /** The rejected lines with the columns of their file, their numbers and the reasons. @throws NotFoundError */
  async rejectedCsv(
    viewer: Viewer,
    id: number,
    words: (found: CodedProblem) => string,
  ): Promise<AsyncIterable<string>> {
    return rejectedLines(this.database, await this.find(viewer, id), words);
  }

  private async make(viewer: Viewer, { fileName = '', dryRun = false, charset = null }: NewImport, upload: Readable) {
    // The sender may disconnect before the stream is read; whoever reads it gets the error again.
    upload.on('error', () => undefined);
    const row = await this.database.first<{ id: number }>(
      'INSERT INTO imports (owner_id, file_name, dry_run, charset) VALUES ($1, $2, $3, $4) RETURNING id',
      [viewer.userId, fileName.replace(/[\u0000-\u001f]/g, '').slice(0, 200), dryRun, charset],
    );
    if (!row) throw new Error('an insert returned no row');
    return row.id;
  }

  private async find(viewer: Viewer, id: number): Promise<Import> {
    const found = await this.database.first<Import>(
      'SELECT * FROM imports WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)',
      [id, readableOwner(viewer)],
    );
    if (!found) throw new NotFoundError('Import', id);
    return found;
  }

  private applyKept({ id, fileBytes }: Import): Promise<void> {
    return fileBytes <= AT_ONCE_BYTES ? this.applyOrEnqueue(id) : this.enqueue(id);
  }

  /** The import is in the database already: if applying it here fails, a worker does it. */
  private async applyOrEnqueue(importId: number): Promise<void> {
    try {
      const row = await this.database.first<{ rows: number }>('SELECT rows FROM imports WHERE id = $1', [importId]);
      if ((row?.rows ?? Infinity) <= AT_ONCE_ROWS && (await this.resume(importId, AT_ONCE_MS))) return;
    } catch (error) {
      this.logger.warn(
        { event: 'import.deferred', importId, reason: (error as Error).message },
        'Import was not applied at once; a worker will do it',
      );
    }
    await this.enqueue(importId);
  }

  /** One job per import; while it is there, adding it again does nothing. Without Redis the sweeper adds it later. */
  private async enqueue(importId: number): Promise<void> {
    try {
      await this.queue.add(
        APPLY_IMPORT,
        { importId },
        { jobId: `import-${importId}`, removeOnComplete: true, removeOnFail: true },
      );
    } catch (error) {
      this.said.warn(
        { event: 'import.not_enqueued', importId, reason: (error as Error).message },
        'Import was not enqueued; the sweeper will do it',
      );
    }
  }
}
