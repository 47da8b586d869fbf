import { Redis } from 'ioredis';
import { FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import type { Program } from '../support/program';

jest.setTimeout(600_000);

const HOURS = 2 * 3_600_000;
const KEY = '{gonets}:schedule:';
const letters = (n: number) => Array.from({ length: n }, () => 'ok-');

/** What wrong clocks leave behind. That of the machines themselves is changed by test/servers/clocks.spec.ts. */
describe('clocks', () => {
  let rig: FaultRig;
  let redis: Redis;

  beforeAll(async () => {
    rig = await FaultRig.start();
    redis = new Redis(rig.redis.url);
  });

  afterAll(async () => {
    redis?.disconnect();
    await rig?.stop();
  });

  /** As after a node whose clock was ahead: the next tick and sweep lie hours away. */
  async function putAhead(): Promise<void> {
    for (const name of ['tick', 'sweep']) {
      const next = await redis.zscore(`${KEY}repeat`, name);
      if (next === null) continue;
      const later = Number(next) + HOURS;
      await redis.zadd(`${KEY}repeat`, later, name);
      const renamed = await redis
        .rename(`${KEY}repeat:${name}:${next}`, `${KEY}repeat:${name}:${later}`)
        .catch(() => null);
      await redis.zrem(`${KEY}delayed`, `repeat:${name}:${next}`);
      if (renamed) await redis.zadd(`${KEY}delayed`, String(later * 0x1000), `repeat:${name}:${later}`);
    }
    await redis.zadd(`${KEY}marker`, Date.now() + HOURS, '1');
  }

  /** A due mailing is sent by the next tick, and a letter whose job was lost is brought back by the sweep. */
  async function goesOn(what: string): Promise<void> {
    const id = await rig.mailing(letters(3));
    await rig.query(`UPDATE mailings SET status = 'started', next_run_at = start_at WHERE id = $1`, [id]);
    await rig.eventually(
      async () => {
        const [row] = await rig.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE r.mailing_id = $1 AND d.status = 'sent'`,
          [id],
        );
        return row?.n === 3;
      },
      20_000,
      what,
    );
  }

  it('next tick and sweep two hours away in Redis: they come all the same, and the repeatable jobs are made anew', async () => {
    await rig.reset();
    const first = await rig.startWorker();
    await goesOn('before');
    await rig.eventually(async () => (await redis.zcard(`${KEY}repeat`)) === 2);
    await putAhead();
    await goesOn('with the next tick hours away');
    await putAhead();
    await first.kill();
    await rig.startWorker();
    await goesOn('after a restart');
    await rig.eventually(
      async () => {
        const next = await redis.zrange(`${KEY}repeat`, '0', '-1', 'WITHSCORES');
        return next.length === 4 && Number(next[1]) < Date.now() + 60_000 && Number(next[3]) < Date.now() + 60_000;
      },
      20_000,
      'the repeatable jobs made anew',
    );
  });

  it("without any repeatable job, and with the last rounds in the database's future", async () => {
    await rig.reset();
    // It would make them anew with its next look, in a minute.
    await rig.startWorker({ SWEEP_INTERVAL_MS: '60000' });
    await rig.eventually(async () => (await redis.zcard(`${KEY}repeat`)) === 2);
    await rig.query(`UPDATE rounds SET begun_at = clock_timestamp() + interval '2 hours'`);
    // One that is at work adds the next: none is left only when none came back.
    await rig.eventually(async () => {
      const keys = (await redis.keys(`${KEY}*`)).filter((key) => !/:(meta|id|events|marker|stalled-check)$/.test(key));
      if (keys.length > 0) await redis.del(...keys);
      await new Promise((done) => setTimeout(done, 2_000));
      return keys.length === 0;
    });
    await goesOn('without repeatable jobs');
    expect(await redis.zcard(`${KEY}repeat`)).toBe(0);
  });

  it.each(['- 1 hour', '+ 2 hours'])(
    'heartbeats that show another time (%s) neither kill a living worker nor keep a dead one alive',
    async (shift) => {
      await rig.reset();
      const env = { RATE_LIMIT_PER_SECOND: '60', TAKEOVER_MS: '3000' };
      const [dead, living] = (await rig.startWorkers(2, env)) as [Program, Program];
      await rig.send(await rig.mailing(letters(300)));
      await rig.accepted(30);
      await dead.kill();
      const step = () =>
        rig.query(
          `UPDATE workers SET heartbeat_at = heartbeat_at ${shift.replace(' ', " interval '")}' WHERE stopped_at IS NULL`,
        );
      await step();
      const stepping = setInterval(() => void step().catch(() => undefined), 20_000);
      try {
        await rig.quiet(40_000);
      } finally {
        clearInterval(stepping);
      }
      const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 300, killedWorkers: 1 });
      rig.note(`1 heartbeats ${shift}`, measured, 1);
      expect(measured.states).toEqual({ sent: 300 });
      expect(living.alive).toBe(true);
      expect(living.log).not.toContain('worker.fenced');
    },
  );

  it('after an outage of Postgres longer than TAKEOVER_MS everybody has time for a heartbeat', async () => {
    await rig.reset();
    const env = { RATE_LIMIT_PER_SECOND: '60' };
    await rig.startWorkers(3, env);
    await rig.send(await rig.mailing(letters(150)));
    await rig.accepted(20);
    await rig.postgres.stop('immediate');
    await new Promise((done) => setTimeout(done, 5_000));
    await rig.postgres.start();
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 150 });
    rig.note('7 Postgres away for longer than the take-over', measured, 0);
    for (const worker of rig.workers) expect(worker.log).not.toMatch(/worker.lost|sweep.taken_over/);
  });
});
