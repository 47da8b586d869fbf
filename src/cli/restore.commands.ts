import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { invalid } from '../domain/errors';
import { problem } from '../domain/problems';
import { ReconcileService } from '../features/runs/reconcile.service';
import { restoredNote } from '../features/mailings/restored';
import { RestoreService } from '../features/scheduling/restore.service';
import { Database } from '../database/database';
import { idArgument } from './arguments';
import { OPERATOR, type Output, print, run } from './context';

export function restoreCommands(program: Command): void {
  program
    .command('hold')
    .description('Pauses everything that is started, until each mailing is resumed by itself')
    .requiredOption(
      '--restored',
      'the database came from a backup of its files; a restored dump is recognised without this',
    )
    .option('--json', 'print one JSON object')
    .action((options: Output) =>
      run(options, async (app) => {
        await app.get(RestoreService, { strict: false }).pauseByHand(OPERATOR);
        const restored = await restoredNote(app.get(Database, { strict: false }), null);
        const mailings = restored?.mailings ?? 0;
        print(
          options,
          { mailings, since: restored?.since ?? null },
          mailings > 0
            ? `${mailings} mailing(s) are paused (restored). Reconcile their runs, then resume each by itself.`
            : 'No mailing was started: nothing is paused.',
        );
        return 0;
      }),
    );

  program
    .command('reconcile')
    .description("Marks as sent what a mail server's log says it accepted, and opens the rest of a paused run again")
    .requiredOption('--run <id>', 'the run', idArgument)
    .requiredOption(
      '--accepted <file>',
      'Message-IDs, one a line or anywhere in the lines of a log; - is standard input',
    )
    .option('--dry-run', 'count only')
    .option('--json', 'print one JSON object')
    .action((options: Output & { run: number; accepted: string; dryRun?: boolean }) =>
      run(options, async (app) => {
        const { run: runId, accepted, dryRun = false } = options;
        const reconciled = await app
          .get(ReconcileService, { strict: false })
          .reconcile(OPERATOR, runId, logFrom(accepted), { dryRun });
        const { found, marked, reopened, notFound } = reconciled;
        print(
          options,
          { runId, dryRun, ...reconciled },
          [
            `Run ${runId}: the log names ${found} of its letters` +
              (notFound > 0 ? `, and ${notFound} that are not of this run.` : '.'),
            dryRun
              ? `${marked} would be marked as sent; ${reopened} would be open and go out when the mailing is resumed.`
              : `${marked} are marked as sent; ${reopened} are open and go out when the mailing is resumed.`,
          ].join('\n'),
        );
        return 0;
      }),
    );
}

/** The file in chunks, however large it is. */
async function* logFrom(file: string): AsyncGenerator<Buffer> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw invalid('accepted', problem('verbatim', { text: (error as Error).message }));
  }
}
