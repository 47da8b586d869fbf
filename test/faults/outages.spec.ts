import { setTimeout as sleep } from 'node:timers/promises';
import { CALM, FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';

jest.setTimeout(900_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number, local = 'ok-') => Array.from({ length: n }, () => local);
const TERMINATED = long ? 3_000 : 500;
const DOWN_MS = long ? [1_000, 10_000, 60_000] : [500, 2_500];

describe('Redis and Postgres', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  it('6: kill -9 of Redis; starts are accepted meanwhile, at once, and sending resumes', async () => {
    await rig.reset();
    const env = { ...CALM, RATE_LIMIT_PER_SECOND: '150' };
    await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(letters(500)));
    let accepted = 50;
    for (const downMs of DOWN_MS) {
      await rig.accepted(accepted);
      await rig.redis.kill();
      const startedAt = performance.now();
      const more = await rig.mailing(letters(20));
      await rig.send(more);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      await sleep(downMs);
      await rig.redis.start();
      accepted += 100;
    }
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 500 + 20 * DOWN_MS.length });
    rig.note('6 kill -9 of Redis', measured, DOWN_MS.length);
  });

  it('6: Redis frozen, so that it neither answers nor refuses; starts are accepted all the same', async () => {
    await rig.reset();
    await rig.startWorkers(2, CALM);
    const mailing = await rig.mailing(letters(50));
    process.kill(rig.redis.pid ?? 0, 'SIGSTOP');
    const answer = rig.send(mailing).then(() => 'accepted');
    const soon = await Promise.race([answer, sleep(4_000, 'no answer')]);
    process.kill(rig.redis.pid ?? 0, 'SIGCONT');
    expect(soon).toBe('accepted');
    await rig.quiet(20_000);
    rig.note('6 Redis frozen', await checkInvariants(rig, { deathsAfterDot: false, deliveries: 50 }), 0);
  });

  it('6: FLUSHALL five times, and the loss of single keys', async () => {
    await rig.reset();
    const env = { ...CALM, RATE_LIMIT_PER_SECOND: '150' };
    await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(letters(500)));
    for (let i = 1; i <= 5; i++) {
      await rig.accepted(i * 50);
      await rig.flushRedis();
    }
    await rig.accepted(350);
    await rig.evict(0.5);
    await rig.quiet(30_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 500 });
    rig.note('6 FLUSHALL five times, then half of the keys lost', measured, 0);
    // The calendar goes on, too: its jobs live in Redis.
    await rig.evict(1, /repeat:sweep:\d/);
    await rig.query(
      `UPDATE mailings SET status = 'started', joined_from = NULL, end_at = now() - interval '1 second', start_at = now() - interval '1 day'`,
    );
    await rig.eventually(async () => {
      const rows = await rig.query<{ n: number }>(`SELECT count(*)::int AS n FROM mailings WHERE status <> 'done'`);
      return rows[0]?.n === 0;
    });
  });

  it('7: Postgres stopped in anger while records are written', async () => {
    await rig.reset();
    const env = { RATE_LIMIT_PER_SECOND: '150' };
    await rig.startWorkers(2, env);
    const mailing = await rig.mailing(letters(500));
    await rig.send(mailing);
    let accepted = 50;
    for (const downMs of DOWN_MS) {
      await rig.accepted(accepted);
      await rig.postgres.stop('immediate');
      expect((await rig.call('GET', '/mailings')).status).toBe(503);
      await sleep(downMs);
      await rig.postgres.start();
      accepted += 100;
    }
    await rig.quiet(60_000);
    // No process died: what was taken over by mistake while Postgres was away is corrected by those who know.
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 500 });
    rig.note('7 Postgres stop -m immediate', measured, DOWN_MS.length);
    expect(measured.states).toEqual({ sent: 500 });
    expect(measured.extraCopies).toBe(0);
    for (const worker of rig.workers) expect(worker.alive).toBe(true);
    expect(rig.workers).toHaveLength(2);
  });

  it('7: all sessions of Postgres terminated again and again', async () => {
    await rig.reset();
    const env = { RATE_LIMIT_PER_SECOND: '200', ...CALM };
    await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(letters(TERMINATED)));
    let times = 0;
    for (; (await rig.counts()).sent !== TERMINATED && times < 200; times++) {
      await rig.terminateSessions();
      await sleep(long ? 3_000 : 100 + rig.below(300));
    }
    await rig.quiet(30_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: TERMINATED });
    rig.note('7 all sessions of Postgres terminated', measured, times);
    expect(measured.states).toEqual({ sent: TERMINATED });
    expect({ workers: rig.workers.length, said: rig.workers.length === 2 ? '' : rig.tails() }).toEqual({
      workers: 2,
      said: '',
    });
  });

  it('an outage of the mail server is a visible wait, and no failure', async () => {
    await rig.reset();
    await rig.startWorkers(2, { RATE_LIMIT_PER_SECOND: '150' });
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(50);
    await rig.smtp.behave({ refuseConnections: true });
    await rig.smtp.dropConnections();
    // Until the first probe the reason may be the replies that were lost with the connections.
    await rig.eventually(
      async () => {
        const { body } = await rig.call<{ state: string; reason: string }>('GET', '/transport');
        return body.state === 'waiting' && body.reason === 'connection_failed';
      },
      20_000,
      'waiting for connections',
    );
    await rig.smtp.behave({ refuseConnections: false });
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 300 });
    rig.note('mail server away', measured, 0);
    expect(measured.states).toEqual({ sent: 300 });
  });
});
