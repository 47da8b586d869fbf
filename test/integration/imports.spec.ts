import { readFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { Client } from 'pg';
import { loadConfig } from '../../src/config/config';
import { ConfigModule } from '../../src/config/config.module';
import { Database } from '../../src/database/database';
import { ClientsModule } from '../../src/features/clients/clients.module';
import { ClientsService } from '../../src/features/clients/clients.service';
import { ImportsModule } from '../../src/features/clients/imports.module';
import { ImportsService } from '../../src/features/clients/imports.service';
import type { Viewer } from '../../src/domain/permissions';
import { LoggingModule } from '../../src/logging/logging.module';
import { PLAN_QUEUE } from '../../src/queue/queues';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { createTestRedis } from '../support/redis';

jest.setTimeout(60_000);

@Module({})
class TestApp {}

const redis = createTestRedis();
let testDatabase: TestDatabase;
let app: INestApplicationContext;
let database: Database;
let imports: ImportsService;
let clients: ClientsService;

function startApp(env: Record<string, string> = {}): Promise<INestApplicationContext> {
  const config = loadConfig({
    DATABASE_URL: testDatabase.url,
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix,
    LOG_LEVEL: 'silent',
    TAKEOVER_MS: '1000',
    HEARTBEAT_MS: '100',
    ...env,
  });
  const modules = [ConfigModule.with(config), LoggingModule, ClientsModule, ImportsModule];
  return NestFactory.createApplicationContext(
    { module: TestApp, imports: modules },
    { logger: false, abortOnError: false },
  );
}

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  app = await startApp();
  database = app.get(Database);
  imports = app.get(ImportsService);
  clients = app.get(ClientsService);
});

afterAll(async () => {
  await app.close();
  await redis.drop();
  await testDatabase.drop();
});

afterEach(() => expectExactTotals());

async function expectExactTotals(): Promise<void> {
  const counted = `(SELECT owner_id, count(*) AS clients FROM clients GROUP BY 1 UNION ALL SELECT 0, count(DISTINCT lower(email)) FROM clients)`;
  expect(
    await database.rows(`SELECT owner_id, clients FROM client_totals WHERE clients <> 0 EXCEPT ${counted}`),
  ).toEqual([]);
  expect(await database.rows(`${counted} EXCEPT SELECT owner_id, clients FROM client_totals`)).toEqual([]);
}

async function newOwner(role: Viewer['role'] = 'user'): Promise<Viewer> {
  const row = await database.first<{ id: number }>(
    `INSERT INTO users (email, role) VALUES (gen_random_uuid() || '@example.com', $1) RETURNING id`,
    [role],
  );
  return { userId: row?.id ?? 0, role };
}

async function importFile(
  viewer: Viewer,
  file: string | Buffer,
  options: { fileName?: string; dryRun?: boolean } = {},
) {
  const { importId } = await imports.begin(viewer, options, Readable.from([Buffer.from(file)]));
  return imports.get(viewer, importId);
}

const listOf = async (viewer: Viewer) =>
  (await clients.list(viewer, { limit: 200, sort: 'id' })).items.map((c) => [c.email, c.fullName, c.comment]);

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const piece of pieces) all += piece;
  return all;
}

const HEAD = 'email,full_name,comment\n';
const manyLines = (n: number) =>
  HEAD + Array.from({ length: n }, (_, i) => `client${i}@example.com,Client ${i},\n`).join('');

/** A worker died with this import's job: it is staged, and nothing has been applied. */
async function stageOnly(viewer: Viewer, rows: number): Promise<number> {
  const { importId } = await imports.begin(viewer, {}, Readable.from([Buffer.from(manyLines(rows))]));
  return importId;
}

describe('importing clients', () => {
  const windows1251 = Buffer.from(
    [...'email;full_name;comment\r\na@b.ru;']
      .map((c) => c.charCodeAt(0))
      .concat(
        [0xc0, 0xed, 0xed, 0xe0],
        [...';\r\n'].map((c) => c.charCodeAt(0)),
      ),
  );
  const russian = 'email;full_name;comment\r\na@b.ru;Анна;\r\n';
  it.each([
    ['UTF-8', Buffer.from(russian), 'utf-8', ';'],
    ['UTF-8 with BOM', Buffer.from(`\ufeff${russian}`), 'utf-8', ';'],
    ['UTF-16', Buffer.from(`\ufeff${russian.replaceAll(';', '\t')}`, 'utf16le'), 'utf-16le', '\t'],
    ['Windows-1251', windows1251, 'windows-1251', ';'],
    ['commas', Buffer.from(russian.replaceAll(';', ',')), 'utf-8', ','],
  ])('takes %s', async (_, file, encoding, delimiter) => {
    const owner = await newOwner();
    const done = await importFile(owner, file, { fileName: 'clients.csv' });
    expect(done).toMatchObject({
      status: 'done',
      encoding,
      delimiter,
      rows: 1,
      added: 1,
      updated: 0,
      rejected: 0,
      errors: [],
    });
    expect(done).toMatchObject({ fileName: 'clients.csv', ownerId: owner.userId, reason: null });
    expect(await listOf(owner)).toEqual([['a@b.ru', 'Анна', '']]);
  });

  it('takes the demo: a thousand clients, and a second time updates them all', async () => {
    const owner = await newOwner();
    const demo = readFileSync('demo/clients.csv');
    expect(await importFile(owner, demo)).toMatchObject({
      status: 'done',
      rows: 1000,
      added: 1000,
      updated: 0,
      rejected: 0,
    });
    expect(await importFile(owner, demo)).toMatchObject({
      status: 'done',
      rows: 1000,
      added: 0,
      updated: 1000,
      rejected: 0,
    });
  });

  it('rejects bad lines only, and tells line and field', async () => {
    const owner = await newOwner();
    const file = `${HEAD}a@b.ru,Anna,\nno address,Bob,\n"c@d.ru,"Carl,\ne@f.ru,,\n\nA@B.ru,Anna again,\nd@e.ru,"Dora","one\ntwo"\nx,\n`;
    const done = await importFile(owner, file);
    expect(done).toMatchObject({ status: 'done', rows: 7, added: 2, updated: 0, rejected: 5 });
    expect(done.errors.map((e) => [e.line, e.field])).toEqual([
      [3, 'email'],
      [4, 'line'],
      [5, 'fullName'],
      [7, 'email'],
      [10, 'email'],
      [10, 'fullName'],
    ]);
    expect(done.errors[3]?.message).toBe('repeats the address of line 2');
    expect(await listOf(owner)).toEqual([
      ['a@b.ru', 'Anna', ''],
      ['d@e.ru', 'Dora', 'one\ntwo'],
    ]);
    const csv = await text(await imports.errorsCsv(owner, done.id));
    expect(csv.split('\r\n').slice(0, 2)).toEqual(['\uFEFFline,field,message', `3,email,${done.errors[0]?.message}`]);
    expect(csv.trimEnd().split('\r\n')).toHaveLength(7);
  });

  it('shows the first hundred errors and gives all as CSV', async () => {
    const owner = await newOwner();
    const done = await importFile(owner, HEAD + 'nobody,Bob,\n'.repeat(6_000));
    expect(done).toMatchObject({ rows: 6_000, rejected: 6_000 });
    expect(done.errors.map((e) => e.line)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
    expect((await text(await imports.errorsCsv(owner, done.id))).trimEnd().split('\r\n')).toHaveLength(6_001);
  });

  it.each([
    ['a wrong header', 'name,comment\nAnna,\n', 'email, full_name'],
    ['no header', 'anna@example.com,Anna\n', 'email, full_name'],
    ['no rows', HEAD, 'no clients'],
    ['nothing', '', 'empty'],
    ['a workbook', 'PK\u0003\u0004…', 'Excel'],
  ])('fails a file with %s and says why', async (_, file, reason) => {
    const owner = await newOwner();
    expect(await importFile(owner, file)).toMatchObject({
      status: 'failed',
      added: 0,
      reason: expect.stringContaining(reason) as string,
    });
    expect(await listOf(owner)).toEqual([]);
  });

  it('updates known clients, and leaves their comments alone if the file has none', async () => {
    const owner = await newOwner();
    const other = await newOwner();
    await importFile(other, `${HEAD}a@b.ru,Foreign,mine\n`);
    await importFile(owner, `${HEAD}a@b.ru,Anna,old\nc@d.ru,Carl,old\n`);
    const again = await importFile(owner, 'full name;e-mail;phone\nAnna B.;A@B.RU;1\nDora;d@e.ru;2\n');
    expect(again).toMatchObject({ status: 'done', added: 1, updated: 1, ignoredColumns: ['phone'] });
    await importFile(owner, `${HEAD}c@d.ru,Carl,\n`);
    expect(await listOf(owner)).toEqual([
      ['a@b.ru', 'Anna B.', 'old'],
      ['c@d.ru', 'Carl', ''],
      ['d@e.ru', 'Dora', ''],
    ]);
    expect(await listOf(other)).toEqual([['a@b.ru', 'Foreign', 'mine']]);
  });

  it('changes nothing in a dry run, but counts', async () => {
    const owner = await newOwner();
    await importFile(owner, `${HEAD}a@b.ru,Anna,\n`);
    const dry = await importFile(owner, `${HEAD}A@b.ru,Changed,\nc@d.ru,Carl,\nbad,,\n`, { dryRun: true });
    expect(dry).toMatchObject({ status: 'done', dryRun: true, rows: 3, added: 1, updated: 1, rejected: 1 });
    expect(await listOf(owner)).toEqual([['a@b.ru', 'Anna', '']]);
  });

  it('is seen by its owner and by managers only', async () => {
    const owner = await newOwner();
    const { id } = await importFile(owner, `${HEAD}a@b.ru,Anna,\n`);
    const stranger = await newOwner();
    await expect(imports.get(stranger, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(imports.errorsCsv(stranger, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await imports.list(stranger, { limit: 10 })).items).toEqual([]);
    expect((await imports.list(owner, { limit: 10 })).items.map((i) => i.id)).toEqual([id]);
    expect(await imports.get(await newOwner('manager'), id)).toMatchObject({ id });
  });

  it('tells started mailings to all about the new clients', async () => {
    const owner = await newOwner();
    await importFile(owner, `${HEAD}a@b.ru,Anna,\n`);
    const message = await database.first<{ id: number }>(
      `INSERT INTO messages (owner_id, subject, body) VALUES ($1, 'Hi', '<p>Hi</p>') RETURNING id`,
      [owner.userId],
    );
    await database.affected(
      `INSERT INTO mailings (owner_id, message_id, audience, status, start_at, period, time_zone)
       VALUES ($1, $2, 'all', 'started', now(), 'daily', 'UTC')`,
      [owner.userId, message?.id],
    );
    await importFile(owner, `${HEAD}a@b.ru,Anna,\nz@b.ru,Zoe,\nc@d.ru,Carl,\n`);
    const least = await database.first(
      `SELECT m.joined_from = (SELECT min(id) FROM clients c WHERE c.owner_id = $1 AND email IN ('z@b.ru', 'c@d.ru')) AS is_least FROM mailings m WHERE owner_id = $1`,
      [owner.userId],
    );
    expect(least).toEqual({ isLeast: true });
    expect((await listOf(owner)).map(([email]) => email)).toEqual(['a@b.ru', 'z@b.ru', 'c@d.ru']);
  });

  it('takes back an export unchanged', async () => {
    const owner = await newOwner();
    await importFile(owner, `${HEAD}+a@b.ru,"=HYPERLINK(""x"")","-1\n2"\nc@d.ru,"Carl, Jr.",'tis\n`);
    const before = await listOf(owner);
    const csv = await text(clients.exportCsv(owner));
    expect(csv).toBe(
      `\ufeffemail,full_name,comment\r\n'+a@b.ru,"'=HYPERLINK(""x"")","'-1\n2"\r\nc@d.ru,"Carl, Jr.",'tis\r\n`,
    );
    expect(await importFile(owner, csv)).toMatchObject({ added: 0, updated: 2, rejected: 0 });
    expect(await listOf(owner)).toEqual(before);
    expect(await text(clients.exportCsv(owner, { search: 'carl' }))).not.toContain('a@b.ru');
    expect(await text(clients.exportCsv(await newOwner()))).toBe('\ufeffemail,full_name,comment\r\n');
  });
});

describe('an import that is interrupted', () => {
  it('is enqueued once, and applied in slices to the end', async () => {
    const owner = await newOwner();
    const importId = await stageOnly(owner, 45_000);
    await imports.runPending();
    const queue = app.get<Queue>(getQueueToken(PLAN_QUEUE));
    const jobs = (await queue.getWaiting()).map((job) => job.data as { importId: number });
    expect(jobs.filter((job) => job.importId === importId)).toEqual([{ importId }]);
    await queue.obliterate({ force: true });
    expect(await imports.resume(importId, 0)).toBe(false);
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'running', added: 20_000, appliedLine: 20_001 });
    const seen: number[] = [];
    await Promise.all([imports.resume(importId, undefined, (p) => seen.push(p.added)), imports.resume(importId)]);
    expect(await imports.get(owner, importId)).toMatchObject({
      status: 'done',
      rows: 45_000,
      added: 45_000,
      updated: 0,
    });
    expect(await imports.resume(importId)).toBe(true);
    expect(await database.rows('SELECT FROM import_rows WHERE import_id = $1', [importId])).toEqual([]);
    expect(seen.every((n) => [40_000, 45_000].includes(n))).toBe(true);
  });

  it('goes on behind the last chunk when its process died within the next', async () => {
    const owner = await newOwner();
    await importFile(owner, `${HEAD}client30000@example.com,Known,\n`);
    const importId = await stageOnly(owner, 45_000);
    const holder = new Client({ connectionString: testDatabase.url });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query(`SELECT FROM clients WHERE owner_id = $1 FOR UPDATE`, [owner.userId]);
      const dying = imports.resume(importId).catch((error: Error) => error);
      await terminateWaiting();
      expect(await dying).toBeInstanceOf(Error);
      await holder.query('ROLLBACK');
    } finally {
      await holder.end();
    }
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'running', added: 20_000, updated: 0 });
    const successor = await startApp();
    try {
      expect(await successor.get(ImportsService).resume(importId)).toBe(true);
    } finally {
      await successor.close();
    }
    expect(await imports.get(owner, importId)).toMatchObject({
      status: 'done',
      added: 44_999,
      updated: 1,
      rejected: 0,
    });
  });

  it('is failed by the sweeper if its upload died, but not while it is alive', async () => {
    const owner = await newOwner();
    const upload = new PassThrough();
    const frozen = await startApp({ HEARTBEAT_MS: '3600000' });
    const beginning = frozen.get(ImportsService).begin(owner, {}, upload);
    upload.write(manyLines(30_000));
    const importId = await received(owner, 1);
    await imports.runPending();
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'running' });
    await database.affected(`UPDATE imports SET alive_at = created_at - interval '1 hour' WHERE id = $1`, [importId]);
    await imports.runPending();
    const failed = await imports.get(owner, importId);
    expect(failed).toMatchObject({ status: 'failed', reason: expect.stringContaining('upload it again') as string });
    expect(await database.rows('SELECT FROM import_rows WHERE import_id = $1', [importId])).toEqual([]);
    upload.end('late@example.com,Late,\n');
    expect(await beginning).toEqual({ importId });
    await frozen.close();
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'failed', reason: failed.reason });
    expect(await listOf(owner)).toEqual([]);
  });

  it('is failed if the sender leaves', async () => {
    const owner = await newOwner();
    const upload = new PassThrough();
    const beginning = imports.begin(owner, {}, upload);
    upload.write(manyLines(10));
    upload.destroy(new Error('aborted'));
    const { importId } = await beginning;
    expect(await imports.get(owner, importId)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('ended before') as string,
    });
    expect(await listOf(owner)).toEqual([]);
  });

  it('is failed if the file is too large', async () => {
    const owner = await newOwner();
    const small = await startApp({ IMPORT_MAX_BYTES: '1000' });
    try {
      const { importId } = await small
        .get(ImportsService)
        .begin(owner, {}, Readable.from([Buffer.from(manyLines(100))]));
      expect(await imports.get(owner, importId)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('1000 bytes') as string,
      });
    } finally {
      await small.close();
    }
  });
});

it('client_totals stay exact, whatever statement changes clients', async () => {
  const [a, b] = [await newOwner(), await newOwner()];
  const statements = [
    `INSERT INTO clients (owner_id, email, full_name) SELECT o, 'T' || i || '@x.ru', 'n' FROM unnest($1::bigint[]) o, generate_series(1, 9) i`,
    `UPDATE clients SET email = upper(email) WHERE owner_id = ANY($1)`,
    `UPDATE clients SET email = 'new' || email WHERE owner_id = ($1::bigint[])[1] AND lower(email) < 't5'`,
    `UPDATE clients SET email = 't6@y.ru' WHERE owner_id = ANY($1) AND lower(email) = 't6@x.ru'`,
    `DELETE FROM clients WHERE owner_id = ($1::bigint[])[2] AND lower(email) < 't7'`,
    `DELETE FROM clients WHERE owner_id = ANY($1)`,
  ];
  for (const sql of statements) {
    expect(await database.affected(sql, [[a.userId, b.userId]])).toBeGreaterThan(0);
    await expectExactTotals();
  }
});

/** Ends the session that waits for another one's lock, as the death of its process would. */
async function terminateWaiting(): Promise<void> {
  for (;;) {
    const ended = await database.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (ended.length > 0) return;
    await sleep(10);
  }
}

/** The owner's import, as soon as so many of its rows are in the database. */
async function received(owner: Viewer, rows: number): Promise<number> {
  for (;;) {
    const [own] = (await imports.list(owner, { limit: 1 })).items;
    if (own && own.rows >= rows) return own.id;
    await sleep(10);
  }
}
