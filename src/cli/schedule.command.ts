import { type Command, InvalidArgumentError } from 'commander';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { idArgument } from './arguments';
import { OPERATOR, type Output, print, run } from './context';

const COUNT_MAX = 200;

export function scheduleCommand(program: Command): void {
  program
    .command('schedule')
    .description("The next occurrences of a mailing, in the mailing's time zone")
    .argument('<id>', 'the id of the mailing', idArgument)
    .option('--count <n>', `how many, 1 to ${COUNT_MAX}`, countOption, 10)
    .option('--json', 'print one JSON object')
    .action((id: number, options: Output & { count: number }) =>
      run(options, async (app) => {
        const items = await app.get(SchedulerService).schedule(OPERATOR, id, options.count);
        print(options, { items }, items.map(({ local }) => local).join('\n') || 'No further occurrences.');
        return 0;
      }),
    );
}

function countOption(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > COUNT_MAX)
    throw new InvalidArgumentError(`It must be a number from 1 to ${COUNT_MAX}.`);
  return count;
}
