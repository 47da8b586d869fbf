import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { migrationsDir, requireMigrated, revertMigrations, runMigrations } from '../../src/database/migrate';
import {
  attemptStatuses,
  deliveryStatuses,
  mailingStatuses,
  runReasons,
  runStatuses,
  runTriggers,
  unknownPolicies,
} from '../../src/domain/states';
import { deliveryEvents, suppressionReasons, suppressionSources } from '../../src/domain/suppression';
import { inboundKinds, matchWays } from '../../src/domain/inbound-decision';
import { providerNames } from '../../src/domain/providers/provider';
import { inboundSources } from '../../src/features/inbound/inbound-letters.service';
import { bulkActions, bulkStatuses } from '../../src/domain/bulk';
import { fieldTypes } from '../../src/domain/client-fields';
import { audiences } from '../../src/features/audiences/audiences';
import { PERIODS } from '../../src/domain/recurrence';
import { ApiToken } from '../../src/features/users/api-token.entity';
import { Attempt } from '../../src/features/ledger/attempt.entity';
import { BulkJob } from '../../src/features/clients/bulk-job.entity';
import { Client as ClientEntity } from '../../src/features/clients/client.entity';
import { ClientField } from '../../src/features/clients/client-field.entity';
import { Tag } from '../../src/features/clients/tag.entity';
import { Delivery } from '../../src/features/ledger/delivery.entity';
import { Import } from '../../src/features/clients/import.entity';
import { Mailing } from '../../src/features/mailings/mailing.entity';
import { Message } from '../../src/features/messages/message.entity';
import { Run } from '../../src/features/runs/run.entity';
import { User } from '../../src/features/users/user.entity';
import { createTestDatabase, type TestDatabase } from '../support/database';
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

it('tells a database of the old numbering, and leaves it as it is', async () => {
  const old = await createTestDatabase();
  const sql = new Client({ connectionString: old.url });
  await sql.connect();
  try {
    await requireMigrated(sql);
    await sql.query(`UPDATE migrations SET name = '0001_clock' WHERE name = '0001_database'`);
    await expect(requireMigrated(sql)).rejects.toThrow(/before the first release/);
    await expect(runMigrations(old.url)).rejects.toThrow(/before the first release/);
    await sql.query('DELETE FROM migrations');
    await expect(requireMigrated(sql)).rejects.toThrow(/not migrated/);
  } finally {
    await sql.end();
    await old.drop();
  }
});

it('waits for the migrations of its own version, and bears with later ones', async () => {
  const own = await createTestDatabase();
  const sql = new Client({ connectionString: own.url });
  await sql.connect();
  try {
    await sql.query(`INSERT INTO migrations (name, run_on) VALUES ('9999_of_a_later_version', now())`);
    await requireMigrated(sql);
    const last = readdirSync(migrationsDir).sort().at(-1)?.replace('.sql', '');
    expect((await sql.query('DELETE FROM migrations WHERE name = $1', [last])).rowCount).toBe(1);
    await expect(requireMigrated(sql)).rejects.toThrow(/not migrated/);
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
    entities: [
      ApiToken,
      Attempt,
      BulkJob,
      ClientEntity,
      ClientField,
      Delivery,
      Import,
      Mailing,
      Message,
      Run,
      Tag,
      User,
    ],
  });
  await source.initialize();
  try {
    for (const { tableName, columns } of source.entityMetadatas) {
      const { rows } = await client.query<{ name: string; type: string; nullable: boolean }>(
        `SELECT column_name AS name, is_nullable = 'YES' AS nullable,
                CASE data_type WHEN 'timestamp with time zone' THEN 'timestamptz' WHEN 'ARRAY' THEN CASE udt_name WHEN '_int8' THEN 'bigint[]' ELSE 'text[]' END
                               ELSE data_type END AS type
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
  ['delivery_events_kind_check', deliveryEvents],
  ['suppressions_reason_check', suppressionReasons],
  ['client_fields_type_check', fieldTypes],
  ['bulk_jobs_action_check', bulkActions],
  ['bulk_jobs_status_check', bulkStatuses],
  ['suppressions_source_check', suppressionSources],
  ['inbound_letters_kind_check', inboundKinds],
  ['inbound_letters_match_by_check', matchWays],
  ['inbound_letters_source_check', inboundSources],
  ['webhook_secrets_provider_check', providerNames],
])('%s allows what the domain knows, and nothing else', async (constraint, known) => {
  const { rows } = await client.query<{ definition: string }>(
    'SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conname = $1',
    [constraint],
  );
  const allowed = [...(rows[0]?.definition.matchAll(/'([a-z_-]+)'::text/g) ?? [])].map((match) => match[1]);
  expect(allowed.sort()).toEqual([...known].sort());
});
