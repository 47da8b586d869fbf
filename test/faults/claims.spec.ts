import { setTimeout as sleep } from 'node:timers/promises';
import { CALM, FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';

jest.setTimeout(900_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number, local = 'ok-') => Array.from({ length: n }, () => local);

/** Promise P4: a dead worker's letter is unknown only where its dot may have gone out. */
describe('what a killed worker held', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  const lost = async () => {
    const [row] = await rig.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM attempts WHERE reason = 'worker_lost'`,
    );
    return row?.n ?? 0;
  };

  it('is at most 1.3 times its connections behind a server that takes 20 ms for a reply', async () => {
    const connections = 10;
    const count = long ? 5_000 : 900;
    for (let round = 0; round < (long ? 10 : 2); round++) {
      await rig.reset({ replyDelayMs: 20 });
      const workers = await rig.startWorkers(2, { SMTP_CONNECTIONS: String(connections) });
      await rig.send(await rig.mailing(letters(count)));
      await rig.accepted(count / 3 + rig.below(count / 6), 120_000);
      await Promise.all(workers.map((worker) => worker.kill()));
      await rig.startWorker();
      await rig.quiet(90_000);
      const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: count, killedWorkers: 4 });
      rig.note('P4 two workers killed behind a slow server', measured, 2);
      expect(measured.states).toEqual({ sent: count });
      expect(await lost()).toBeLessThanOrEqual(2 * 1.3 * connections);
      expect(await lost()).toBeGreaterThan(0);
    }
  });

  it('is at most five behind a server that takes three connections, and all get their letter', async () => {
    await rig.reset({ maxConnections: 3, replyDelayMs: 20 });
    const worker = await rig.startWorker({ SMTP_CONNECTIONS: '10' });
    await rig.send(await rig.mailing(letters(150)));
    await rig.accepted(50);
    await worker.kill();
    await rig.startWorker({ SMTP_CONNECTIONS: '10' });
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 150 });
    rig.note('P4 killed behind a server that takes three connections', measured, 1);
    expect(measured.states).toEqual({ sent: 150 });
    expect(await lost()).toBeLessThanOrEqual(5);
  });

  it.each([
    ['refuses connections', { refuseConnections: true }],
    ['is silent', { at: { greeting: { do: 'stall' } } }],
  ] as const)('is nothing while the server %s', async (_, behaviour) => {
    await rig.reset({ behaviour });
    const worker = await rig.startWorker(CALM);
    await rig.send(await rig.mailing(letters(100)));
    await rig.eventually(async () => (await rig.jobs()) > 0, 20_000, 'jobs in the queue');
    await sleep(1_000);
    expect(await rig.counts()).toEqual({ pending: 100 });
    await worker.kill();
    await rig.smtp.behave({ refuseConnections: false, at: {} });
    await rig.startWorker();
    await rig.quiet(30_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 100 });
    rig.note('P4 killed while the server is away', measured, 1);
    expect(measured.states).toEqual({ sent: 100 });
  });

  it('under the policy hold is only what had a connection; what was ahead of it goes out by itself', async () => {
    await rig.reset({ replyDelayMs: 100 });
    const worker = await rig.startWorker({ SMTP_CONNECTIONS: '10' });
    await rig.send(await rig.mailing(letters(200), { onUnknown: 'hold' }));
    await rig.accepted(60, 60_000);
    await rig.eventually(async () => ((await rig.counts()).sending ?? 0) > 10, 20_000, 'claims ahead');
    await worker.kill();
    const [held] = await rig.query<{ all: number; offered: number }>(
      `SELECT count(*)::int AS all, (count(*) FILTER (WHERE offered))::int AS offered FROM deliveries WHERE status = 'sending'`,
    );
    await rig.startWorker();
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, copies: false, deliveries: 200 });
    rig.note('P4 killed under the policy hold', measured, 1);
    // Ten connections, and the answers that were not written down yet.
    expect(held?.offered).toBeLessThanOrEqual(13);
    expect(measured.states).toEqual({ sent: 200 - (held?.offered ?? 0), unknown: held?.offered });
  });
});
