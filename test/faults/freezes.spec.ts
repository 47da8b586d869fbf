import { setTimeout as sleep } from 'node:timers/promises';
import { CALM, FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';

jest.setTimeout(600_000);

const letters = (n: number, local = 'ok-') => Array.from({ length: n }, () => local);

describe('frozen and stopping processes', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  it('3: a worker frozen past its take-over, just before a dot, writes no further dot when it wakes', async () => {
    await rig.reset();
    const frozen = await rig.startWorker({ GONETS_FAILPOINT: 'before-dot@5:SIGSTOP', SMTP_CONNECTIONS: '1' });
    await rig.send(await rig.mailing(letters(100)));
    await frozen.says(/failpoint before-dot/);
    await rig.startWorker();
    await rig.quiet(20_000);
    const { accepted, transactions } = await rig.smtp.stats();
    frozen.signal('SIGCONT');
    await frozen.says(/worker.fenced/);
    await sleep(500);
    // The letter before it may have gone out twice, as after a kill: its record was not written when the worker froze.
    expect(await rig.smtp.stats()).toMatchObject({ accepted, transactions });
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 100, killedWorkers: 1 });
    rig.note('3 SIGSTOP past the take-over, then SIGCONT', measured, 1);
    expect(measured.states).toEqual({ sent: 100 });
    expect(measured.unknownAttempts).toBeGreaterThan(0);
  });

  it('3: a worker frozen with a reply in its socket corrects its unknown attempt when it wakes', async () => {
    await rig.reset({ behaviour: { at: { dot: { do: 'stall', times: 0 } } } });
    // Far longer than it takes to learn of the reply: else this would wait for the grace to end.
    const env = { UNKNOWN_GRACE_MS: '120000' };
    const frozen = await rig.startWorker({ ...env, GONETS_FAILPOINT: 'after-dot@5:SIGSTOP' });
    await rig.send(await rig.mailing(letters(5)));
    await frozen.says(/failpoint after-dot/);
    await rig.startWorker(env);
    await rig.eventually(async () => (await rig.counts()).deferred !== undefined && !(await rig.counts()).sending);
    const [taken] = await rig.query<{ n: number }>(`SELECT count(*)::int AS n FROM attempts WHERE status = 'unknown'`);
    expect(taken?.n).toBeGreaterThan(0);
    // On a slow disk the server may answer later than others take over; then there is nothing to read on waking.
    await rig.accepted(5);
    frozen.signal('SIGCONT');
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 5 });
    rig.note('3 the reply read after the take-over', measured, 1);
    expect(measured.states).toEqual({ sent: 5 });
  });

  it('3: a worker frozen while it feeds holds up nobody', async () => {
    await rig.reset();
    const frozen = await rig.startWorker({ GONETS_FAILPOINT: 'feeding:SIGSTOP' });
    await rig.send(await rig.mailing(letters(30)));
    await frozen.says(/failpoint feeding/);
    await rig.startWorker(CALM);
    await rig.quiet(15_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 30 });
    rig.note('3 SIGSTOP of the feeder', measured, 1);
    frozen.signal('SIGCONT');
    await frozen.says(/Worker is ready/);
  });

  it('4: a rolling restart by SIGTERM under load leaves no unknown attempt', async () => {
    await rig.reset();
    const env = { RATE_LIMIT_PER_SECOND: '150', ...CALM, SHUTDOWN_MS: '20000' };
    await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(letters(600)));
    await rig.accepted(50);
    for (let i = 0; i < 3; i++) {
      const [oldest] = rig.workers;
      const startedAt = performance.now();
      oldest?.signal('SIGTERM');
      // Whoever stops it may say so twice.
      oldest?.signal('SIGTERM');
      await Promise.all([oldest?.ends(), rig.startWorker(env)]);
      expect(performance.now() - startedAt).toBeLessThan(15_000);
      expect(oldest?.log).toContain('Worker has stopped');
    }
    await rig.quiet(30_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 600 });
    rig.note('4 rolling restart by SIGTERM', measured, 3);
    expect(measured.states).toEqual({ sent: 600 });
  });

  it('4: a worker stops within SHUTDOWN_MS although mail server, Redis and Postgres do not answer', async () => {
    await rig.reset({ behaviour: { at: { dot: { do: 'stall' } } } });
    const worker = await rig.startWorker({ SHUTDOWN_MS: '2000' });
    await rig.send(await rig.mailing(letters(20)));
    await rig.eventually(async () => (await rig.smtp.stats()).transactions >= 5);
    await rig.redis.kill();
    await rig.postgres.kill();
    const startedAt = performance.now();
    worker.signal('SIGTERM');
    await worker.ends();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await Promise.all([rig.postgres.start(), rig.redis.start()]);
    await rig.smtp.behave({ at: {} });
    await rig.startWorker();
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 20, killedWorkers: 1 });
    rig.note('4 SIGTERM while nothing answers', measured, 1);
  });

  it('a worker that does not consume any more ends itself', async () => {
    await rig.reset();
    const deaf = await rig.startWorker({ GONETS_FAILPOINT: 'deaf' });
    await rig.send(await rig.mailing(letters(10)));
    await deaf.ends();
    expect(deaf.log).toContain('worker.gave_up');
    await rig.startWorker();
    await rig.quiet(15_000);
    await checkInvariants(rig, { deathsAfterDot: false, deliveries: 10 });
  });
});
