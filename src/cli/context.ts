import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { waitForPostgres } from '../boot';
import { ConfigError, loadConfig } from '../config/config';
import { type Config, ConfigModule } from '../config/config.module';
import { isUnavailable } from '../database/database';
import { postgresProblem } from '../database/postgres-problem';
import { DomainError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { ClientsModule } from '../features/clients/clients.module';
import { ImportsModule } from '../features/clients/imports.module';
import { AccountsModule } from '../features/accounts/accounts.module';
import { LedgerModule } from '../features/ledger/ledger.module';
import { MailingsModule } from '../features/mailings/mailings.module';
import { ConsentModule } from '../features/consent/consent.module';
import { InboundModule } from '../features/inbound/inbound.module';
import { PersonsModule } from '../features/persons/persons.module';
import { RunsModule } from '../features/runs/runs.module';
import { SchedulingModule } from '../features/scheduling/scheduling.module';
import { StatisticsModule } from '../features/statistics/statistics.module';
import { UsersModule } from '../features/users/users.module';
import { LoggingModule } from '../logging/logging.module';
import { QueueModule } from '../queue/queue.module';
import { RedisConnection } from '../queue/redis.module';

@Module({})
class CliApp {
  static with(config: Config): DynamicModule {
    return {
      module: CliApp,
      imports: [
        ConfigModule.with(config),
        LoggingModule,
        QueueModule,
        UsersModule,
        ClientsModule,
        ImportsModule,
        MailingsModule,
        AccountsModule,
        LedgerModule,
        ConsentModule,
        RunsModule,
        InboundModule,
        PersonsModule,
        SchedulingModule,
        StatisticsModule,
      ],
    };
  }
}

/** The operator on the command line may do everything. */
export const OPERATOR: Viewer = { userId: 0, role: 'admin', via: 'cli' };

/** How long a command waits for Postgres and Redis. */
const PATIENCE_MS = 3_000;

/** Options every command has. */
export interface Output {
  json?: boolean;
}

/**
 * Runs a command's work with the service's parts; an expected error is one line on stderr and exit code 1.
 * `work` returns the exit code; `failed` is that of a failure.
 */
export async function run(
  output: Output,
  work: (app: INestApplicationContext, config: Config) => Promise<number>,
  { failed = 1 } = {},
): Promise<void> {
  let app: INestApplicationContext | undefined;
  try {
    const config = { ...loadConfig(process.env), logLevel: 'silent' as const, waitForServicesMs: PATIENCE_MS };
    // Commands that only read also work with a read-only database; commands that write report the error.
    await waitForPostgres(config, () => undefined, { writable: false });
    app = await NestFactory.createApplicationContext(CliApp.with(config), { logger: false, abortOnError: false });
    const redis = app.get(RedisConnection, { strict: false });
    if (!(await redis.ready(PATIENCE_MS))) {
      const why = redis.lostBecause ?? 'it does not answer';
      process.stderr.write(`Redis cannot be used (${why}): what is started goes out when it can.\n`);
    }
    process.exitCode = await work(app, config);
  } catch (error) {
    process.exitCode = failed;
    const { code, text } = described(error);
    if (output.json) print(output, { error: code, message: text }, '');
    process.stderr.write(`${text}\n`);
  } finally {
    await app?.close().catch(() => undefined);
  }
  // Connections to a Redis that is away would keep the process running.
  process.exit(process.exitCode);
}

/** One JSON object with --json, else the text. */
export function print(output: Output, json: object, text: string): void {
  process.stdout.write(output.json ? `${JSON.stringify(json)}\n` : `${text}\n`);
}

function described(error: unknown): { code: string; text: string } {
  if (error instanceof DomainError) return { code: error.code, text: error.message };
  if (error instanceof ConfigError) return { code: 'CONFIG', text: error.message };
  if (isUnavailable(error))
    return { code: 'DATABASE_UNAVAILABLE', text: `The database is not available for now: ${postgresProblem(error)}.` };
  return { code: 'FAILED', text: error instanceof Error ? error.message : String(error) };
}
