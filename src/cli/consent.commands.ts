import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { invalid } from '../domain/errors';
import { english } from '../domain/problem-texts';
import { problem } from '../domain/problems';
import { type SuppressionReason, suppressionReasons } from '../domain/suppression';
import { SuppressionImports } from '../features/consent/suppression-imports.service';
import { LinkKeys } from '../features/consent/link-keys.service';
import { SuppressionsService } from '../features/consent/suppressions.service';
import { UnsubscribeService } from '../features/runs/unsubscribe.service';
import { UsersService } from '../features/users/users.service';
import { OPERATOR, type Output, print, run } from './context';

/** Who must not get mail, and the links by which people say so. */
export function consentCommands(program: Command): void {
  program
    .command('suppress')
    .argument('<email>', 'the address')
    .description('No letter of this owner goes to the address any more')
    .requiredOption('--owner <email>', "the owner's address")
    .option('--detail <text>', 'a note that is kept with it')
    .option('--json', 'print one JSON object')
    .action((email: string, options: Output & { owner: string; detail?: string }) =>
      run(options, async (app) => {
        const owner = await app.get(UsersService).byEmail(options.owner);
        const viewer = { ...OPERATOR, userId: owner.id };
        const input = { email, ...(options.detail !== undefined && { detail: options.detail }) };
        const added = await app.get(UnsubscribeService).suppress(viewer, input, 'cli');
        print(options, { id: added.id, email: added.email }, `${added.email} gets no more letters of ${owner.email}.`);
        return 0;
      }),
    );

  program
    .command('import-suppressions')
    .argument('<file>', 'a CSV file whose header names a column email')
    .description("No letter of this owner goes to the file's addresses any more; all of them are taken, or none")
    .requiredOption('--owner <email>', "the owner's address")
    .addOption(new Option('--reason <reason>', 'the reason for lines that name none').choices(suppressionReasons))
    .option('--json', 'print one JSON object')
    .action((path: string, options: Output & { owner: string; reason?: SuppressionReason }) =>
      run(options, async (app) => {
        const owner = await app.get(UsersService).byEmail(options.owner);
        await access(path).catch((error: unknown) => {
          throw invalid('file', problem('verbatim', { text: (error as Error).message }));
        });
        const viewer = { ...OPERATOR, userId: owner.id };
        const input = { fileName: basename(path), ...(options.reason && { reason: options.reason }) };
        const batch = await app.get(SuppressionImports).take(viewer, input, createReadStream(path));
        const { id: batchId, rows, added, known, ignored, rejected } = batch;
        print(
          options,
          { batchId, rows, added, known, ignored, rejected },
          [
            `${rows} lines: ${added} newly suppressed, ${known} suppressed before, ${ignored} get mail, ${rejected} rejected.`,
            ...batch.problems.flatMap(({ line, errors }) =>
              errors.map((error) => `  line ${line}, ${error.field}: ${english(error)}`),
            ),
          ].join('\n'),
        );
        return 0;
      }),
    );

  program
    .command('export-suppressions')
    .description('Writes all suppressed addresses to standard output, as CSV')
    .action(() =>
      run({}, async (app) => {
        for await (const piece of app.get(SuppressionsService).exportCsv(OPERATOR)) process.stdout.write(piece);
        return 0;
      }),
    );

  program
    .command('rotate-link-keys')
    .description('Makes a new key that signs the links in letters; links that are out stay good')
    .option('--json', 'print one JSON object')
    .action((options: Output) =>
      run(options, async (app) => {
        const id = await app.get(LinkKeys).rotate(OPERATOR);
        print(options, { id }, `Key ${id} signs the links in letters from now on.`);
        return 0;
      }),
    );
}
