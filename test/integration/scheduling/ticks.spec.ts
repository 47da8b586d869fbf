import { Client } from 'pg';
import { RunsService } from '../../../src/features/runs/runs.service';
import { PlannerService } from '../../../src/features/runs/planner.service';
import { Calendar } from '../../support/calendar';
import { addresses } from '../../support/factories';

/** Started daily mailings at 09:00 UTC with one selected client each, made in bulk. */
async function makeMailings(calendar: Calendar, count: number, nextRunAt: string): Promise<void> {
  const [client] = await calendar.clients(1);
  const { id } = await calendar.mailing({ startAt: '2027-02-01T09:00:00Z', clientIds: [client!] });
  await calendar.sql.affected(
    `INSERT INTO mailings (owner_id, message_id, audience, start_at, period, time_zone, status, next_run_at)
     SELECT owner_id, message_id, audience, start_at, period, time_zone, 'started', $2 FROM mailings, generate_series(1, $3) WHERE id = $1`,
    [id, nextRunAt, count],
  );
  await calendar.sql.affected(
    `INSERT INTO mailing_clients (mailing_id, client_id) SELECT id, $1 FROM mailings ON CONFLICT DO NOTHING`,
    [client],
  );
}

describe('several schedulers at once', () => {
  let calendar: Calendar;
  beforeAll(async () => {
    calendar = await Calendar.open('2027-02-21T09:00:10Z', 5);
  });
  afterAll(() => calendar.close());

  it('5 schedulers, 200 mailings due at once, two ticks each: 200 runs, nobody twice', async () => {
    await makeMailings(calendar, 200, '2027-02-21T09:00:00Z');
    const ticks = await Promise.all([0, 1, 2, 3, 4, 0, 1, 2, 3, 4].map((scheduler) => calendar.tick(scheduler)));
    // A tick leaves out what another one has in hand; by a last one nothing is left.
    ticks.push(await calendar.tick());
    expect(ticks.reduce((sum, tick) => sum + tick.mailings, 0)).toBe(200);
    expect(new Set(ticks.flatMap((tick) => tick.runs)).size).toBe(200);
    await calendar.deliver();
    const counts = await calendar.sql.first(
      `SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(DISTINCT mailing_id) FROM runs) AS mailings,
              (SELECT count(*) FROM deliveries) AS deliveries, (SELECT count(*) FROM attempts) AS attempts,
              (SELECT count(*) FROM mailings WHERE next_run_at = '2027-02-22T09:00:00Z') AS moved`,
    );
    expect(counts).toEqual({ runs: 200, mailings: 200, deliveries: 200, attempts: 200, moved: 200 });
  });

  it('days that pass under five schedulers: each occurrence once', async () => {
    for (const day of [22, 23, 24]) {
      await calendar.set(`2027-02-${day}T09:00:00Z`);
      await Promise.all([0, 1, 2, 3, 4].map((scheduler) => calendar.tick(scheduler)));
      await calendar.tick();
      await calendar.deliver();
    }
    const counts = await calendar.sql.rows(
      `SELECT occurrence_at::date::text AS day, count(*) AS n FROM runs WHERE status = 'done' GROUP BY 1 ORDER BY 1`,
    );
    expect(counts).toEqual(['21', '22', '23', '24'].map((day) => ({ day: `2027-02-${day}`, n: 200 })));
  });
});

describe('one tick', () => {
  let calendar: Calendar;
  beforeEach(async () => {
    calendar = await Calendar.open('2027-02-21T09:00:10Z');
  });
  afterEach(() => calendar.close());

  it('handles the others when one mailing can not be handled', async () => {
    await makeMailings(calendar, 3, '2027-02-21T09:00:00Z');
    const first = await calendar.sql.first<{ id: number }>(
      `SELECT min(id) AS id FROM mailings WHERE status = 'started'`,
    );
    await calendar.sql.affected(`UPDATE mailings SET time_zone = 'Mars/Phobos' WHERE id = $1`, [first?.id]);
    expect((await calendar.tick()).runs).toHaveLength(2);
    await calendar.sql.affected(`UPDATE mailings SET time_zone = 'UTC' WHERE id = $1`, [first?.id]);
    expect((await calendar.tick()).runs).toHaveLength(1);
  });

  it('leaves out a mailing that somebody is changing, and comes back to it', async () => {
    await makeMailings(calendar, 2, '2027-02-21T09:00:00Z');
    await calendar.sql.transaction(async (tx) => {
      await tx.rows(`SELECT FROM mailings WHERE status = 'started' ORDER BY id LIMIT 1 FOR NO KEY UPDATE`);
      expect((await calendar.tick()).runs).toHaveLength(1);
    });
    expect((await calendar.tick()).runs).toHaveLength(1);
    expect((await calendar.tick()).runs).toHaveLength(0);
  });
});

describe('10,000 started mailings, 500 due', () => {
  let calendar: Calendar;
  afterEach(() => calendar.close());

  it.each([
    ['without a limit', '0', 500, 0],
    ['with LETTERS_PER_DAY', '300', 300, 200],
  ])('%s: what is due is read by index, in a few statements, not some for each', async (_, limit, begun, held) => {
    calendar = await Calendar.open('2027-02-21T09:00:10Z', 1, { LETTERS_PER_DAY: limit });
    await makeMailings(calendar, 10_000, '2027-03-01T09:00:00Z');
    await calendar.sql.affected(
      `UPDATE mailings SET next_run_at = '2027-02-21T09:00:00Z' WHERE id IN (SELECT id FROM mailings WHERE status = 'started' AND id % 20 = 0)`,
    );
    await calendar.sql.rows('VACUUM ANALYZE mailings');
    const statements = jest.spyOn(Client.prototype, 'query');
    const { runs } = await calendar.tick();
    expect(runs).toHaveLength(begun);
    expect(await calendar.sql.first(`SELECT count(*) AS n FROM mailings WHERE status = 'paused'`)).toEqual({ n: held });
    expect(statements.mock.calls.length).toBeLessThan(35);
    statements.mockRestore();
    const plan = await calendar.sql.rows(
      `EXPLAIN SELECT id FROM mailings WHERE status = 'started' AND deleted_at IS NULL AND next_run_at <= app_now()`,
    );
    expect(JSON.stringify(plan)).toContain('mailings_next_run_at_idx');
  });
});

describe('a planner that dies', () => {
  let calendar: Calendar;
  beforeEach(async () => {
    calendar = await Calendar.open('2027-02-21T09:00:10Z');
  });
  afterEach(() => calendar.close());

  it('between the run and its plan, or between two pages: exactly one complete run', async () => {
    await calendar.clients(1);
    await calendar.make.clients(calendar.viewer.userId, addresses(12_000, 'bulk'));
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    const runs = calendar.get(RunsService);
    const planner = calendar.get(PlannerService);
    await calendar.start(id);
    expect(await runs.unplanned()).toHaveLength(1);
    const [runId] = await runs.unplanned();
    // Its third page is refused, as if the process had ended there.
    const planPage = planner as unknown as { planPage: (...args: unknown[]) => Promise<unknown> };
    const original = planPage.planPage.bind(planner);
    let pages = 0;
    planPage.planPage = (...args) => (++pages > 1 ? Promise.reject(new Error('killed')) : original(...args));
    await expect(planner.plan(runId!)).rejects.toThrow('killed');
    planPage.planPage = original;
    expect(await calendar.sql.first('SELECT count(*) AS n FROM deliveries')).toEqual({ n: 10_000 });
    expect(await runs.unplanned()).toEqual([runId]);
    await Promise.all([planner.plan(runId!), planner.plan(runId!), calendar.tick()]);
    expect(
      await calendar.sql.first('SELECT count(*) AS n, count(DISTINCT client_id) AS clients FROM deliveries'),
    ).toEqual({
      n: 12_001,
      clients: 12_001,
    });
    expect(await calendar.runs(id)).toMatchObject([{ id: runId, status: 'sending' }]);
  });
});
