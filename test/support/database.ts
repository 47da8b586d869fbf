import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrationsDir, runMigrations } from '../../src/database/migrate';

export interface TestDatabase {
  url: string;
  name: string;
  /** Fails if somebody still holds a connection: a test file that leaks one is a broken test. */
  drop(): Promise<void>;
}

/** Any number, as long as all test processes use the same. */
const templateLock = 7_201_512;

/**
 * A migrated, empty database of its own on the server of DATABASE_URL, cloned from a template that is built once for
 * each state of the migrations, whichever process comes first. With a `locale` (an ICU one, such as `tr-TR`) it is
 * migrated by itself.
 */
export async function createTestDatabase(locale?: string): Promise<TestDatabase> {
  const name = `gonets_test_${process.pid}_${randomBytes(5).toString('hex')}`;
  if (locale) {
    await onServer((server) => createIcuDatabase(server, name, locale));
    await runMigrations(databaseUrl(name));
    return { name, url: databaseUrl(name), drop: () => dropTestDatabase(name) };
  }
  await onServer(async (server) => {
    await server.query('SELECT pg_advisory_lock($1)', [templateLock]);
    const template = await provideTemplate(server);
    await server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  return { name, url: databaseUrl(name), drop: () => dropTestDatabase(name) };
}

async function createIcuDatabase(server: Client, name: string, locale: string): Promise<void> {
  await server.query(
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE '${locale}' LOCALE 'C'`,
  );
}

/** Migrated under another name first, so that a template which has its name is complete. */
async function provideTemplate(server: Client): Promise<string> {
  const template = `gonets_template_${migrationsHash()}`;
  const { rowCount } = await server.query('SELECT FROM pg_database WHERE datname = $1', [template]);
  if (rowCount) return template;
  const part = `${template}_part`;
  await server.query(`DROP DATABASE IF EXISTS ${part} WITH (FORCE)`);
  await server.query(`CREATE DATABASE ${part}`);
  await runMigrations(databaseUrl(part));
  await server.query(`ALTER DATABASE ${part} RENAME TO ${template}`);
  return template;
}

async function dropTestDatabase(name: string): Promise<void> {
  await onServer(async (server) => {
    try {
      // The server itself waits some seconds for sessions that are just ending.
      await server.query(`DROP DATABASE IF EXISTS ${name}`);
    } catch (error) {
      const { rows } = await server.query<{ application_name: string; query: string }>(
        'SELECT application_name, query FROM pg_stat_activity WHERE datname = $1',
        [name],
      );
      await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      const holders = rows.map((row) => `${row.application_name || 'unnamed'}: ${row.query}`).join('; ');
      throw new Error(`Connections to the test database were left open (${holders}).`, { cause: error });
    }
  });
}

function migrationsHash(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(migrationsDir).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(migrationsDir, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}

async function onServer(work: (server: Client) => Promise<void>): Promise<void> {
  const server = new Client({ connectionString: databaseUrl() });
  await server.connect();
  try {
    await work(server);
  } finally {
    await server.end();
  }
}

/** DATABASE_URL, with another database's name if one is given. */
function databaseUrl(name?: string): string {
  const given = process.env.DATABASE_URL;
  if (!given) throw new Error('DATABASE_URL is not set: run the tests by npm test, which starts what they need.');
  if (!name) return given;
  const url = new URL(given);
  url.pathname = `/${name}`;
  return url.href;
}
