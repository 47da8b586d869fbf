import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { mappingBy } from '../domain/csv-mapping-pairs';
import { invalid, ValidationError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { english, told } from '../domain/problem-texts';
import { problem } from '../domain/problems';
import { type ImportMode, importModes } from '../features/clients/import.entity';
import { ImportsService } from '../features/clients/imports.service';
import { UsersService } from '../features/users/users.service';
import { type Output, print, run } from './context';

export function importClientsCommand(program: Command): void {
  program
    .command('import-clients')
    .description('Imports clients from a CSV file or an Excel workbook (.xlsx) whose first line names the columns')
    .argument('<file>', 'the file')
    .requiredOption('--owner <email>', 'whose clients they are')
    .option(
      '--map <column=what>',
      'what a column is, by its name or number from 0: email, fullName, firstName, middleName, lastName, comment, tags, ' +
        'status, fields.KEY, new:TYPE or ignore; may be repeated',
      (pair: string, pairs: string[]) => [...pairs, pair],
      [],
    )
    .option('--tags <names>', 'tags for all of them, separated by commas')
    .addOption(
      new Option(
        '--mode <mode>',
        'upsert adds new clients and updates known ones; add leaves known ones alone; update adds none',
      )
        .choices(importModes)
        .default('upsert'),
    )
    .option('--dry-run', 'check and count only')
    .option('--json', 'print one JSON object')
    .action((file: string, options: ImportOptions) =>
      run(options, async (app) => {
        const owner = await app.get(UsersService).byEmail(options.owner);
        const found = await stat(file).catch((error: unknown) => {
          throw invalid('file', problem('verbatim', { text: (error as Error).message }));
        });
        const imports = app.get(ImportsService, { strict: false });
        const viewer = { userId: owner.id, role: owner.role };
        const bar = new SingleBar({
          format: '{phase} |{bar}| {percentage}%',
          stream: process.stderr,
          noTTYOutput: true,
          notTTYSchedule: 5_000,
        });
        bar.start(found.size, 0, { phase: 'Reading ' });
        const upload = Readable.from(counted(file, (bytes) => bar.increment(bytes)));
        const importId = await takeIn(imports, viewer, basename(file), options, upload);
        upload.destroy();
        const read = await imports.get(viewer, importId);
        bar.setTotal(Math.max(1, read.rows));
        bar.update(0, { phase: 'Applying' });
        while (
          !(await imports.resume(importId, undefined, (p) => bar.update(p.added + p.updated + p.rejected + p.skipped)))
        );
        bar.stop();
        const done = await imports.get(viewer, importId);
        const { status, rows, added, updated, rejected, skipped, suppressed, statusRows, encoding, delimiter } = done;
        const { ignoredColumns } = done;
        const reason = done.reason && english(done.reason);
        const errors = done.errors.map(told);
        print(
          options,
          {
            ...{ importId, status, reason, rows, added, updated, rejected, skipped, suppressed, statusRows },
            ...{ encoding, delimiter, ignoredColumns, errors },
          },
          [
            status === 'failed'
              ? `The import failed: ${reason ?? ''}`
              : `${rows} lines: ${added} added, ${updated} updated, ${rejected} rejected.`,
            ...(skipped > 0 ? [`${skipped} left out, because of --mode ${options.mode}.`] : []),
            ...(suppressed > 0
              ? [`${suppressed} of the addresses get no mail; ${statusRows} lines of the file say so.`]
              : []),
            ...(ignoredColumns.length > 0 ? [`Ignored columns: ${ignoredColumns.join(', ')}`] : []),
            ...errors.map((e) => `  line ${e.line}, ${e.field}: ${e.message}`),
            ...(rejected > errors.length ? ['  …'] : []),
          ].join('\n'),
        );
        return status === 'done' ? 0 : 1;
      }),
    );
}

type ImportOptions = Output & { owner: string; dryRun?: boolean; map: string[]; tags?: string; mode: ImportMode };

/** Without wishes the columns are known by their names; else the file is kept, and read from where it is kept. */
async function takeIn(
  imports: ImportsService,
  viewer: Viewer,
  fileName: string,
  { dryRun = false, map, tags, mode }: ImportOptions,
  upload: Readable,
): Promise<number> {
  if (map.length === 0 && tags === undefined && mode === 'upsert')
    return (await imports.begin(viewer, { fileName, dryRun }, upload)).importId;
  const { importId, columns } = await imports.keep(viewer, { fileName }, upload);
  const { mapping, errors } = mappingBy(columns, map);
  if (errors.length > 0) throw new ValidationError(errors);
  await imports.apply(viewer, importId, { mapping, mode, tags: tags?.split(',') ?? [], dryRun });
  return importId;
}

/** The file's bytes, read on demand; reports how many were consumed. */
async function* counted(file: string, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    onBytes(chunk.length);
    yield chunk;
  }
}
