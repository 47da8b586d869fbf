import { Client } from 'pg';
import type pino from 'pino';
import { type ConfigValues, ConfigError, loadConfig } from './config/config';
import { startWarnings } from './config/start-warnings';
import { requireMigrated } from './database/migrate';
import { refusePostgres } from './database/postgres-problem';
import { waitFor } from './database/wait';
import { plainLogger } from './logging/logging.module';
import { RedisClusterError, tryRedis } from './queue/redis-problem';

/** A process that has been built and can begin its work and be closed. */
export interface Running {
  begin(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs a long-running process: reads the configuration, waits for Postgres and Redis and logs that it does, lets `make`
 * build the process and begins its work. SIGTERM or SIGINT at any moment stops it with exit code 0: nothing new is
 * begun, work under way is finished. Any failure is logged in one line, with exit code 1.
 */
export async function boot(
  name: string,
  stopAsked: AbortSignal,
  make: (config: ConfigValues) => Promise<Running>,
): Promise<void> {
  let config: ConfigValues;
  try {
    config = loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const log = plainLogger(config.logLevel);
  process.on('unhandledRejection', (error) => {
    log.fatal({ event: 'process.unhandled', err: error }, 'Unhandled rejection');
    process.exit(1);
  });
  for (const warning of startWarnings(config)) log.warn({ event: 'config.warning' }, warning);
  const stop = new Promise<void>((asked) => {
    if (stopAsked.aborted) asked();
    stopAsked.addEventListener('abort', () => asked());
  });
  void stop.then(() => endInTime(config.shutdownMs, log));
  let running: Running | undefined;
  try {
    await Promise.race([waitForServices(name, config, log), stop]);
    // `make` can't be interrupted; if a stop was asked for meanwhile, the process is closed at once.
    if (!stopAsked.aborted) running = await make(config);
    if (!stopAsked.aborted) await Promise.race([running?.begin(), stop]);
    await stop;
  } catch (error) {
    if (!stopAsked.aborted) {
      log.fatal({ event: 'boot.failed', process: name, err: error }, (error as Error).message);
      process.exit(1);
    }
  }
  await running
    ?.close()
    .catch((error: unknown) => log.warn({ event: 'process.not_closed', err: error }, 'Not everything could be closed'));
  process.exit(process.exitCode ?? 0);
}

async function waitForServices(name: string, config: ConfigValues, log: pino.Logger): Promise<void> {
  const say = (message: string) => log.warn({ event: 'boot.waiting', process: name }, message);
  await waitForPostgres(config, say);
  await waitForRedis(config, say);
}

/** Ends the process if stopping takes too long because something does not answer. */
function endInTime(shutdownMs: number, log: pino.Logger): void {
  setTimeout(() => {
    log.warn({ event: 'process.ended_late' }, 'Not everything could be closed in time');
    process.exit(process.exitCode ?? 0);
  }, shutdownMs).unref();
}

/** `writable`: reading is not enough. */
export async function waitForPostgres(
  config: ConfigValues,
  say: (message: string) => void,
  { timeoutMs = config.waitForServicesMs, writable = true } = {},
): Promise<void> {
  const { host } = new URL(config.databaseUrl);
  const look = async () => {
    const client = new Client({ connectionString: config.databaseUrl, connectionTimeoutMillis: 5_000 });
    // If the connection is lost while idle, the next query must fail and not the process.
    client.on('error', () => undefined);
    try {
      await client.connect().catch(refusePostgres);
      await requireMigrated(client);
      const found = await client.query<{ read_only: boolean }>(
        `SELECT current_setting('transaction_read_only') = 'on' AS read_only`,
      );
      if (writable && found.rows[0]?.read_only) throw new Error('the database is read-only');
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  await waitFor(`Postgres at ${host}`, look, { timeoutMs, say });
}

/** @throws Error at once for a Redis Cluster: no wait makes another server of it */
async function waitForRedis(config: ConfigValues, say: (message: string) => void): Promise<void> {
  const { host } = new URL(config.redisUrl);
  const look = async () => {
    const info = await tryRedis(config.redisUrl, config.redisPrefix);
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
    if (policy !== 'noeviction') {
      say(`Redis has maxmemory-policy ${policy}: set it to noeviction, or jobs may be lost until the sweeper finds it`);
    }
  };
  const worth = (error: unknown) => !(error instanceof RedisClusterError);
  await waitFor(`Redis at ${host}`, look, { timeoutMs: config.waitForServicesMs, say, worth }).catch(
    (error: unknown) => {
      if (worth(error)) throw error;
      throw new Error(
        `Redis at ${host} is a Redis Cluster, which is not supported: give REDIS_URL a single server, ` +
          'or one address of a primary with replicas.',
      );
    },
  );
}
