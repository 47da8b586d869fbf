import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import { notWritable } from '../../database/owned';
import type { FieldDefinition, FieldType } from '../../domain/client-fields';
import { checkMapping } from '../../domain/csv-mapping';
import { ConflictError, ValidationError } from '../../domain/errors';
import { checkTags } from '../../domain/tag-names';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { audit } from '../audit/audit';
import { offeredFields } from './field-definitions';
import { checkNewFields, createFields, definitionsOf } from './import-fields';
import { type Inspected, ImportInspector, type Look } from './import-inspector.service';
import { forgetRows } from './import-stager.service';
import { type Import, type ImportMode, type ImportPlan, storedProblem } from './import.entity';

/** What is to be done with a kept file. */
export interface ImportRequest extends Look {
  /** Without it the suggested one. */
  mapping?: Readonly<Record<string, unknown>> | null;
  mode?: ImportMode;
  tags?: string[];
  /** Fields to be made, in the form of definitions. */
  createFields?: readonly unknown[];
  emptyCells?: 'leave' | 'clear';
  dryRun?: boolean;
}

const AGAIN = `(status IN ('waiting', 'failed') OR (status = 'done' AND dry_run))`;

/** How long a kept file waits. */
const KEPT = `interval '1 hour'`;

/** Takes the decision what a kept file's columns are. */
@Injectable()
export class ImportPlans {
  constructor(
    private readonly database: Database,
    private readonly inspector: ImportInspector,
  ) {}

  /**
   * @throws ConflictError if the file is gone
   * @throws ValidationError if it is no table
   */
  async inspect(viewer: Viewer, importId: number, look: Look = {}): Promise<Inspected> {
    return this.inspector.inspect(await this.kept(viewer, importId), look);
  }

  /**
   * Decides what is to be done with a kept file, which is then ready to be read.
   * @throws ValidationError
   * @throws ConflictError if the file is gone, or the import done or under way
   */
  async decide(viewer: Viewer, importId: number, request: ImportRequest): Promise<Import> {
    const kept = await this.kept(viewer, importId);
    const { dryRun = false, mode = 'upsert', tags = [] } = request;
    const seen = await this.inspector.inspect(kept, request);
    const known = await offeredFields(this.database, kept.ownerId);
    const given = request.mapping ?? Object.fromEntries(seen.columns.map((c) => [c.index, c.suggested]));
    const { wanted, called } = afterColumns(given, seen);
    const newFields = checkNewFields(known, [...definitionsOf(request.createFields ?? []), ...called]);
    const { mapping, errors } = checkMapping(wanted, seen.columns.length, [...known, ...newFields]);
    const { names, errors: wrongTags } = checkTags(tags.filter((tag) => tag.trim() !== ''));
    if (errors.length + wrongTags.length > 0) throw new ValidationError([...errors, ...wrongTags]);
    const plan: ImportPlan = {
      mapping,
      encoding: request.encoding ?? null,
      delimiter: seen.delimiter,
      sheet: seen.sheet,
      headless: !seen.hasHeader,
      clears: request.emptyCells === 'clear',
      tags: names,
      newFields,
    };
    return this.begin(viewer, kept, plan, { mode, dryRun });
  }

  /** Decides the same as for the check before. */
  async decideAgain(viewer: Viewer, importId: number): Promise<Import> {
    const { plan, mode } = await this.kept(viewer, importId);
    if (!plan) throw new ConflictError('IMPORT_FILE_GONE', `Import ${importId} was not checked.`);
    const { mapping, encoding, delimiter, sheet, headless, clears, tags, newFields } = plan;
    const look = { encoding, delimiter, sheet, hasHeader: !headless };
    const emptyCells = clears ? 'clear' : 'leave';
    return this.decide(viewer, importId, { ...look, mapping, mode, tags, createFields: newFields, emptyCells });
  }

  /** Reads a kept file by the names of its columns. */
  async decideByNames(viewer: Viewer, importId: number, dryRun: boolean): Promise<Import> {
    const plan: ImportPlan = {
      mapping: null,
      encoding: null,
      delimiter: null,
      sheet: null,
      headless: false,
      // As in files that are read while they come in.
      clears: false,
      tags: [],
      newFields: [],
    };
    return this.begin(viewer, await this.kept(viewer, importId), plan, { mode: 'upsert', dryRun });
  }

  /** Deletes files that waited too long, and those that are imported. */
  async forgetFiles(): Promise<void> {
    await this.database.affected(
      `UPDATE imports SET kept_at = NULL,
         status = CASE status WHEN 'waiting' THEN 'failed' ELSE status END,
         reason = CASE status WHEN 'waiting' THEN $1 ELSE reason END,
         finished_at = CASE status WHEN 'waiting' THEN app_now() ELSE finished_at END
        WHERE kept_at IS NOT NULL AND NOT (status = 'running' AND staged_at IS NULL)
          AND (kept_at < app_now() - ${KEPT} OR (status = 'done' AND NOT dry_run))`,
      [storedProblem(problem('file_expired'))],
    );
    // Also what a process left that died between these statements.
    await this.database.affected(
      `DELETE FROM import_files f USING imports i
        WHERE i.id = f.import_id AND i.kept_at IS NULL AND (i.status <> 'running' OR i.staged_at IS NOT NULL)`,
    );
  }

  private async kept(viewer: Viewer, importId: number): Promise<Import> {
    const own = await this.database.first<Import & { there: boolean }>(
      `SELECT i.*, EXISTS (SELECT FROM import_files WHERE import_id = i.id) AND kept_at IS NOT NULL AS there
         FROM imports i WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2)`,
      [importId, writableOwner(viewer)],
    );
    if (!own) throw await notWritable(this.database, viewer, 'Import', importId);
    if (own.status === 'running') throw new ConflictError('IMPORT_RUNNING', `Import ${importId} is under way.`);
    if (own.status === 'done' && !own.dryRun)
      throw new ConflictError('IMPORT_APPLIED', `Import ${importId} is done already.`);
    if (!own.there)
      throw new ConflictError(
        'IMPORT_FILE_GONE',
        `The file of import ${importId} is not kept any more. Send it again.`,
      );
    return own;
  }

  private async begin(
    viewer: Viewer,
    { id, ownerId }: Import,
    plan: ImportPlan,
    { mode, dryRun }: { mode: ImportMode; dryRun: boolean },
  ): Promise<Import> {
    return this.database.transaction(async (tx) => {
      const begun = await tx.first<Import>(
        `UPDATE imports SET status = 'running', plan = $2, mode = $3, dry_run = $4, reader = NULL, staged_at = NULL,
           reason = NULL, finished_at = NULL, rows = 0, added = 0, updated = 0, rejected = 0, suppressed = 0, skipped = 0,
           status_rows = 0, readings = 0, alive_at = clock_timestamp()
          WHERE id = $1 AND kept_at IS NOT NULL AND ${AGAIN} RETURNING *`,
        [id, JSON.stringify(plan), mode, dryRun],
      );
      if (!begun) throw new ConflictError('IMPORT_RUNNING', `Import ${id} is under way.`);
      await forgetRows(tx, id);
      if (!dryRun) await createFields(tx, ownerId, plan.newFields);
      await audit(tx, viewer, 'clients.import', { type: 'import', id }, { dryRun });
      return begun;
    });
  }
}

/** Columns that are to be fields called after them (`new:text`). */
function afterColumns(
  given: Readonly<Record<string, unknown>>,
  { columns }: Inspected,
): { wanted: Record<string, unknown>; called: FieldDefinition[] } {
  const called: FieldDefinition[] = [];
  const entries = Object.entries(given).map(([index, target]): [string, unknown] => {
    const type = typeof target === 'string' && target.startsWith('new:') ? target.slice('new:'.length) : null;
    const column = columns[Number(index)];
    if (type === null || !column) return [index, target];
    called.push({ key: column.newField.key, label: column.newField.label, type: type as FieldType, options: [] });
    return [index, `fields.${column.newField.key}`];
  });
  return { wanted: Object.fromEntries(entries), called };
}
