import { Client } from 'pg';
import { Calendar } from '../support/calendar';
import { addresses } from '../support/factories';
import type { Program } from '../support/program';
import { eventually, QUICK, startProcess } from '../support/service';
import { soak, type SoakOptions } from '../support/soak';

/** A short soak; `npm run test:soak` runs a long one by SOAK. */
const SHORT: SoakOptions = { mailings: 60, clientsEach: 3, days: 6, dayMs: 5_000, workers: 3, killEveryMs: 3_000 };
const options = { ...SHORT, ...(JSON.parse(process.env.SOAK ?? '{}') as Partial<SoakOptions>) };

jest.setTimeout(options.days * options.dayMs * 2 + 180_000);

it('daily mailings through days of seconds, workers killed on the way: as many runs as occurrences, nobody twice', async () => {
  const report = await soak(options);
  if (process.env.SOAK) process.stderr.write(`${JSON.stringify({ ...options, ...report }, null, 1)}\n`);
  expect(report).toMatchObject({ unlike: [], incomplete: [], doubled: [], miscounted: [], notDone: 0 });
  expect(Object.values(report.runs).reduce((a, b) => a + b, 0)).toBe(report.occurrences);
  expect(report.kills).toBeGreaterThan(0);
  // On a slow machine many days of seconds are missed, and rightly; that is not what is tried here.
  expect(report.runs.done ?? 0).toBeGreaterThan(report.occurrences / 10);
});

it('a worker killed between the run and its plan: exactly one complete run', async () => {
  const calendar = await Calendar.open('2027-02-21T09:00:00Z');
  const blocker = new Client({ connectionString: calendar.databaseUrl });
  const workers: Program[] = [];
  const env = {
    ...process.env,
    ...QUICK,
    DATABASE_URL: calendar.databaseUrl,
    REDIS_URL: calendar.redis.url,
    REDIS_PREFIX: calendar.redis.prefix,
    // Nobody listens: what is planned stays planned.
    SMTP_URL: 'smtp://127.0.0.1:1',
  };
  try {
    await calendar.make.clients(calendar.viewer.userId, addresses(12_000));
    const { id } = await calendar.mailing({ startAt: '2027-02-22T09:00:00Z' });
    await calendar.start(id);
    await blocker.connect();
    // Holds up the planner and the sweep, and must not hold up the tick.
    await blocker.query('BEGIN; LOCK TABLE deliveries IN SHARE MODE');
    workers.push(await startProcess('worker', env));
    await calendar.set('2027-02-22T09:00:05Z');
    await eventually(async () => {
      const waiting = await calendar.sql.first<{ n: number }>(
        `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO deliveries%'`,
      );
      return (waiting?.n ?? 0) > 0;
    }, 'planning');
    await workers[0]?.kill();
    expect(await calendar.runs(id)).toMatchObject([{ status: 'planning' }]);
    await blocker.query('ROLLBACK');
    workers.push(...(await Promise.all([startProcess('worker', env), startProcess('worker', env)])));
    await eventually(async () => (await calendar.runs(id))[0]?.status === 'sending', 'the run planned');
    const counts = await calendar.sql.first(
      'SELECT count(*) AS deliveries, count(DISTINCT client_id) AS clients, count(DISTINCT run_id) AS runs FROM deliveries',
    );
    expect(counts).toEqual({ deliveries: 12_000, clients: 12_000, runs: 1 });
    expect(await calendar.runs(id)).toMatchObject([{ occurrenceAt: '2027-02-22T09:00:00.000Z', status: 'sending' }]);
  } finally {
    await blocker.end();
    await Promise.all(workers.map((worker) => worker.stop()));
    await calendar.close();
  }
});
