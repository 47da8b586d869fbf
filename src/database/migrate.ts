import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import { Client } from 'pg';

/** The folder of the SQL migrations, beside `src` in a checkout and beside `dist` in the image. */
export const migrationsDir = join(__dirname, '..', '..', 'migrations');

/** The last migration of this version. A database may have later ones, of a newer version: they do no harm. */
const LAST = readdirSync(migrationsDir)
  .filter((file) => file.endsWith('.sql'))
  .sort()
  .at(-1)
  ?.replace(/\.sql$/, '');

/** The first of the 27 migrations that there were before the first release. */
const BEFORE_THE_FIRST_RELEASE = '0001_clock';

/** @throws Error if the database lacks a migration of this version; says what to do */
export async function requireMigrated(client: Client): Promise<void> {
  const names = await appliedMigrations(client);
  requireThisNumbering(names);
  if (!names.some((name) => name === LAST)) throw new Error('the database is not migrated; run `npm run migrate`');
}

async function appliedMigrations(client: Client): Promise<string[]> {
  const there = await client.query(`SELECT FROM pg_class WHERE oid = to_regclass('migrations')`);
  if (there.rowCount === 0) return [];
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations');
  return rows.map(({ name }) => name);
}

function requireThisNumbering(names: string[]): void {
  if (names.includes(BEFORE_THE_FIRST_RELEASE))
    throw new Error(
      'this database was made before the first release, by migrations that no longer exist: export its clients ' +
        'with the version that made it, make an empty database, and import them there',
    );
}

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
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    // A lock of the transaction, not of the session: behind a pooler the session may change. The migration runner's own
    // BEGIN joins this transaction; its COMMIT or ROLLBACK ends the transaction and thereby the lock.
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [PG_MIGRATE_LOCK_ID]);
    requireThisNumbering(await appliedMigrations(client));
    const done = await runner({
      dbClient: client,
      dir: migrationsDir,
      direction,
      count,
      migrationsTable: 'migrations',
      noLock: true,
      singleTransaction: true,
      logger: { debug: log, info: log, warn: log, error: log },
    });
    await client.query('COMMIT');
    return done.map((m) => m.name);
  } finally {
    await client.end().catch(() => undefined);
  }
}
