import type { Command } from 'commander';
import { INBOUND_MAX_BYTES } from '../domain/read-letter';
import { InboundLetters } from '../features/inbound/inbound-letters.service';
import { type Output, print, run } from './context';

/** EX_TEMPFAIL of sysexits.h: the mail server keeps the letter and tries again. */
const TRY_LATER = 75;

/** Letters that come back, from a mail server's pipe. */
export function inboundCommands(program: Command): void {
  program
    .command('receive')
    .description('Takes a letter that came back from standard input; exit code 75 means: try again later')
    .requiredOption('--to <address>', 'the address to which it came')
    .requiredOption('--from <address>', 'its envelope sender; empty or <> for the null sender')
    .option('--json', 'print one JSON object')
    .action((options: Output & { to: string; from: string }) =>
      run(
        options,
        async (app) => {
          const raw = await beginningOf(process.stdin, INBOUND_MAX_BYTES);
          const id = await app.get(InboundLetters).take('pipe', { from: options.from, to: options.to }, raw);
          print(options, { id }, `Letter ${id} is kept.`);
          return 0;
        },
        { failed: TRY_LATER },
      ),
    );
}

/** The rest is read, too, but not kept: whoever writes it must not fail. */
async function beginningOf(stream: AsyncIterable<Buffer>, max: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    if (size < max) pieces.push(piece.subarray(0, max - size));
    size += piece.length;
  }
  return Buffer.concat(pieces);
}
