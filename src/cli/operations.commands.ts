import { setTimeout as sleep } from 'node:timers/promises';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import type { Command } from 'commander';
import { loadConfig } from '../config/config';
import { isUnavailable } from '../database/database';
import { runMigrations } from '../database/migrate';
import { postgresProblem } from '../database/postgres-problem';
import { waitFor } from '../database/wait';
import { AccountsService } from '../features/accounts/accounts.service';
import { PreflightService } from '../features/scheduling/preflight.service';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { SuppressionBatches } from '../features/consent/batches.service';
import { StatisticsService } from '../features/statistics/statistics.service';
import { DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE } from '../queue/queues';
import { RedisConnection } from '../queue/redis.module';
import { OPERATOR, type Output, print, run } from './context';

const QUEUES_MS = 3_000;

export function operationsCommands(program: Command): void {
  migrateCommand(program);
  runDueCommand(program);
  statusCommand(program);
}

function migrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Brings the database schema up to date')
    .action(async () => {
      try {
        const config = loadConfig(process.env);
        const migrate = () =>
          runMigrations(config.databaseUrl).catch((error: unknown) => {
            throw new Error(postgresProblem(error), { cause: error });
          });
        const done = await waitFor('Postgres', migrate, {
          timeoutMs: config.waitForServicesMs,
          say: (message) => process.stderr.write(`${message}\n`),
          worth: (error) => isUnavailable((error as Error).cause),
        });
        process.stdout.write(
          done.length > 0 ? `${done.map((name) => `applied ${name}`).join('\n')}\n` : 'The schema is up to date.\n',
        );
      } catch (error) {
        process.stderr.write(`${(error as Error).message}\n`);
        process.exitCode = 1;
      }
    });
}

function runDueCommand(program: Command): void {
  program
    .command('run-due')
    .description('Starts at once all runs that are due, as the scheduler does by itself')
    .option('--json', 'print one JSON object')
    .action((options: Output) =>
      run(options, async (app) => {
        const tick = await app.get(SchedulerService).tick();
        print(
          options,
          tick,
          `${tick.mailings} mailing(s) were due; ${tick.runs.length} run(s) started${list(tick.runs)}.`,
        );
        return 0;
      }),
    );
}

function statusCommand(program: Command): void {
  program
    .command('status')
    .description('Shows how many letters wait, in the ledger and in the queues, and what is wrong')
    .option('--json', 'print one JSON object')
    .action((options: Output) =>
      run(options, async (app) => {
        const statistics = app.get(StatisticsService, { strict: false });
        const ledger = await statistics.open();
        const account = await app.get(AccountsService, { strict: false }).read();
        const restored = await statistics.restored(OPERATOR);
        const outages = await app.get(SuppressionBatches, { strict: false }).undecided(OPERATOR);
        const unaddressed = await app.get(PreflightService, { strict: false }).startedWithoutAddress();
        // A queue whose Redis is away waits for it without end.
        const isThere = await app.get(RedisConnection, { strict: false }).ready(0);
        const names = isThere ? [DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE] : [];
        const counted = names.map((name) => app.get<Queue>(getQueueToken(name), { strict: false }).getJobCounts());
        const counts = await Promise.race([Promise.all(counted), sleep(QUEUES_MS, [])]).catch(() => []);
        const queues: Record<string, Record<string, number> | null> = Object.fromEntries(
          [DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE].map((name, i) => [name, counts[i] ?? null]),
        );
        const lines = Object.entries(queues).map(
          ([name, counts]) => `  ${name}: ${counts ? nonZero(counts) : 'Redis cannot be reached'}`,
        );
        print(
          options,
          {
            ledger,
            queues,
            transport: { state: account.state, reason: account.reason, since: account.since },
            restored,
            withoutPostalAddress: unaddressed,
            undecidedOutages: outages.map(({ id, domain, refused }) => ({ batchId: id, domain, refused })),
          },
          [
            `Ledger: ${nonZero({ ...ledger })}`,
            'Queues:',
            ...lines,
            `SMTP account: ${account.state}${account.reason ? ` (${account.reason}: ${account.detail ?? ''})` : ''}`,
            ...(restored
              ? [
                  `Restored: the database came from a backup; ${restored.mailings} mailing(s) are paused ` +
                    `since ${restored.since.toISOString()}`,
                ]
              : []),
            ...outages.map(
              ({ id, domain, refused }) =>
                `${domain ?? 'Mail servers of all domains'} refused ${refused} addresses as if they did not exist; ` +
                `none was suppressed: decide about batch ${id}`,
            ),
            ...(unaddressed.length > 0
              ? [`Started mailings without a postal address, paused when they fall due${list(unaddressed)}`]
              : []),
          ].join('\n'),
        );
        return 0;
      }),
    );
}

const list = (ids: number[]): string => (ids.length > 0 ? `: ${ids.join(', ')}` : '');

function nonZero(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, n]) => n > 0);
  return parts.length > 0 ? parts.map(([name, n]) => `${n} ${name}`).join(', ') : 'nothing';
}
