import type { Command } from 'commander';
import { PersonsService } from '../features/persons/persons.service';
import { OPERATOR, type Output, print, run } from './context';

/** What a person may ask for, in the whole installation: whoever keeps their address. */
export function personsCommands(program: Command): void {
  program
    .command('export-person')
    .argument('<email>', 'the address')
    .description('Writes all that is kept about an address to standard output, as JSON')
    .action((email: string) =>
      run({}, async (app) => {
        const found = await app.get(PersonsService).exportAddress(OPERATOR, email);
        process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
        return 0;
      }),
    );

  program
    .command('erase-person')
    .argument('<email>', 'the address')
    .description(
      'Deletes the clients with this address, and puts a code in its place everywhere; this cannot be undone',
    )
    .option('--json', 'print one JSON object')
    .action((email: string, options: Output) =>
      run(options, async (app) => {
        const { clients, letters } = await app.get(PersonsService).eraseAddress(OPERATOR, email);
        print(options, { clients, letters }, `Erased: ${clients} clients, the address of ${letters} letters.`);
        return 0;
      }),
    );
}
