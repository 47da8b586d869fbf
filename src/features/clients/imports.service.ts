import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PinoLogger } from 'nestjs-pino';
import type { Readable } from 'node:stream';
import { Database } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { csvRow } from '../../domain/csv-records';
import { NotFoundError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { CodedProblem } from '../../domain/problems';
import { Repeated } from '../../logging/repeated';
import { APPLY_IMPORT, PLAN_QUEUE, type PlanJob } from '../../queue/queues';
import { audit } from '../audit/audit';
import { ImportApplier } from './import-applier.service';
import { ImportStager } from './import-stager.service';
import { type Import, type ImportError, readProblem } from './import.entity';

/** Files of up to so many rows are applied before `begin` returns. */
const AT_ONCE_ROWS = 2_000;
const SHOWN_ERRORS = 100;
const EXPORT_PAGE = 5_000;

export interface NewImport {
  fileName?: string;
  dryRun?: boolean;
}

export type ImportView = Omit<Import, 'reason'> & { reason: CodedProblem | null };
export type ImportDetail = ImportView & { errors: ImportError[] };

const view = (row: Import): ImportView => ({ ...row, reason: row.reason === null ? null : readProblem(row.reason) });

/**
 * Imports of clients from CSV files: the file is read into Postgres while it comes in, then applied by a worker (a
 * small one at once). Once `begin` has answered, no kill of anything loses the import.
 */
@Injectable()
export class ImportsService {
  private readonly said: Repeated;

  constructor(
    private readonly database: Database,
    private readonly stager: ImportStager,
    private readonly applier: ImportApplier,
    @InjectQueue(PLAN_QUEUE) private readonly queue: Queue<PlanJob>,
    private readonly logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /**
   * Takes in a file for the viewer's own clients; answers when all of it was received. `get` returns what is wrong with
   * the file or its lines; a file that can't be imported, or whose upload broke off, gives a failed import.
   */
  async begin(
    viewer: Viewer,
    { fileName = '', dryRun = false }: NewImport,
    upload: Readable,
  ): Promise<{ importId: number }> {
    // The sender may disconnect before the stream is read; whoever reads it gets the error again.
    upload.on('error', () => undefined);
    const row = await this.database.first<{ id: number }>(
      'INSERT INTO imports (owner_id, file_name, dry_run) VALUES ($1, $2, $3) RETURNING id',
      [viewer.userId, fileName.replace(/[\u0000-\u001f]/g, '').slice(0, 200), dryRun],
    );
    if (!row) throw new Error('an insert returned no row');
    const importId = row.id;
    await audit(this.database, viewer, 'clients.import', { type: 'import', id: importId }, { dryRun });
    if (await this.stager.stage(importId, upload)) await this.applyOrEnqueue(importId);
    return { importId };
  }

  /**
   * Applies a staged import here and now, or what is left of it; see ImportApplier. For the worker's job, and for the
   * command line, which needs no worker.
   */
  async resume(importId: number, maxMs?: number, onProgress?: (progress: Import) => void): Promise<boolean> {
    const finished = await this.applier.resume(importId, maxMs, onProgress);
    if (finished) this.logger.info({ event: 'import.applied', importId }, 'Import is applied');
    return finished;
  }

  /**
   * For the sweeper: fails imports whose upload died with its process, and enqueues all that are staged and not done.
   */
  async runPending(): Promise<void> {
    const failed = await this.stager.failAbandoned();
    if (failed.length > 0)
      this.logger.warn(
        { event: 'import.abandoned', imports: failed },
        'Imports failed because their uploads did not complete',
      );
    for (const importId of await this.applier.pending()) await this.enqueue(importId);
  }

  /** With the first 100 errors, in line order. @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<ImportDetail> {
    return { ...view(await this.find(viewer, id)), errors: await this.errors(id, [0, ''], SHOWN_ERRORS) };
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
    return this.errorLines(id, words);
  }

  private async *errorLines(id: number, words: (found: CodedProblem) => string): AsyncGenerator<string> {
    yield `\uFEFF${csvRow(['line', 'field', 'message'])}`;
    for (let after: [number, string] = [0, '']; ;) {
      const page = await this.errors(id, after, EXPORT_PAGE);
      const last = page.at(-1);
      if (!last) return;
      yield page.map((e) => csvRow([e.line, e.field, words(e)])).join('');
      after = [last.line, last.field];
    }
  }

  private async errors(id: number, after: [number, string], limit: number): Promise<ImportError[]> {
    const rows = await this.database.rows<{ line: number; field: string; message: string }>(
      `SELECT line, field, message FROM import_errors
        WHERE import_id = $1 AND (line, field) > ($2, $3) ORDER BY line, field LIMIT ${limit}`,
      [id, ...after],
    );
    return rows.map(({ line, field, message }) => ({ line, field, ...readProblem(message) }));
  }

  private async find(viewer: Viewer, id: number): Promise<Import> {
    const found = await this.database.first<Import>(
      'SELECT * FROM imports WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)',
      [id, readableOwner(viewer)],
    );
    if (!found) throw new NotFoundError('Import', id);
    return found;
  }

  /** The import is in the database already: if applying it here fails, a worker does it. */
  private async applyOrEnqueue(importId: number): Promise<void> {
    try {
      const row = await this.database.first<{ rows: number }>('SELECT rows FROM imports WHERE id = $1', [importId]);
      if ((row?.rows ?? Infinity) <= AT_ONCE_ROWS && (await this.resume(importId))) return;
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
