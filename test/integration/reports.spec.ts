import { parse } from 'csv-parse/sync';
import {
  type ReportPart,
  reportParts,
  type ReportQuery,
  ReportsService,
} from '../../src/features/statistics/reports.service';
import { WebModule } from '../../src/web/web.module';
import { startApi } from '../support/api';
import { Ledger } from '../support/ledger';

let ledger: Ledger;
const viewer = { userId: 1, role: 'user' as const };

beforeAll(async () => {
  ledger = await Ledger.start();
});

afterAll(() => ledger.stop());

// In Kathmandu a day begins at 18:15 UTC, in Kolkata at 18:30.
test.each([
  ['Asia/Kathmandu', { user_unknown: 1, mailbox_full: 1 }, { policy_refused: 1 }],
  ['Asia/Kolkata', { policy_refused: 1, user_unknown: 1, mailbox_full: 1 }, {}],
  ['Europe/Athens', { policy_refused: 1, user_unknown: 1, mailbox_full: 1 }, {}],
])('the days of %s have their own failures, their numbers and reasons alike', async (timeZone, first, second) => {
  await ledger.query(`TRUNCATE deliveries, run_counts, stats, failure_stats CASCADE`);
  const { ids } = await ledger.plannedRun(3);
  for (const [i, [at, reason]] of [
    ['2027-03-10T18:00:00Z', 'user_unknown'],
    ['2027-03-10T18:14:59Z', 'mailbox_full'],
    ['2027-03-10T18:15:00Z', 'policy_refused'],
  ].entries())
    await ledger.query(`UPDATE deliveries SET status = 'failed', reason = $2, updated_at = $3 WHERE id = $1`, [
      ids[i],
      reason,
      at,
    ]);
  const reports = new ReportsService(ledger.database);
  const of = async (day: string) => {
    const report = await reports.report(viewer, { by: 'day', from: day, to: day, timeZone });
    const reasons = Object.fromEntries(report.reasons.map(({ reason, failed }) => [reason, failed]));
    expect(report.total.failed).toBe(Object.keys(reasons).length);
    return reasons;
  };
  expect(await of('2027-03-10')).toEqual(first);
  expect(await of('2027-03-11')).toEqual(second);
});

describe('a run of which half was cut off', () => {
  const day = '2027-03-10';
  const query: ReportQuery = { by: 'day', from: day, to: day, timeZone: 'UTC' };
  const csv = async (part: ReportPart) => {
    const text = await new ReportsService(ledger.database).csv(viewer, query, part);
    return parse<Record<string, string>>(text.replace('\uFEFF', ''), { columns: true });
  };
  let mailingId: number;

  beforeAll(async () => {
    await ledger.query(`TRUNCATE deliveries, run_counts, stats, failure_stats CASCADE`);
    const run = await ledger.plannedRun(100);
    mailingId = run.mailingId;
    const { ids } = run;
    const become = (from: number, to: number, status: string, reason: string | null) =>
      ledger.query(`UPDATE deliveries SET status = $2, reason = $3, updated_at = $4 WHERE id = ANY($1)`, [
        ids.slice(from, to),
        status,
        reason,
        `${day}T12:00:00Z`,
      ]);
    await become(0, 49, 'sent', null);
    await become(49, 50, 'failed', 'mailbox_full');
    await become(50, 100, 'cancelled', 'finished');
    await ledger.query(`UPDATE mailings SET name = '=News, "half"' WHERE id = $1`, [mailingId]);
  });

  test('is counted, in all and at its mailing', async () => {
    const report = await new ReportsService(ledger.database).report(viewer, query);
    const counts = { sent: 49, failed: 1, unknown: 0, skipped: 0, cancelled: 50 };
    expect(report.total).toMatchObject(counts);
    expect(report.items).toMatchObject([{ start: day, ...counts }]);
    expect(report.mailings).toMatchObject([{ id: mailingId, ...counts }]);
  });

  test('is read back from the files', async () => {
    expect(await csv('periods')).toEqual([
      {
        ...{ day, sent: '49', failed: '1', unknown: '0', skipped: '0', bounced: '0', complained: '0' },
        ...{ unsubscribed: '0', cancelled: '50' },
      },
    ]);
    // What a spreadsheet would take for a formula is marked as text.
    expect(await csv('mailings')).toMatchObject([{ id: String(mailingId), name: `'=News, "half"`, sent: '49' }]);
    expect(await csv('reasons')).toEqual([{ reason: 'mailbox_full', failed: '1' }]);
    expect(await csv('domains')).toEqual([{ domain: 'example.com', failed: '1' }]);
  });
});

test.each(reportParts)('the file of %s asks for nothing else', async (part) => {
  const asked = jest.spyOn(ledger.database, 'rows');
  const reports = new ReportsService(ledger.database);
  await reports.csv(viewer, { by: 'day', timeZone: 'UTC' }, part);
  await reports.overTime(viewer, { by: 'day', timeZone: 'UTC' });
  const tables = asked.mock.calls.map(([sql]) => /FROM (failure_stats|stats)\b/.exec(sql)?.[1]).filter(Boolean);
  asked.mockRestore();
  const own = part === 'reasons' || part === 'domains' ? 'failure_stats' : 'stats';
  expect(tables).toEqual([own, 'stats']);
});

test('the named ranges end today, or with their month', async () => {
  const reports = new ReportsService(ledger.database);
  const [{ today }] = (await ledger.query<{ today: string }>(
    `SELECT (app_now() AT TIME ZONE 'Asia/Yerevan')::date::text AS today`,
  )) as [{ today: string }];
  const [year, month] = [today.slice(0, 4), today.slice(0, 7)];
  const before = new Date(Date.UTC(Number(year), Number(month.slice(5)) - 1, 0)).toISOString().slice(0, 10);
  const periods = await reports.periods('Asia/Yerevan');
  expect(periods).toEqual({
    this_month: { from: `${month}-01`, to: today },
    last_month: { from: `${before.slice(0, 7)}-01`, to: before },
    this_year: { from: `${year}-01-01`, to: today },
  });
  const query = { by: 'day', period: 'last_month', timeZone: 'Asia/Yerevan' } as const;
  expect(await reports.report(viewer, query)).toMatchObject(periods.last_month);
  expect(await reports.report(viewer, { ...query, from: '2027-03-01', to: '2027-03-02' })).toMatchObject({
    from: '2027-03-01',
    to: '2027-03-02',
  });
});

describe('the page', () => {
  test('finds any mailing by its name, shows its share of success, and names it', async () => {
    const api = await startApi({}, [WebModule]);
    const person = await api.person();
    const { cookie } = await api.signIn(person.email);
    const look = async (query: string) => (await api.call('GET', `/reports?${query}`, { cookie })).text;
    const first = await api.make.mailing({ ownerId: person.id, name: 'The very first' });
    for (let i = 0; i < 120; i++) await api.make.mailing({ ownerId: person.id, name: `Later ${i}` });
    const stranger = await api.person();
    const theirs = await api.make.mailing({ ownerId: stranger.id, name: 'The very secret' });
    await api.database.affected(
      `INSERT INTO stats (mailing_id, bucket_at, slot, owner_id, sent, failed, cancelled)
       VALUES ($1, app_now(), 0, $2, 49, 1, 50), ($3, app_now(), 0, $4, 777, 0, 0)`,
      [first, person.id, theirs, stranger.id],
    );
    const chosen = await look('mailing=very+FIRST');
    expect(chosen).toContain(`name="mailingId" value="${first}"`);
    expect(chosen).toMatch(/· The very first/);
    expect(chosen).toContain('>49%<');
    expect(chosen).not.toContain('98%');
    // Its files are about the same mailing.
    for (const file of ['chart.png', 'chart.svg', 'mailings.csv'])
      expect(chosen).toMatch(new RegExp(`href="/reports/${file}\\?mailingId=${first}[&"]`));
    const many = await look('mailing=later');
    expect(many.match(/href="\/reports\?mailingId=\d+"/g)).toHaveLength(20);
    expect(await look('mailing=secret')).toContain('No such mailing was found');
    // Another's is neither named nor counted.
    const others = await look(`mailingId=${theirs}`);
    expect(others).not.toMatch(/secret|777/);
    expect(await look('period=this_year')).toMatch(/aria-current="true"[^>]*>This year/);
    const file = await api.call('GET', `/reports/mailings.csv?mailingId=${first}`, { cookie });
    expect(file.text.trim().split('\r\n')).toHaveLength(2);
    const byApi = await api.call('GET', '/api/v1/reports/reasons.csv', { token: person.token });
    expect([file, byApi].map(({ headers }) => headers.get('content-disposition'))).toEqual([
      'attachment; filename="report-mailings.csv"',
      'attachment; filename="report-reasons.csv"',
    ]);
    expect((await api.call('GET', '/reports/nothing.csv', { cookie })).status).toBe(404);
    await api.close();
  });
});
