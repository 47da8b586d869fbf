import type { Database } from '../../src/database/database';
import { timelineCursor } from '../../src/domain/timeline';
import type { Page, PageRequest } from '../../src/domain/paging';
import type { Viewer } from '../../src/domain/permissions';
import { ClientHistory } from '../../src/features/clients/client-history.service';
import { ClientsService } from '../../src/features/clients/clients.service';
import { NewClients } from '../../src/features/clients/new-clients';
import { AttemptsService } from '../../src/features/ledger/attempts.service';
import { EventsService } from '../../src/features/ledger/events.service';
import { RunsService, type RunView } from '../../src/features/runs/runs.service';
import { type AttemptsAsked, AttemptSearchService } from '../../src/features/runs/attempt-search.service';
import { ClientLetters } from '../../src/features/runs/client-letters.service';
import { DeliveriesService } from '../../src/features/runs/deliveries.service';
import { SignupRecords } from '../../src/features/signups/signup-records.service';
import { ClientParts } from '../../src/web/pages/client-parts.service';
import { Ledger, silent } from '../support/ledger';

/** Attempts found by what people know, and all that happened to one client. */

const owner: Viewer = { userId: 1, role: 'user', via: 'token' };
const manager: Viewer = { ...owner, userId: 2, role: 'manager' };
const stranger: Viewer = { ...owner, userId: 3 };

let ledger: Ledger;
const searchOf = (database: Database) => new AttemptSearchService(database, new AttemptsService(database));

beforeAll(async () => {
  ledger = await Ledger.start();
  await ledger.make.user({ role: 'manager' });
  await ledger.make.user();
});
afterAll(() => ledger?.stop());

async function all<T>(list: (page: PageRequest) => Promise<Page<T> | null>, limit = 2): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page<T> | null = await list({ limit, ...(cursor ? { cursor } : {}) });
    if (!page) throw new Error('it took too long');
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}
const found = async (asked: Partial<AttemptsAsked>, viewer = owner) =>
  (await all((page) => searchOf(ledger.database).find(viewer, { ...asked, ...page }))).map(({ id }) => id);

/** The newest attempts of these deliveries, newest first. */
const attemptsOf = async (deliveryIds: number[]) =>
  (
    await ledger.query<{ id: number }>('SELECT id FROM attempts WHERE delivery_id = ANY($1) ORDER BY id DESC', [
      deliveryIds,
    ])
  ).map(({ id }) => id);

/** A run of this owner, sent to so many, whose attempts are there. */
async function sentRun(clients: number, { ownerId = 1, name = 'News' } = {}) {
  const recipients = (id: number) => Array.from({ length: clients }, (_, i) => `c${i + 1}-${id}@example.com`);
  const mailingId = await ledger.make.mailing({ ownerId, recipients, status: 'started', name });
  const runId = await ledger.make.run(mailingId);
  await ledger.planner.plan(runId);
  await ledger.make.attempts([runId]);
  const rows = await ledger.query<{ id: number; clientId: number }>(
    `UPDATE deliveries SET status = 'sent', attempts = 1 WHERE run_id = $1 RETURNING id, client_id AS "clientId"`,
    [runId],
  );
  rows.sort((a, b) => a.id - b.id);
  return { mailingId, runId, ids: rows.map(({ id }) => id), clientIds: rows.map(({ clientId }) => clientId) };
}

describe('attempts', () => {
  it('are found by a part of a name or an address, to all clients who match, and only to one’s own', async () => {
    const mine = await sentRun(6);
    const theirs = await sentRun(3, { ownerId: 3 });
    const name = (ids: number[], text: string) =>
      ledger.query('UPDATE clients SET full_name = $2 WHERE id = ANY($1)', [ids, text]);
    await name(mine.clientIds.slice(0, 2), 'Ёжикова Анна');
    await name(mine.clientIds.slice(2, 3), 'Ёжиков Борис');
    await name(theirs.clientIds.slice(0, 1), 'Ёжиков Чужой');
    const ofMine = await attemptsOf(mine.ids.slice(0, 3));
    const ofTheirs = await attemptsOf(theirs.ids.slice(0, 1));
    expect(await found({ client: 'ёжиков' })).toEqual(ofMine);
    expect(await found({ client: 'борис' })).toEqual(await attemptsOf([mine.ids[2]!]));
    expect(await found({ client: `c1-${mine.mailingId}@EXAMPLE` })).toEqual(await attemptsOf([mine.ids[0]!]));
    expect(await found({ client: 'ёжиков' }, stranger)).toEqual(ofTheirs);
    expect(await found({ client: 'ёжиков' }, manager)).toEqual([...ofTheirs, ...ofMine]);
    expect(await found({ client: 'ёжиков', ownerId: 3 }, manager)).toEqual(ofTheirs);
    expect(await found({ client: 'ёжиков', ownerId: 3 })).toEqual([]);
    expect(await found({ client: 'nobody at all' })).toEqual([]);
    expect(await found({ client: '%' })).toEqual([]);
  });

  it('are found by a part of a mailing’s name, however many mailings there are since', async () => {
    const spring = [await sentRun(3, { name: 'Spring sale, 100%' }), await sentRun(2, { name: 'spring again' })];
    await sentRun(2, { ownerId: 3, name: 'Spring of another' });
    for (let i = 0; i < 3; i++) await sentRun(1, { name: `Later ${i}` });
    const ids = await attemptsOf(spring.flatMap((run) => run.ids));
    expect(await found({ mailing: 'SPRING' })).toEqual(ids);
    expect(await found({ mailing: '100%' })).toEqual(await attemptsOf(spring[0]!.ids));
    expect(await found({ mailing: 'spring', client: `c1-${spring[0]!.mailingId}@` })).toEqual(
      await attemptsOf(spring[0]!.ids.slice(0, 1)),
    );
    // More than are looked through one by one.
    await ledger.query(
      `INSERT INTO mailings (owner_id, message_id, name, audience, status, start_at, period, time_zone, on_unknown)
       SELECT 1, message_id, 'Spring ' || n, 'all', 'created', now(), 'once', 'UTC', 'resend'
         FROM mailings, generate_series(1, 250) n WHERE id = $1`,
      [spring[0]!.mailingId],
    );
    expect(await found({ mailing: 'spring' })).toEqual(ids);
    expect(await found({ mailing: 'spring', status: 'failed' })).toEqual([]);
  });

  it('with which letters failed for good on a day are as many as the counters say', async () => {
    const run = await sentRun(8, { name: 'Failing' });
    const [today, alsoToday, later, deferred, cancelled, yesterday] = run.ids;
    const failed = (ids: unknown[], status: string, attempts: number) =>
      ledger.query(
        `UPDATE deliveries SET status = $2, attempts = $3, tries = $3, updated_at = now(),
                next_attempt_at = CASE WHEN $2 = 'deferred' THEN now() END WHERE id = ANY($1)`,
        [ids, status, attempts],
      );
    await ledger.query(`UPDATE attempts SET status = 'failed' WHERE run_id = $1`, [run.runId]);
    await failed([today, alsoToday], 'failed', 1);
    await failed([deferred], 'deferred', 1);
    await failed([cancelled], 'cancelled', 1);
    // Tried twice, and given up with the second attempt.
    await ledger.query(
      `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status)
       SELECT delivery_id, run_id, mailing_id, owner_id, client_id, 1, 2, 'failed' FROM attempts WHERE delivery_id = $1`,
      [later],
    );
    await failed([later], 'failed', 2);
    await ledger.query(
      `UPDATE deliveries SET status = 'failed', attempts = 1, updated_at = now() - interval '1 day' WHERE id = $1`,
      [yesterday],
    );
    // Its attempt is old: it failed when its run came to its end.
    await ledger.query(`UPDATE attempts SET created_at = now() - interval '90 days' WHERE delivery_id = $1`, [today]);
    const from = new Date(Date.now() - 3_600_000);
    const to = new Date(Date.now() + 3_600_000);
    const expected = [(await attemptsOf([later!]))[0], ...(await attemptsOf([today!, alsoToday!]))];
    for (const more of [{}, { mailing: 'failing' }, { mailingId: run.mailingId }])
      expect(await found({ final: true, from, to, ...more })).toEqual(expected);
    expect(await found({ final: true, from, to, client: `c1-${run.mailingId}@` })).toEqual(expected.slice(-1));
    expect(await found({ final: true, from, to }, stranger)).toEqual([]);
    expect(await found({ final: true, from: to })).toEqual([]);
    expect(await found({ final: true })).toHaveLength(4);
    const [counted] = await ledger.query<{ n: number }>(
      'SELECT sum(failed)::bigint AS n FROM stats WHERE owner_id = 1 AND bucket_at >= $1',
      [new Date(Date.now() - 3_600_000)],
    );
    expect(counted?.n).toBe(expected.length);
    const shown = await searchOf(ledger.database).find(owner, { limit: 20, mailing: 'failing' });
    const [first] = shown!.items.filter(({ deliveryId }) => deliveryId === deferred);
    expect(first).toMatchObject({
      deliveryStatus: 'deferred',
      deliveryAttempts: 1,
      nextAttemptAt: expect.any(Date) as Date,
    });
  });
});

describe('among a hundred thousand clients with attempts', () => {
  const MANY = 100_000;
  let big: Ledger;

  beforeAll(async () => {
    big = await Ledger.start();
    const mailingId = await big.make.mailing({ ownerId: 1, name: 'Large' });
    const runId = await big.make.run(mailingId);
    await big.database.transaction(async (tx) => {
      // Without the triggers that count.
      await tx.rows('SET LOCAL session_replication_role = replica');
      await tx.rows(
        `INSERT INTO clients (owner_id, email, full_name)
         SELECT 1, 'client-' || n || '@example.net', 'Anna ' || md5(n::text) FROM generate_series(1, $1::int) n`,
        [MANY],
      );
      await tx.rows(
        `INSERT INTO deliveries (run_id, client_id, email, status, attempts, tries)
         SELECT $1, id, email, 'sent', 1, 1 FROM clients ORDER BY id`,
        [runId],
      );
    });
    await big.make.attempts([runId]);
    await big.query('ANALYZE');
  });
  afterAll(() => big?.stop());

  /** How many pages of the database a statement reads. */
  async function pagesRead({ sql, params }: { sql: string; params: unknown[] }): Promise<number> {
    const [row] = await big.query<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ${sql}`,
      params,
    );
    const plan = row?.['QUERY PLAN'][0]?.Plan ?? {};
    return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
  }

  it.each([
    ['one of them', { client: 'client-77777@' }, 1],
    ['ten of them', { client: 'client-7777' }, 11],
    ['all of them', { client: 'anna' }, 50],
    ['nobody', { client: 'nobody-at-all' }, 0],
    ['the mailing', { mailing: 'large' }, 50],
  ] as const)('a page that finds %s reads little of the attempts', async (_, asked, count) => {
    const statements: { sql: string; params: unknown[] }[] = [];
    const attempts = new AttemptsService(big.database);
    const list = attempts.list.bind(attempts);
    attempts.list = (viewer, query, sql = big.database) =>
      list(viewer, query, {
        ...sql,
        rows: (text, params = []) => {
          statements.push({ sql: text, params });
          return sql.rows(text, params);
        },
      });
    const page = await new AttemptSearchService(big.database, attempts).find(owner, { limit: 50, ...asked });
    expect(page?.items).toHaveLength(count);
    expect(statements).toHaveLength(1);
    expect(await pagesRead(statements[0]!)).toBeLessThan(1_500);
  });

  it('a page of clients in each order comes from an index', async () => {
    const statements: { sql: string; params: unknown[] }[] = [];
    const database = Object.create(big.database) as Database;
    database.rows = <T>(sql: string, params: unknown[] = []) => {
      statements.push({ sql, params });
      return big.database.rows<T>(sql, params);
    };
    const clients = new ClientsService(database, new NewClients());
    for (const sort of ['-id', 'id', 'email', '-email', 'fullName', '-fullName'] as const) {
      const first = await clients.list(owner, { limit: 50, sort });
      await clients.list(owner, { limit: 50, sort, ...(first.nextCursor && { cursor: first.nextCursor }) });
      expect({ sort, few: (await pagesRead(statements.at(-1)!)) < 1_500 }).toEqual({ sort, few: true });
    }
  });

  it('who would get the letter again is asked of those who failed, and not of all clients', async () => {
    const statements: { sql: string; params: unknown[] }[] = [];
    const database = Object.create(big.database) as Database;
    database.first = <T>(sql: string, params: unknown[] = []) => {
      statements.push({ sql, params });
      return big.database.first<T>(sql, params);
    };
    await big.query(`UPDATE deliveries SET status = 'failed', reason = 'rejected' WHERE client_id % 40 = 0`);
    await big.query('ANALYZE deliveries');
    const [run] = await big.query<{ id: number }>('SELECT id FROM runs');
    const counts = { failed: MANY / 40, unknown: 0 } as RunView['counts'];
    expect(await new RunsService(database).resendable({ id: run!.id, counts })).toBe(MANY / 40);
    expect(await pagesRead(statements.at(-1)!)).toBeLessThan(60_000);
  });
});

describe('the history of a client', () => {
  let clientId: number;
  let parts: ClientParts;
  let deliveryIds: number[];

  beforeAll(async () => {
    const { database } = ledger;
    const deliveries = new DeliveriesService(database, ledger.feed, ledger.config, silent);
    const letters = new ClientLetters(database, deliveries, new AttemptsService(database));
    const signups = new SignupRecords(database, {} as never);
    parts = new ClientParts(letters, new ClientHistory(database, new EventsService(database)), signups);
    [clientId = 0] = await ledger.make.clients(1, ['long-history@example.com']);
    const mailingId = await ledger.make.mailing({ ownerId: 1, name: 'Daily', status: 'started', period: 'daily' });
    const runs = await ledger.query<{ id: number }>(
      `INSERT INTO runs (mailing_id, owner_id, occurrence_at, trigger, status, on_unknown)
       SELECT $1, 1, now() - n * interval '1 day', 'schedule', 'done', 'resend' FROM generate_series(1, 80) n RETURNING id`,
      [mailingId],
    );
    // Some at the same instant, and every third tried three times.
    const made = await ledger.query<{ id: number }>(
      `INSERT INTO deliveries (run_id, client_id, email, status, reason, attempts, tries, updated_at)
       SELECT id, $2, 'long-history@example.com', CASE WHEN n % 7 = 0 THEN 'skipped' ELSE 'sent' END,
              CASE WHEN n % 7 = 0 THEN 'hard_bounce' END, CASE WHEN n % 7 = 0 THEN 0 WHEN n % 3 = 0 THEN 3 ELSE 1 END, 1,
              now() - interval '1 hour' - (n / 2) * interval '1 day'
         FROM unnest($1::bigint[]) WITH ORDINALITY r (id, n) RETURNING id`,
      [runs.map(({ id }) => id), clientId],
    );
    deliveryIds = made.map(({ id }) => Number(id));
    await ledger.query(
      `INSERT INTO attempts (created_at, delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status)
       SELECT d.updated_at - (d.attempts - n) * interval '1 hour', d.id, d.run_id, $2, 1, d.client_id, 1, n,
              CASE WHEN n < d.attempts THEN 'failed' ELSE 'ok' END
         FROM deliveries d, generate_series(1, d.attempts) n WHERE d.client_id = $1`,
      [clientId, mailingId],
    );
    await ledger.make.events(deliveryIds.slice(0, 40), 'delayed');
    await ledger.query(`UPDATE clients SET created_at = now() - interval '1 year' WHERE id = $1`, [clientId]);
    await ledger.query(
      `INSERT INTO signup_forms (owner_id, token, name, language, title) VALUES (1, 'history', 'Site', 'en', 'News')`,
    );
    await ledger.query(
      `INSERT INTO signups (form_id, owner_id, email, consent_text, ip, created_at, expires_at, confirmed_at, client_id)
       SELECT id, 1, 'Long-History@example.com', 'I agree', '::1', now() - interval '30 days', now(),
              now() - interval '29 days', $1 FROM signup_forms WHERE token = 'history'`,
      [clientId],
    );
  });

  const client = async () => {
    const clients = new ClientsService(ledger.database, new NewClients());
    return clients.get(owner, clientId);
  };

  it('tells each letter, each attempt before its last one, each event and consent once, newest first', async () => {
    const of = await client();
    const told = await all(({ cursor }) => parts.timeline(owner, of, cursor));
    const times = told.map(({ at }) => at.getTime());
    expect(times).toEqual([...times].sort((a, b) => b - a));
    const letters = told.flatMap((entry) => (entry.what === 'letter' ? [entry.delivery.id] : []));
    expect([...letters].sort((a, b) => a - b)).toEqual(deliveryIds);
    const earlier = await ledger.query<{ id: number }>(
      `SELECT a.id FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
        WHERE d.client_id = $1 AND a.attempt_number < d.attempts ORDER BY a.id`,
      [clientId],
    );
    expect(earlier.length).toBeGreaterThan(20);
    const attempts = told.flatMap((entry) => (entry.what === 'attempt' ? [entry.attempt.id] : []));
    expect([...attempts].sort((a, b) => a - b)).toEqual(earlier.map(({ id }) => id));
    expect(told.filter(({ what }) => what === 'known')).toHaveLength(40);
    expect(told.filter(({ what }) => what === 'signed_up' || what === 'agreed').map(({ what }) => what)).toEqual([
      'agreed',
      'signed_up',
    ]);
    expect(told.at(-1)?.what).toBe('joined');
  });

  it('is a page at a time, and a cursor that is none is refused', async () => {
    const of = await client();
    const first = await parts.timeline(owner, of, undefined);
    expect(first.items.length).toBeGreaterThanOrEqual(30);
    expect(first.items.length).toBeLessThan(45);
    expect(timelineCursor(first.nextCursor ?? '')).toBeInstanceOf(Date);
    await expect(parts.timeline(owner, of, 'nonsense')).rejects.toThrow();
    await expect(parts.timeline(owner, of, 'WzFlMzBd')).rejects.toThrow();
  });

  it('shows others nothing of the letters', async () => {
    const told = await parts.timeline(stranger, await client(), undefined);
    expect(told.items.filter(({ what }) => what === 'letter' || what === 'attempt')).toEqual([]);
  });
});
