import type { PinoLogger } from 'nestjs-pino';
import { LifecycleService } from '../../src/features/scheduling/lifecycle.service';
import { ReturnWatch } from '../../src/features/scheduling/return-watch.service';
import { type Person, startApi, type TestApi } from '../support/api';

/** Mailings of which too much comes back are paused: whichever they are, however large, and for nothing older. */

let api: TestApi;
let owner: Person;

beforeAll(async () => {
  api = await startApi();
  owner = await api.person();
});
afterAll(() => api?.close());
afterEach(() => query(`UPDATE mailings SET status = 'done' WHERE status = 'started'`));

const query = <T>(sql: string, params: unknown[] = []) => api.database.rows<T>(sql, params);
const lifecycle = () => api.app.get(LifecycleService, { strict: false });

/** The watch of a process of its own, what it logs, and what happens before it pauses a mailing. */
function watcher(before: (mailingId: number) => Promise<unknown> = () => Promise.resolve()) {
  const lines: { event: string; reason: string }[] = [];
  const logger = { warn: (line: (typeof lines)[number]) => lines.push(line) } as unknown as PinoLogger;
  const park: LifecycleService['park'] = async (...of) => {
    await before(of[0]);
    await lifecycle().park(...of);
  };
  return { watch: new ReturnWatch(api.database, { park } as LifecycleService, logger), lines };
}

const mailing = () => api.make.mailing({ ownerId: owner.id, status: 'started', recipients: () => [] });
/** A run of so many letters; the n-th goes to the address that this SQL says. */
async function letters(mailingId: number, count: number, email: string, ago = '0'): Promise<number> {
  const runId = await api.make.run(mailingId);
  await query(
    `INSERT INTO deliveries (run_id, client_id, email, status)
     SELECT $1, n, ${email}, 'sent' FROM generate_series(1, $2::int) n ORDER BY n`,
    [runId, count],
  );
  await query(
    `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status, created_at)
     SELECT id, run_id, $2, $3, client_id, 1, 1, 'ok', now() - $4::interval
       FROM deliveries WHERE run_id = $1 ORDER BY id`,
    [runId, mailingId, owner.id, ago],
  );
  await query(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
  return runId;
}
/** So many people at this domain complain about letters of a run. */
const complain = (runId: number, domain: string, count: number) =>
  query(
    `INSERT INTO delivery_events (delivery_id, run_id, mailing_id, owner_id, client_id, kind, source)
     SELECT d.id, r.id, r.mailing_id, r.owner_id, d.client_id, 'complained', 'inbound'
       FROM runs r JOIN deliveries d ON d.run_id = r.id
      WHERE r.id = $1 AND d.email LIKE '%@' || $2 AND NOT EXISTS (SELECT FROM delivery_events WHERE delivery_id = d.id)
      ORDER BY d.id LIMIT $3`,
    [runId, domain, count],
  );
async function hated(complaints = 10): Promise<number> {
  const id = await mailing();
  await complain(await letters(id, 1_000, `'c' || n || '@hated.example'`), 'hated.example', complaints);
  return id;
}
async function stateOf(mailingId: number) {
  const [state] = await query<{ status: string; text: string | null }>(
    'SELECT status, status_text AS text FROM mailings WHERE id = $1',
    [mailingId],
  );
  return state!;
}

it('counts the letters of a mailing of many runs at all times of the day, without reading them all', async () => {
  const id = await mailing();
  // In the order of a file, which is sorted by the domain.
  const byDomain = `'c' || n || '@' || CASE WHEN n <= 4000 THEN 'few' ELSE 'many' END || '.example'`;
  const first = await letters(id, 30_000, byDomain, '23 hours');
  // Other mailings send a lot in between.
  await letters(await mailing(), 60_000, `'c' || n || '@few.example'`, '12 hours');
  await letters(id, 30_000, byDomain);
  await query('ANALYZE deliveries, attempts');
  const read = async () =>
    (
      await query<{ n: number }>(
        `SELECT sum(seq_tup_read + idx_tup_fetch)::int AS n FROM pg_stat_user_tables
          WHERE relname IN ('deliveries', 'attempts')`,
      )
    )[0]!.n;

  // 0.27 % of the 8,000 letters to few.example, then 0.33 %.
  await complain(first, 'few.example', 22);
  const { watch, lines } = watcher();
  const before = await settled(read);
  await watch.look();
  const after = await settled(read);
  expect(after - before).toBeGreaterThan(0);
  expect(after - before).toBeLessThan(60_000);
  expect(await stateOf(id)).toMatchObject({ status: 'started' });
  await complain(first, 'few.example', 5);
  await watch.look();
  expect(await stateOf(id)).toEqual({ status: 'paused', text: 'few.example' });
  expect(lines).toEqual([]);

  /** Each connection tells what it read after some seconds without work. */
  async function settled(of: () => Promise<number>): Promise<number> {
    await new Promise((wake) => setTimeout(wake, 11_000));
    return of();
  }
}, 120_000);

it('letters of more than a day ago make no share small', async () => {
  const id = await mailing();
  await letters(id, 5_000, `'c' || n || '@old.example'`, '26 hours');
  await complain(await letters(id, 1_000, `'c' || n || '@old.example'`), 'old.example', 3);
  await watcher().watch.look();
  expect(await stateOf(id)).toMatchObject({ status: 'paused' });
});

it('a deleted mailing is left alone, and keeps no other from being paused', async () => {
  const [deleted, other] = [await hated(20), await hated()];
  expect((await api.call('DELETE', `/api/v1/mailings/${deleted}`, { token: owner.token })).status).toBe(204);
  const { watch, lines } = watcher();
  await watch.look();
  expect(await stateOf(other)).toMatchObject({ status: 'paused' });
  expect(lines).toEqual([]);
});

it('one that can not be paused keeps no other from it, and is logged', async () => {
  const [one, two] = [await hated(), await hated()];
  let failed: number | undefined;
  const { watch, lines } = watcher(async (mailingId) => {
    if (failed !== undefined) return;
    failed = mailingId;
    await query('UPDATE mailings SET deleted_at = now() WHERE id = $1', [mailingId]);
  });
  await watch.look();
  expect(await stateOf(failed === one ? two : one)).toMatchObject({ status: 'paused' });
  expect(lines).toMatchObject([{ event: 'returns.not_counted', mailingId: failed }]);
});

it('a mailing that was resumed meanwhile is not paused for what came back before', async () => {
  const id = await hated();
  const { watch } = watcher(async () => {
    for (const action of ['pause', 'resume'])
      expect(
        (await api.call('POST', `/api/v1/mailings/${id}/${action}`, { token: owner.token, body: {} })).status,
      ).toBe(200);
  });
  await watch.look();
  expect(await stateOf(id)).toMatchObject({ status: 'started' });
});

it('a count that is given up is logged, and a look ends in time, whatever is slow', async () => {
  const ids = [await hated(), await hated(), await hated(), await hated(), await hated(), await hated()];
  const { watch, lines } = watcher();
  const since = performance.now();
  await api.database.transaction(async (tx) => {
    await tx.rows('LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE');
    await watch.look();
  });
  expect(performance.now() - since).toBeLessThan(8_000);
  expect(lines[0]).toMatchObject({ event: 'returns.not_counted', reason: expect.any(String) as string });
  await watch.look();
  for (const id of ids) expect(await stateOf(id)).toMatchObject({ status: 'paused' });
}, 60_000);

test('complaints of all domains of a provider count together', async () => {
  const id = await mailing();
  const runId = await letters(
    id,
    1_000,
    `'c' || n || '@' || CASE WHEN n <= 400 THEN 'firm' ELSE 'big' END || '.example'`,
  );
  await complain(runId, 'firm.example', 2);
  await complain(runId, 'big.example', 1);
  const { watch } = watcher();
  await watch.look();
  expect(await stateOf(id)).toMatchObject({ status: 'started' });
  await query(
    `INSERT INTO domain_providers (domain, provider) VALUES ('firm.example', 'google'), ('big.example', 'google')`,
  );
  await watch.look();
  expect(await stateOf(id)).toEqual({ status: 'paused', text: 'firm.example' });
});
