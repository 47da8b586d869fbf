import { FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import { SAME_NO, storm, type StormOptions } from '../support/storm';

/** A short storm; `npm run test:soak -- --storm` runs a long one by STORM. */
const SHORT: StormOptions = { mailings: 12, clientsEach: 8, days: 6, dayMs: 12_000, workers: 2, restMs: 500 };
const options = { ...SHORT, ...(JSON.parse(process.env.STORM ?? '{}') as Partial<StormOptions>) };

const TOLD_NO = 'failed policy_refused';
/** So many a worker are charged at most before everybody's getting the same no is noticed. */
const CHARGED_PER_WORKER = 10;

jest.setTimeout(options.days * options.dayMs * 3 + 600_000);

describe('everything that can go wrong, in any order', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  it('leaves as many runs as occurrences, nobody without a letter, and no copy that nothing explains', async () => {
    const report = await storm(rig, options);
    process.stderr.write(`${JSON.stringify(report)}\n`);
    await checkInvariants(rig, { deathsAfterDot: true });
    expect(report).toMatchObject({ unlike: [], fatal: [] });
    expect(Object.values(report.runs).reduce((a, b) => a + b, 0)).toBe(report.occurrences);
    expect(report.copies).toBeLessThanOrEqual(report.unknownAttempts);
    // The faults leave time to send, or they would prove nothing.
    expect(report.states.sent).toBeGreaterThan(Object.values(report.states).reduce((a, b) => a + b, 0) / 10);
    // What was tried and not sent when its mailing ended has failed for that reason alone. Some may be told the same no just
    // before the server takes letters again; then nothing shows that it was not about them.
    const { [TOLD_NO]: toldNo = 0, ...states } = report.states;
    expect(toldNo).toBeLessThanOrEqual((report.faults[SAME_NO] ?? 0) * CHARGED_PER_WORKER * options.workers);
    // A reply that was thought lost may turn out, after the mailing's end, to be a refusal for our own sake: too late to try again.
    const allowed = /^(sent$|unknown |skipped ended$|failed (ended|worker_lost)$)/;
    const wrong = Object.keys(states).filter((name) => !allowed.test(name));
    expect(wrong).toEqual([]);
  });
});
