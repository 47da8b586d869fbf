import { setTimeout as sleep } from 'node:timers/promises';
import { CALM, FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';

jest.setTimeout(600_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number, local = 'ok-') => Array.from({ length: n }, () => local);

describe('killed processes', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  it('1: kill -9 of a random worker again and again', async () => {
    const count = long ? 10_000 : 800;
    await rig.reset();
    const env = { RATE_LIMIT_PER_SECOND: long ? '500' : '200' };
    await rig.startWorkers(3, env);
    await rig.send(await rig.mailing(letters(count)));
    let killed = 0;
    for (; (await rig.smtp.stats()).accepted < count * 0.8; killed++) {
      const { workers } = rig;
      await workers[rig.below(workers.length)]?.kill();
      await rig.startWorker(env);
      await sleep(long ? 2_000 : 500);
    }
    await rig.quiet(30_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: count, killedWorkers: killed });
    rig.note('1 kill -9 of a random worker', measured, killed);
    expect(measured.states).toEqual({ sent: count });
    expect(killed).toBeGreaterThan(0);
  });

  it('2: a kill at each step of a run: created, planning, planned, fed, drained', async () => {
    await rig.reset({}, { GONETS_FAILPOINT: 'run-created' });
    const mailing = await rig.mailing(letters(40));
    await expect(rig.send(mailing, 'again')).rejects.toThrow();
    await rig.startApi();
    const runId = await rig.send(mailing, 'again');
    for (const point of ['planning-page', 'planned', 'fed', 'run-drained']) {
      const worker = await rig.startWorker({ GONETS_FAILPOINT: point });
      await worker.ends();
      expect(worker.log).toContain(`failpoint ${point}`);
    }
    await rig.startWorker();
    await rig.quiet(15_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 40 });
    rig.note('2 kill at each step of a run', measured, 5);
    expect(runId).toBe(1);
    expect(measured.states).toEqual({ sent: 40 });
  });

  it('2: a kill at each step of a letter: claimed, before and after the dot, after the reply, recorded', async () => {
    await rig.reset();
    const points = ['claimed@3', 'before-dot@2', 'after-dot@4', 'after-reply@3', 'recorded@5'];
    const workers = await Promise.all(points.map((point) => rig.startWorker({ GONETS_FAILPOINT: point })));
    await rig.send(await rig.mailing(letters(300)));
    await Promise.all(workers.map((worker) => worker.ends()));
    for (const [i, worker] of workers.entries()) expect(worker.log).toContain(`failpoint ${points[i]?.split('@')[0]}`);
    await rig.startWorker();
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, {
      deathsAfterDot: true,
      deliveries: 300,
      killedWorkers: points.length,
    });
    rig.note('2 kill at each step of a letter', measured, points.length);
    expect(measured.states).toEqual({ sent: 300 });
    expect(measured.unknownAttempts).toBeGreaterThanOrEqual(4);
  });

  it('2: under the policy hold a killed worker leaves unknown deliveries and no copy, and both hands can decide', async () => {
    // Each reply takes a while, so that other letters are on their way when the worker dies.
    await rig.reset({ replyDelayMs: 40 });
    const worker = await rig.startWorker({ GONETS_FAILPOINT: 'after-reply@6' });
    const runId = await rig.send(await rig.mailing(letters(60), { onUnknown: 'hold' }));
    await worker.ends();
    await rig.startWorker();
    await rig.quiet(20_000);
    const held = await checkInvariants(rig, { deathsAfterDot: true, copies: false, deliveries: 60, killedWorkers: 1 });
    expect(held.states.unknown).toBeGreaterThan(1);
    const unknown = await rig.query<{ id: string }>(`SELECT id FROM deliveries WHERE status = 'unknown' ORDER BY id`);
    const [first, ...rest] = unknown.map(({ id }) => Number(id));
    expect((await rig.call('POST', `/deliveries/${first}/mark-sent`)).status).toBeLessThan(300);
    for (const id of rest) expect((await rig.call('POST', `/deliveries/${id}/resend`)).status).toBeLessThan(300);
    await rig.quiet(15_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 60 });
    rig.note('2 kill under the policy hold, then resent by hand', measured, 1);
    expect(measured.states).toEqual({ sent: 60 });
    expect(await rig.query(`SELECT count(*)::int AS n FROM deliveries WHERE marked_by = 1`)).toEqual([{ n: 1 }]);
    expect((await rig.call('GET', `/runs/${runId}`)).body).toMatchObject({ status: 'done' });
  });

  it('5: kill -9 of the API while it starts a large mailing; the client repeats with the same key', async () => {
    const count = long ? 30_000 : 2_000;
    await rig.reset();
    const mailing = await rig.mailing(letters(count));
    await rig.startWorkers(2, CALM);
    const first = rig.send(mailing, 'key').catch(() => 0);
    await sleep(rig.below(30));
    await rig.api.kill();
    const before = await first;
    await rig.startApi();
    const runId = await rig.send(mailing, 'key');
    if (before) expect(runId).toBe(before);
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: count });
    rig.note('5 kill -9 of the API while it starts', measured, 1);
  });

  it('10: a hundred sends at once, to two API processes, are one run', async () => {
    await rig.reset();
    const mailing = await rig.mailing(letters(50));
    const one = rig.api;
    const two = await rig.startSecondApi();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        rig.call<{ runId: number; code?: string }>('POST', `/mailings/${mailing}/send`, undefined, {
          ...(i % 2 ? { 'idempotency-key': 'same' } : {}),
          'x-api': i % 3 ? one.url : two.url,
        }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.body.runId))).toEqual(new Set([1]));
    for (const { status, body } of answers) expect([202, body.code === 'MAILING_SENDING' ? 409 : 0]).toContain(status);
    await rig.startWorker(CALM);
    await rig.quiet(15_000);
    rig.note('10 a hundred sends at once', await checkInvariants(rig, { deathsAfterDot: false, deliveries: 50 }), 0);
    expect(await rig.query('SELECT count(*)::int AS n FROM runs')).toEqual([{ n: 1 }]);
  });

  it('12: everything killed at once, mail server included', async () => {
    const count = long ? 5_000 : 400;
    await rig.reset();
    const env = { RATE_LIMIT_PER_SECOND: long ? '500' : '150' };
    await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(letters(count)));
    await rig.accepted(count / 4);
    await Promise.all([
      ...rig.workers.map((worker) => worker.kill()),
      rig.api.kill(),
      rig.postgres.kill(),
      rig.redis.kill(),
      rig.smtp.kill('SIGKILL'),
    ]);
    await Promise.all([rig.postgres.start(), rig.redis.start(), rig.restartSmtp()]);
    await Promise.all([rig.startApi(), rig.startWorkers(2, env)]);
    await rig.quiet(40_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: count, killedWorkers: 2 });
    rig.note('12 everything killed at once', measured, 6);
    expect(measured.states).toEqual({ sent: count });
  });
});
