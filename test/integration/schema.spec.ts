import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { migrationsDir, revertMigrations, runMigrations } from '../../src/database/migrate';
import {
  attemptStatuses,
  audiences,
  deliveryStatuses,
  mailingStatuses,
  runReasons,
  runStatuses,
  runTriggers,
  unknownPolicies,
} from '../../src/domain/states';
import { PERIODS } from '../../src/domain/recurrence';
import { ApiToken } from '../../src/features/users/api-token.entity';
import { Attempt } from '../../src/features/deliveries/attempt.entity';
import { Client as ClientEntity } from '../../src/features/clients/client.entity';
import { Delivery } from '../../src/features/deliveries/delivery.entity';
import { Import } from '../../src/features/clients/import.entity';
import { Mailing } from '../../src/features/mailings/mailing.entity';
import { Message } from '../../src/features/messages/message.entity';
import { Run } from '../../src/features/runs/run.entity';
import { User } from '../../src/features/users/user.entity';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { recount } from '../support/invariants';
import { readdirSync } from 'node:fs';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

async function tables(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'migrations' ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

it('takes all migrations back, leaving nothing, and applies them again', async () => {
  const before = await tables();
  const files = readdirSync(migrationsDir).filter((file) => file.endsWith('.sql'));
  await revertMigrations(database.url, files.length);
  const { rows } = await client.query(
    `SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'`,
  );
  expect(await tables()).toEqual([]);
  expect(rows).toEqual([]);
  expect(await runMigrations(database.url)).toHaveLength(files.length);
  expect(await tables()).toEqual(before);
  expect(await runMigrations(database.url)).toEqual([]);
});

it('finds what was open before deliveries lost their index by status, also what a closed run still claims', async () => {
  const own = await createTestDatabase();
  const sql = new Client({ connectionString: own.url });
  await sql.connect();
  try {
    const later = readdirSync(migrationsDir).filter((file) => file.endsWith('.sql') && file >= '0050');
    await revertMigrations(own.url, later.length);
    await sql.query(`INSERT INTO users (email) VALUES ('owner@example.org')`);
    await sql.query(
      `WITH m AS (INSERT INTO messages (owner_id, subject, body) VALUES (1, 's', 'b') RETURNING id),
       g AS (INSERT INTO mailings (owner_id, message_id, audience, start_at, period, time_zone, status, on_unknown)
             SELECT 1, id, 'all', now(), 'once', 'UTC', 'started', 'resend' FROM m RETURNING id)
       INSERT INTO runs (mailing_id, owner_id, trigger, status, on_unknown)
       SELECT id, 1, 'demand', s, 'resend' FROM g, unnest(ARRAY['sending', 'cancelled']) s`,
    );
    await sql.query(
      `INSERT INTO deliveries (run_id, client_id, email) SELECT id, n, n || '@example.org' FROM runs, generate_series(1, 16) n`,
    );
    await sql.query(
      `UPDATE deliveries d SET status = s, attempts = (client_id / 8) % 2, claimed_by = CASE WHEN s = 'sending' THEN 5 END,
              next_attempt_at = CASE WHEN s = 'deferred' THEN now() END
         FROM (SELECT d.id, CASE WHEN r.status = 'cancelled' AND s IN ('pending', 'deferred') THEN 'sending' ELSE s END AS s
                 FROM deliveries d JOIN runs r ON r.id = d.run_id, LATERAL (SELECT ($1::text[])[1 + client_id % 8] AS s) x) x
        WHERE x.id = d.id`,
      [[...deliveryStatuses]],
    );
    await runMigrations(own.url);
    const query = async <T>(text: string) => (await sql.query(text)).rows as T[];
    expect(await recount({ query })).toEqual([]);
  } finally {
    await sql.end();
    await own.drop();
  }
});

it('has the columns, types and defaults that the entities say', async () => {
  const source = new DataSource({
    type: 'postgres',
    url: database.url,
    installExtensions: false,
    entities: [ApiToken, Attempt, ClientEntity, Delivery, Import, Mailing, Message, Run, User],
  });
  await source.initialize();
  try {
    for (const { tableName, columns } of source.entityMetadatas) {
      const { rows } = await client.query<{ name: string; type: string; nullable: boolean }>(
        `SELECT column_name AS name, is_nullable = 'YES' AS nullable,
                CASE data_type WHEN 'timestamp with time zone' THEN 'timestamptz' WHEN 'ARRAY' THEN 'text[]' ELSE data_type END AS type
           FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 ORDER BY 1`,
        [tableName],
      );
      const said = columns
        .map((c) => ({
          name: c.databaseName,
          nullable: c.isNullable,
          type: `${String(c.type)}${c.isArray ? '[]' : ''}`,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      expect({ tableName, columns: said }).toEqual({
        tableName,
        columns: rows.sort((a, b) => (a.name < b.name ? -1 : 1)),
      });
    }
  } finally {
    await source.destroy();
  }
});

it.each([
  ['mailings_status_check', mailingStatuses],
  ['mailings_audience_check', audiences],
  ['mailings_period_check', PERIODS],
  ['mailings_on_unknown_check', unknownPolicies],
  ['runs_status_check', runStatuses],
  ['runs_trigger_check', runTriggers],
  ['runs_reason_check', runReasons],
  ['runs_on_unknown_check', unknownPolicies],
  ['deliveries_status_check', deliveryStatuses],
  ['attempts_status_check', attemptStatuses],
])('%s allows what the domain knows, and nothing else', async (constraint, known) => {
  const { rows } = await client.query<{ definition: string }>(
    'SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conname = $1',
    [constraint],
  );
  const allowed = [...(rows[0]?.definition.matchAll(/'([a-z]+)'::text/g) ?? [])].map((match) => match[1]);
  expect(allowed.sort()).toEqual([...known].sort());
});
