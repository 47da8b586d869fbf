import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import type { Command } from 'commander';
import { loadConfig } from '../config/config';
import { Database } from '../database/database';
import { runMigrations } from '../database/migrate';
import { waitFor } from '../database/wait';
import { TransportService } from '../features/deliveries/transport.service';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE } from '../queue/queues';
import { type Output, print, run } from './context';
import { Client } from 'pg';

export function operationsCommands(program: Command): void {
  program
    .command('migrate')
    .description('Brings the database schema up to date')
    .action(async () => {
      try {
        const config = loadConfig(process.env);
        await waitFor(
          'Postgres',
          async () => {
            const client = new Client({ connectionString: config.databaseUrl, connectionTimeoutMillis: 5_000 });
            await client.connect();
            await client.end();
          },
          config.waitForServicesMs,
          (message) => process.stderr.write(`${message}\n`),
        );
        const done = await runMigrations(config.databaseUrl);
        process.stdout.write(
          done.length > 0 ? `${done.map((name) => `applied ${name}`).join('\n')}\n` : 'The schema is up to date.\n',
        );
      } catch (error) {
        process.stderr.write(`${(error as Error).message}\n`);
        process.exitCode = 1;
      }
    });

  program
    .command('run-due')
    .description('One tick of the scheduler now')
    .option('--json', 'print one JSON object')
    .action((options: Output) =>
      run(options, async (app) => {
        const tick = await app.get(SchedulerService).tick();
        print(
          options,
          tick,
          `${tick.mailings} mailing(s) were due; ${tick.runs.length} run(s) started${tick.runs.length > 0 ? `: ${tick.runs.join(', ')}` : ''}.`,
        );
        return 0;
      }),
    );

  program
    .command('status')
    .description('Queues beside ledger: counts that should agree')
    .option('--json', 'print one JSON object')
    .action((options: Output) =>
      run(options, async (app, config) => {
        const database = app.get(Database, { strict: false });
        const ledger = await database.first<Record<string, number>>(
          `SELECT (SELECT count(*) FROM runs WHERE status IN ('planning', 'sending')) AS live_runs,
                  coalesce(sum(pending), 0)::bigint AS pending, coalesce(sum(sending), 0)::bigint AS sending,
                  coalesce(sum(deferred), 0)::bigint AS deferred,
                  (SELECT count(*) FROM workers WHERE stopped_at IS NULL AND heartbeat_at > clock_timestamp() - $1 * interval '1 millisecond') AS workers
             FROM run_counts WHERE run_id IN (SELECT id FROM runs WHERE status IN ('planning', 'sending'))`,
          [config.takeoverMs],
        );
        const transport = await app.get(TransportService, { strict: false }).read();
        const queues: Record<string, Record<string, number> | null> = {};
        for (const name of [DELIVERY_QUEUE, PLAN_QUEUE, SCHEDULE_QUEUE]) {
          queues[name] = await app
            .get<Queue>(getQueueToken(name), { strict: false })
            .getJobCounts()
            .catch(() => null);
        }
        const lines = Object.entries(queues).map(
          ([name, counts]) => `  ${name}: ${counts ? nonZero(counts) : 'Redis can not be reached'}`,
        );
        print(
          options,
          { ledger, queues, transport: { state: transport.state, reason: transport.reason, since: transport.since } },
          [
            `Ledger: ${nonZero(ledger ?? {})}`,
            'Queues:',
            ...lines,
            `SMTP account: ${transport.state}${transport.reason ? ` (${transport.reason}: ${transport.detail ?? ''})` : ''}`,
          ].join('\n'),
        );
        return 0;
      }),
    );
}

function nonZero(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, n]) => n > 0);
  return parts.length > 0 ? parts.map(([name, n]) => `${n} ${name}`).join(', ') : 'nothing';
}
