import { join } from 'node:path';
import { runner } from 'node-pg-migrate';

/** The folder of the SQL migrations, beside `src` in a checkout and beside `dist` in the image. */
export const migrationsDir = join(__dirname, '..', '..', 'migrations');

/**
 * Brings the schema up to date. Concurrent callers wait for each other.
 * @returns the names of the migrations that were applied, in order
 */
export async function runMigrations(databaseUrl: string, log: (message: string) => void = () => {}): Promise<string[]> {
  return migrate(databaseUrl, 'up', Infinity, log);
}

/** Takes the last `count` migrations back. */
export async function revertMigrations(databaseUrl: string, count: number): Promise<string[]> {
  return migrate(databaseUrl, 'down', count, () => {});
}

async function migrate(databaseUrl: string, direction: 'up' | 'down', count: number, log: (message: string) => void) {
  const done = await runner({
    databaseUrl,
    dir: migrationsDir,
    direction,
    count,
    migrationsTable: 'migrations',
    advisoryLockMode: 'wait',
    singleTransaction: true,
    logger: { debug: log, info: log, warn: log, error: log },
  });
  return done.map((m) => m.name);
}
