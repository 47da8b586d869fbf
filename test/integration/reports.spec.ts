import { ReportsService } from '../../src/features/statistics/reports.service';
import { Ledger } from '../support/ledger';

let ledger: Ledger;

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
    const viewer = { userId: 1, role: 'user' as const };
    const report = await reports.report(viewer, { by: 'day', from: day, to: day, timeZone });
    const reasons = Object.fromEntries(report.reasons.map(({ reason, failed }) => [reason, failed]));
    expect(report.total.failed).toBe(Object.keys(reasons).length);
    return reasons;
  };
  expect(await of('2027-03-10')).toEqual(first);
  expect(await of('2027-03-11')).toEqual(second);
});
