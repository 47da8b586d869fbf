import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { invalid } from '../domain/errors';
import { english, told } from '../domain/problem-texts';
import { problem } from '../domain/problems';
import { ImportsService } from '../features/clients/imports.service';
import { UsersService } from '../features/users/users.service';
import { type Output, print, run } from './context';

export function importClientsCommand(program: Command): void {
  program
    .command('import-clients')
    .description('Imports clients from a CSV file with the header email,full_name,comment')
    .argument('<file>', 'the file')
    .requiredOption('--owner <email>', 'whose clients they are')
    .option('--dry-run', 'check and count only')
    .option('--json', 'print one JSON object')
    .action((file: string, options: Output & { owner: string; dryRun?: boolean }) =>
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
        const { importId } = await imports.begin(
          viewer,
          { fileName: basename(file), dryRun: options.dryRun ?? false },
          upload,
        );
        upload.destroy();
        const read = await imports.get(viewer, importId);
        bar.setTotal(Math.max(1, read.rows));
        bar.update(0, { phase: 'Applying' });
        while (!(await imports.resume(importId, undefined, (p) => bar.update(p.added + p.updated + p.rejected))));
        bar.stop();
        const done = await imports.get(viewer, importId);
        const { status, rows, added, updated, rejected, encoding, delimiter } = done;
        const reason = done.reason && english(done.reason);
        const errors = done.errors.map(told);
        print(
          options,
          { importId, status, reason, rows, added, updated, rejected, encoding, delimiter, errors },
          [
            status === 'failed'
              ? `The import failed: ${reason ?? ''}`
              : `${rows} rows: ${added} added, ${updated} updated, ${rejected} rejected.`,
            ...errors.map((e) => `  line ${e.line}, ${e.field}: ${e.message}`),
            ...(rejected > errors.length ? ['  …'] : []),
          ].join('\n'),
        );
        return status === 'done' ? 0 : 1;
      }),
    );
}

/** The file's bytes, read on demand; reports how many were consumed. */
async function* counted(file: string, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    onBytes(chunk.length);
    yield chunk;
  }
}
