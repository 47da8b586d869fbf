import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { english } from '../../src/domain/problem-texts';
import { problem } from '../../src/domain/problems';
import { MailingsModule } from '../../src/features/mailings/mailings.module';
import { LoggingModule } from '../../src/logging/logging.module';
import { PLAN_QUEUE } from '../../src/queue/queues';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { Factories } from '../support/factories';
import { Program } from '../support/program';
import { createTestRedis } from '../support/redis';
import { eventually } from '../support/service';

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
    // Two lanes for an import.
    DATABASE_CONNECTIONS: '4',
    ...env,
  });
  // Mailings are told of new clients.
  const modules = [ConfigModule.with(config), LoggingModule, ClientsModule, ImportsModule, MailingsModule];
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

const make = new Factories((sql, params) => database.rows(sql, params));

async function newOwner(role: Viewer['role'] = 'user'): Promise<Viewer> {
  return { userId: await make.user({ role }), role };
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

async function stageAndResume(viewer: Viewer, file: string, dryRun = false) {
  const { importId } = await imports.begin(viewer, { dryRun }, Readable.from([Buffer.from(file)]));
  expect(await imports.resume(importId)).toBe(true);
  return imports.get(viewer, importId);
}

/** What of an import is not applied. */
const left = (importId: number) =>
  database.first(
    `SELECT (SELECT count(*) FROM import_rows WHERE import_id = $1) AS rows,
            (SELECT count(*) FROM import_chunks WHERE import_id = $1) AS chunks`,
    [importId],
  );

const clientsOf = async (owner: Viewer) =>
  (await database.first<{ n: number }>('SELECT count(*) AS n FROM clients WHERE owner_id = $1', [owner.userId]))?.n;

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

  it('keeps the first 10,000 errors, and counts all', async () => {
    const owner = await newOwner();
    const rejected = 'no address,N\n'.repeat(9_999);
    const file = `email,full_name\n${rejected}a@example.org,A\n${'a@example.org,A\n'.repeat(50)}b@example.org,B\n`;
    const { id } = await importFile(owner, Buffer.from(file));
    // A large one is left to a worker.
    await imports.resume(id);
    const done = await imports.get(owner, id);
    expect(done).toMatchObject({ status: 'done', rows: 10_051, added: 2, rejected: 10_049 });
    expect(await listOf(owner)).toHaveLength(2);
    const lines: string[] = [];
    for await (const piece of await imports.errorsCsv(owner, done.id, english))
      lines.push(...piece.trim().split('\r\n'));
    expect(lines).toHaveLength(1 + 10_000);
    expect(lines.at(-1)).toBe('10002,email,repeats the address of line 10001');
  });

  it('gives up a file that is none of clients before its end', async () => {
    const owner = await newOwner();
    const done = await importFile(owner, Buffer.from(`email,full_name\n${'a","\n'.repeat(100_000)}`));
    expect(done).toMatchObject({ status: 'failed', rejected: 0, errors: [] });
    expect(done.reason && english(done.reason)).toMatch(
      /^None of the first 1000 lines is a client: line 1001 has a quotation mark/,
    );
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
    expect(done).toMatchObject({ status: 'done', rows: 7, added: 3, updated: 0, rejected: 4 });
    expect(done.errors.map((e) => [e.line, e.field])).toEqual([
      [3, 'email'],
      [4, 'line'],
      [7, 'email'],
      [10, 'email'],
    ]);
    expect(done.errors[2]).toEqual({ line: 7, field: 'email', email: 'A@b.ru', ...problem('repeated', { line: 2 }) });
    expect(await listOf(owner)).toEqual([
      ['a@b.ru', 'Anna', ''],
      ['e@f.ru', '', ''],
      ['d@e.ru', 'Dora', 'one\ntwo'],
    ]);
    const csv = await text(await imports.errorsCsv(owner, done.id, english));
    expect(csv.split('\r\n').slice(0, 2)).toEqual(['\uFEFFline,field,message', '3,email,The e-mail address has no @.']);
    expect(csv.trimEnd().split('\r\n')).toHaveLength(5);
  });

  it('shows the sentences that were stored before there were codes', async () => {
    const owner = await newOwner();
    const { id } = await importFile(owner, '');
    await database.affected(`UPDATE imports SET reason = 'The file is empty.' WHERE id = $1`, [id]);
    await database.affected(
      `INSERT INTO import_errors (import_id, line, field, message) VALUES ($1, 2, 'line', '{"is": "no code"}'), ($1, 3, 'email', 'is bad')`,
      [id],
    );
    expect(await imports.get(owner, id)).toMatchObject({
      reason: problem('verbatim', { text: 'The file is empty.' }),
      errors: [
        { line: 2, field: 'line', ...problem('verbatim', { text: '{"is": "no code"}' }) },
        { line: 3, field: 'email', ...problem('verbatim', { text: 'is bad' }) },
      ],
    });
    expect(await text(await imports.errorsCsv(owner, id, english))).toContain('\r\n3,email,is bad\r\n');
  });

  it('shows the first hundred errors and gives all as CSV', async () => {
    const owner = await newOwner();
    const done = await importFile(owner, HEAD + 'nobody,Bob,\n'.repeat(6_000));
    expect(done).toMatchObject({ rows: 6_000, rejected: 6_000 });
    expect(done.errors.map((e) => e.line)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
    expect((await text(await imports.errorsCsv(owner, done.id, english))).trimEnd().split('\r\n')).toHaveLength(6_001);
  });

  it.each([
    ['a wrong header', 'name,comment\nAnna,\n', problem('file_header', { line: 1, found: 'name,comment' })],
    ['no header', 'anna@example.com,Anna\n', problem('file_header', { line: 1, found: 'anna@example.com,Anna' })],
    ['no rows', HEAD, problem('file_without_clients')],
    ['nothing', '', problem('file_empty')],
    ['a broken workbook', 'PK\u0003\u0004…', problem('workbook', { fault: 'broken' })],
  ])('fails a file with %s and says why', async (_, file, reason) => {
    const owner = await newOwner();
    expect(await importFile(owner, file)).toMatchObject({ status: 'failed', added: 0, reason });
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
    await expect(imports.errorsCsv(stranger, id, english)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await imports.list(stranger, { limit: 10 })).items).toEqual([]);
    expect((await imports.list(owner, { limit: 10 })).items.map((i) => i.id)).toEqual([id]);
    expect(await imports.get(await newOwner('manager'), id)).toMatchObject({ id });
  });

  it('tells started mailings to all about the new clients', async () => {
    const owner = await newOwner();
    await importFile(owner, `${HEAD}a@b.ru,Anna,\n`);
    await make.mailing({ ownerId: owner.userId, status: 'started', period: 'daily' });
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
      `\ufeffemail,full_name,comment,tags\r\n'+a@b.ru,"'=HYPERLINK(""x"")","'-1\n2",\r\nc@d.ru,"Carl, Jr.",'tis,\r\n`,
    );
    expect(await importFile(owner, csv)).toMatchObject({ added: 0, updated: 2, rejected: 0 });
    expect(await listOf(owner)).toEqual(before);
    expect(await text(clients.exportCsv(owner, { search: 'carl' }))).not.toContain('a@b.ru');
    expect(await text(clients.exportCsv(await newOwner()))).toBe('\ufeffemail,full_name,comment,tags\r\n');
  });
});

describe('an import that is interrupted', () => {
  it('is enqueued once, and applied in slices to the end, by two processes at once', async () => {
    const owner = await newOwner();
    const importId = await stageOnly(owner, 90_000);
    await imports.runPending();
    const queue = app.get<Queue>(getQueueToken(PLAN_QUEUE));
    const jobs = (await queue.getWaiting()).map((job) => job.data as { importId: number });
    expect(jobs.filter((job) => job.importId === importId)).toEqual([{ importId }]);
    await queue.obliterate({ force: true });
    expect(await imports.resume(importId, 0)).toBe(false);
    // A chunk for each lane, and the staged rows went with them.
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'running', added: 40_000 });
    expect(await left(importId)).toEqual({ rows: 50_000, chunks: 3 });
    const other = await startApp({ DATABASE_CONNECTIONS: '10' });
    const seen: number[] = [];
    try {
      const both = [
        imports.resume(importId, undefined, (p) => seen.push(p.added)),
        other.get(ImportsService).resume(importId),
      ];
      expect(await Promise.all(both)).toEqual([true, true]);
    } finally {
      await other.close();
    }
    expect(await imports.get(owner, importId)).toMatchObject({
      status: 'done',
      rows: 90_000,
      added: 90_000,
      updated: 0,
    });
    expect(await imports.resume(importId)).toBe(true);
    expect(await left(importId)).toEqual({ rows: 0, chunks: 0 });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual(seen.filter((n, i) => n > (seen[i - 1] ?? 40_000) && n <= 90_000));
  });

  it('goes on with the chunk whose session died, and with others meanwhile', async () => {
    const owner = await newOwner();
    await importFile(owner, `${HEAD}client30000@example.com,Known,\n`);
    const importId = await stageOnly(owner, 65_000);
    const holder = new Client({ connectionString: testDatabase.url });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query(`SELECT FROM clients WHERE owner_id = $1 FOR UPDATE`, [owner.userId]);
      const dying = imports.resume(importId).catch((error: Error) => error);
      // All chunks but the held one; then one lane waits for the holder, the other for the first one's chunk.
      while ((await imports.get(owner, importId)).added < 45_000) await sleep(10);
      for (let ended = 0; ended < 2;) ended += await terminateWaiting();
      expect(await dying).toBeInstanceOf(Error);
      await holder.query('ROLLBACK');
    } finally {
      await holder.end();
    }
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'running', added: 45_000, updated: 0 });
    expect(await left(importId)).toEqual({ rows: 20_000, chunks: 1 });
    const successor = await startApp();
    try {
      expect(await successor.get(ImportsService).resume(importId)).toBe(true);
    } finally {
      await successor.close();
    }
    expect(await imports.get(owner, importId)).toMatchObject({
      status: 'done',
      added: 64_999,
      updated: 1,
      rejected: 0,
    });
  });

  it('loses and doubles nothing, however often its sessions die', async () => {
    const owner = await newOwner();
    await importFile(owner, HEAD + 'client7@example.com,Old,\nclient70007@example.com,Client 70007,\n');
    const importId = await stageOnly(owner, 90_000);
    const other = await startApp({ DATABASE_CONNECTIONS: '10' });
    let over = false;
    const resume = async (service: ImportsService): Promise<void> => {
      // A pause, so that nothing else starves where every try fails at once.
      while (!over && !(await service.resume(importId).catch(() => sleep(10, false))));
    };
    const ended = Promise.all([resume(imports), resume(other.get(ImportsService))]).then(() => true);
    try {
      let deaths = 0;
      let progress = 0;
      while ((await Promise.race([ended, sleep(150)])) !== true) {
        // The session that dies may have gone on to this very question meanwhile.
        const now = await imports.get(owner, importId).catch(() => null);
        if (!now) continue;
        expect(now.added + now.updated).toBeGreaterThanOrEqual(progress);
        progress = now.added + now.updated;
        // Bounded, so that it ends on a slow machine, too.
        if (deaths >= 8) continue;
        deaths += await database
          .affected(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid() AND query LIKE '%import_rows%' LIMIT 1`,
          )
          .catch(() => 0);
      }
      expect(deaths).toBeGreaterThan(0);
    } finally {
      over = true;
      await ended;
      await other.close();
    }
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'done', added: 89_998, updated: 2 });
    expect(await left(importId)).toEqual({ rows: 0, chunks: 0 });
    const put = await database.first(
      `SELECT count(*) AS rows, count(*) FILTER (WHERE full_name = 'Client ' || substring(email FROM '[0-9]+')) AS right
         FROM clients WHERE owner_id = $1`,
      [owner.userId],
    );
    expect(put).toEqual({ rows: 90_000, right: 90_000 });
  });

  it('leaves half of the connections to others, also when two are to be applied at once', async () => {
    const ids = [await stageOnly(await newOwner(), 65_000), await stageOnly(await newOwner(), 65_000)];
    const told: number[][] = [[], []];
    const ended = Promise.all(
      ids.map((id, i) => imports.resume(id, Infinity, (p) => told[i]?.push(p.added + p.updated))),
    );
    let most = 0;
    while (!(await Promise.race([ended, sleep(5)]))) {
      const [row] = await database.rows<{ sessions: number }>(
        // Postgres itself may clean the table meanwhile.
        `SELECT count(DISTINCT pid) AS sessions FROM pg_locks JOIN pg_stat_activity a USING (pid)
          WHERE relation = 'import_chunks'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND pid <> pg_backend_pid() AND a.backend_type = 'client backend'`,
      );
      most = Math.max(most, row?.sessions ?? 0);
    }
    expect(await ended).toEqual([true, true]);
    expect(most).toBe(2);
    for (const counts of told) expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(told.map((counts) => counts.at(-1))).toEqual([65_000, 65_000]);
  });

  it('survives a kill of its process', async () => {
    const owner = await newOwner();
    const { email } = (await database.first<{ email: string }>('SELECT email FROM users WHERE id = $1', [
      owner.userId,
    ])) ?? { email: '' };
    const folder = mkdtempSync(join(tmpdir(), 'import-'));
    try {
      const file = join(folder, 'clients.csv');
      writeFileSync(file, manyLines(90_000));
      const env = { ...process.env, DATABASE_URL: testDatabase.url, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix };
      const command = Program.product('cli', { env }, ['import-clients', file, '--owner', email]);
      const importId = await received(owner, 1);
      while ((await imports.get(owner, importId)).added === 0) await sleep(10);
      await command.kill();
      expect(await imports.get(owner, importId)).toMatchObject({ status: 'running', rows: 90_000 });
      expect(await imports.resume(importId)).toBe(true);
      expect(await imports.get(owner, importId)).toMatchObject({ status: 'done', added: 90_000, updated: 0 });
      expect(await left(importId)).toEqual({ rows: 0, chunks: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reads a kept file again after a kill of the process that was reading it', async () => {
    const owner = await newOwner();
    const { email = '' } =
      (await database.first<{ email: string }>('SELECT email FROM users WHERE id = $1', [owner.userId])) ?? {};
    const folder = mkdtempSync(join(tmpdir(), 'import-'));
    try {
      const file = join(folder, 'clients.csv');
      writeFileSync(file, manyLines(90_000));
      const env = { ...process.env, DATABASE_URL: testDatabase.url, REDIS_URL: redis.url, REDIS_PREFIX: redis.prefix };
      const command = Program.product('cli', { env }, ['import-clients', file, '--owner', email, '--tags', 'Kept']);
      const importId = await received(owner, 1);
      await command.kill();
      expect(await imports.get(owner, importId)).toMatchObject({ status: 'running', stagedAt: null });
      // Not before the process counts as dead.
      expect(await imports.resume(importId)).toBe(true);
      while ((await imports.get(owner, importId)).status === 'running') {
        await imports.runPending();
        await imports.resume(importId);
        await sleep(100);
      }
      expect(await imports.get(owner, importId)).toMatchObject({
        status: 'done',
        rows: 90_000,
        added: 90_000,
        rejected: 0,
      });
      expect(await database.rows('SELECT name, clients FROM tags WHERE owner_id = $1', [owner.userId])).toEqual([
        { name: 'Kept', clients: 90_000 },
      ]);
      await imports.runPending();
      expect(await database.rows('SELECT FROM import_files WHERE import_id = $1', [importId])).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('counts the same in a dry run, also with addresses that come again in other chunks', async () => {
    const owner = await newOwner();
    const known = Array.from({ length: 25_000 }, (_, i) => `client${2 * i}@example.com,Known,\n`).join('');
    await stageAndResume(owner, HEAD + known);
    // What PostgreSQL knows of the staged lines is what it saw before these came: few, and of others.
    await database.affected(`INSERT INTO import_rows SELECT 0, n, 'x', '', '' FROM generate_series(1, 100) n`);
    await database.rows('ANALYZE import_rows');
    await database.affected('DELETE FROM import_rows WHERE import_id = 0');
    const file =
      HEAD +
      Array.from({ length: 70_000 }, (_, i) =>
        i % 100 === 99
          ? 'nobody,Bad,\n'
          : `${i < 40_000 ? 'client' : 'CLIENT'}${i % 40_000}@example.com,Line ${i + 2},\n`,
      ).join('');
    const counts = { status: 'done', rows: 70_000, added: 19_600, updated: 20_000, rejected: 30_400 };
    const dry = await stageAndResume(owner, file, true);
    expect(dry).toMatchObject(counts);
    expect(await stageAndResume(owner, file)).toMatchObject(counts);
    expect(dry.errors.slice(0, 1)).toEqual([expect.objectContaining({ line: 101, field: 'email' })]);
    // The first line of each address stands.
    const wrong = await database.rows(
      `SELECT email, full_name FROM clients WHERE owner_id = $1 AND full_name <> 'Line ' || substring(email FROM '[0-9]+')::int + 2
          AND full_name <> 'Known'`,
      [owner.userId],
    );
    expect(wrong).toEqual([]);
    expect(await clientsOf(owner)).toBe(44_600);
  });

  it('is done also if all was applied before it was cut into chunks', async () => {
    const owner = await newOwner();
    const importId = await stageOnly(owner, 3_000);
    await database.affected('DELETE FROM import_rows WHERE import_id = $1', [importId]);
    expect(await imports.resume(importId)).toBe(true);
    expect(await imports.get(owner, importId)).toMatchObject({ status: 'done', added: 0 });
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
    // What was uploaded is still being read, which is a sign of life each time.
    const failed = await eventually(async () => {
      await database.affected(`UPDATE imports SET alive_at = created_at - interval '1 hour' WHERE id = $1`, [importId]);
      await imports.runPending();
      const now = await imports.get(owner, importId);
      return now.status === 'failed' && now;
    }, 'it has failed');
    expect(failed).toMatchObject({ status: 'failed', reason: problem('upload_abandoned') });
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
      reason: problem('upload_ended'),
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
        reason: problem('file_too_large', { max: 1_000 }),
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

/** Ends the sessions that wait for another one's lock, as the death of their process would; at least one. */
async function terminateWaiting(): Promise<number> {
  for (;;) {
    const ended = await database.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (ended.length > 0) return ended.length;
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
