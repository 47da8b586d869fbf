import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type ConfigValues, ConfigError, loadConfig } from './config/config';
import { waitFor } from './database/wait';
import { plainLogger } from './logging/logging.module';
import { redisOptions } from './queue/redis-options';

/**
 * Starts a long-running process: reads the configuration, waits for Postgres and Redis while saying so, then runs `start`.
 * Whatever goes wrong is one clear line and exit code 1.
 */
export async function boot(name: string, start: (config: ConfigValues) => Promise<void>): Promise<void> {
  let config: ConfigValues;
  try {
    config = loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const log = plainLogger(config.logLevel);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => endInTime(config.shutdownMs, log));
  process.on('unhandledRejection', (error) => {
    log.fatal({ event: 'process.unhandled', err: error }, 'Unhandled rejection');
    process.exit(1);
  });
  try {
    await waitForPostgres(config, (message) => log.warn({ event: 'boot.waiting', process: name }, message));
    await waitForRedis(config, (message) => log.warn({ event: 'boot.waiting', process: name }, message));
    await start(config);
  } catch (error) {
    log.fatal({ event: 'boot.failed', process: name, err: error }, (error as Error).message);
    process.exit(1);
  }
}

/** Whatever does not answer while a process stops must not hold it for ever. */
function endInTime(shutdownMs: number, log: ReturnType<typeof plainLogger>): void {
  setTimeout(() => {
    log.warn({ event: 'process.ended_late' }, 'Not everything could be closed in time');
    process.exit(1);
  }, shutdownMs).unref();
}

export async function waitForPostgres(
  config: ConfigValues,
  say: (message: string) => void,
  timeoutMs = config.waitForServicesMs,
): Promise<void> {
  const { host } = new URL(config.databaseUrl);
  await waitFor(
    `Postgres at ${host}`,
    async () => {
      const client = new Client({ connectionString: config.databaseUrl, connectionTimeoutMillis: 5_000 });
      try {
        await client.connect();
        const found = await client.query(
          `SELECT to_regclass('deliveries') IS NOT NULL AND to_regclass('imports') IS NOT NULL AS migrated`,
        );
        const [row] = found.rows as { migrated: boolean }[];
        if (!row?.migrated) throw new Error('the database is not migrated; run `npm run migrate`');
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    timeoutMs,
    say,
  );
}

async function waitForRedis(config: ConfigValues, say: (message: string) => void): Promise<void> {
  const { host } = new URL(config.redisUrl);
  await waitFor(
    `Redis at ${host}`,
    async () => {
      const redis = new Redis({ ...redisOptions(config.redisUrl), lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => undefined);
      try {
        await redis.connect();
        const policy = (await redis.config('GET', 'maxmemory-policy').catch(() => [])) as string[];
        if (policy[1] !== undefined && policy[1] !== 'noeviction') {
          say(
            `Redis has maxmemory-policy ${policy[1]}: set it to noeviction, or jobs may vanish (the sweeper brings them back late)`,
          );
        }
      } finally {
        redis.disconnect();
      }
    },
    config.waitForServicesMs,
    say,
  );
}
