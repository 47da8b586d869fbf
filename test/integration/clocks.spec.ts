import { Queue, Worker } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientWork } from '../../src/features/clients/client-work.service';
import type { SchedulerService } from '../../src/features/scheduling/scheduler.service';
import { WorkerRegistry } from '../../src/features/ledger/worker-registry.service';
import { Limits } from '../../src/queue/limits';
import { type PlanJob, SCHEDULE_QUEUE } from '../../src/queue/queues';
import { redisOptions } from '../../src/queue/redis-options';
import { shortenLocks } from '../../src/queue/redis-clock';
import { ClockRepair } from '../../src/worker/clock-repair';
import { PlanProcessor } from '../../src/worker/plan.processor';
import { RepeatableJobs } from '../../src/worker/repeatable-jobs';
import { Rounds } from '../../src/worker/rounds';
import type { Sweep } from '../../src/worker/sweep';
import { Ledger, silent } from '../support/ledger';
import { eventually } from '../support/service';

const HOUR = 3_600_000;

describe('clocks', () => {
  let ledger: Ledger;
  const done: string[] = [];

  beforeAll(async () => {
    ledger = await Ledger.start({
      HEARTBEAT_MS: '100',
      TAKEOVER_MS: '1000',
      SCHEDULER_INTERVAL_MS: '60000',
      SWEEP_INTERVAL_MS: '60000',
    });
  });

  afterAll(() => ledger.stop());

  beforeEach(async () => {
    done.length = 0;
    await ledger.query('DELETE FROM workers');
    await ledger.query(`UPDATE rounds SET begun_at = '-infinity'`);
  });

  describe('liveness', () => {
    const started: WorkerRegistry[] = [];

    async function worker(): Promise<WorkerRegistry> {
      const registry = new WorkerRegistry(ledger.database, ledger.config, silent);
      started.push(registry);
      await registry.register();
      return registry;
    }

    /** As a process that was killed: it says nothing more, not even that it stops. */
    const kill = (registry: WorkerRegistry) => clearInterval((registry as unknown as { timer: NodeJS.Timeout }).timer);
    const stopped = async (registry: WorkerRegistry) =>
      (await ledger.query('SELECT FROM workers WHERE id = $1 AND stopped_at IS NOT NULL', [registry.id])).length === 1;

    afterEach(async () => {
      await Promise.all(started.splice(0).map((registry) => registry.stop()));
    });

    it.each(['past', 'future'])(
      'a silent worker is found, although its heartbeat lies in the %s; a living one never',
      async (when) => {
        const [watcher, living, dead] = [await worker(), await worker(), await worker()];
        kill(dead);
        const shift = when === 'past' ? '-1 hour' : '1 hour';
        const disturb = setInterval(
          () =>
            void ledger.query(`UPDATE workers SET heartbeat_at = heartbeat_at + $2::interval WHERE id = $1`, [
              living.id,
              shift,
            ]),
          70,
        );
        await ledger.query('UPDATE workers SET heartbeat_at = heartbeat_at + $2::interval WHERE id = $1', [
          dead.id,
          shift,
        ]);
        await sleep(700);
        expect(await stopped(dead)).toBe(false);
        await eventually(() => stopped(dead), 'the silent worker being marked');
        await sleep(500);
        clearInterval(disturb);
        expect([await stopped(living), await stopped(watcher)]).toEqual([false, false]);
        expect([living.epoch, watcher.epoch]).toEqual([0, 0]);
      },
    );

    it('a worker that comes back is counted again, and has dropped what it held', async () => {
      const [, frozen] = [await worker(), await worker()];
      kill(frozen);
      await eventually(() => stopped(frozen), 'the silent worker being marked');
      expect(frozen.alive).toBe(false);
      await frozen.beat();
      expect({ stopped: await stopped(frozen), epoch: frozen.epoch, alive: frozen.alive }).toEqual({
        stopped: false,
        epoch: 1,
        alive: true,
      });
    });

    it('a stopped worker is not alive again by a heartbeat that was under way', async () => {
      const registry = await worker();
      const late = registry.beat();
      await registry.stop();
      await late;
      expect(registry.alive).toBe(false);
      expect(await stopped(registry)).toBe(true);
    });
  });

  describe('rounds', () => {
    const rounds = (): Rounds =>
      new Rounds(
        { tick: () => Promise.resolve(done.push('tick')) } as unknown as SchedulerService,
        { run: () => Promise.resolve(done.push('sweep')) } as unknown as Sweep,
        {
          catchUp: (ms: number) => Promise.resolve(done.push(`back ${Math.round(ms / HOUR)} h`)),
        } as unknown as ClockRepair,
        ledger.database,
        ledger.config,
        silent,
      );

    it('are done by one of all who ask, once in an interval', async () => {
      const workers = Array.from({ length: 5 }, rounds);
      await Promise.all(workers.map((one) => one.ask('tick')));
      await Promise.all(workers.map((one) => one.ask('tick')));
      expect(done).toEqual(['tick']);
      await ledger.query(`UPDATE rounds SET begun_at = begun_at - interval '1 minute'`);
      await Promise.all(workers.map((one) => one.ask('tick')));
      expect(done).toEqual(['tick', 'tick']);
    });

    it("are due at once when the database's clock was put back", async () => {
      await ledger.query(`UPDATE rounds SET begun_at = clock_timestamp() + interval '1 hour'`);
      await rounds().ask('tick');
      await rounds().ask('sweep');
      await rounds().ask('sweep');
      expect(done).toEqual(['tick', 'back 1 h', 'sweep']);
    });

    it('go on after one that failed', async () => {
      const failing = new Rounds(
        { tick: () => Promise.reject(new Error('no')) } as unknown as SchedulerService,
        {} as Sweep,
        {} as ClockRepair,
        ledger.database,
        ledger.config,
        silent,
      );
      await failing.ask('tick');
      await ledger.query(`UPDATE rounds SET begun_at = begun_at - interval '1 minute'`);
      await rounds().ask('tick');
      expect(done).toEqual(['tick']);
    });
  });

  describe('the repeatable jobs', () => {
    it.each([2 * HOUR, -2 * HOUR])(
      'are made anew if a node whose clock is off by %i ms made the next ones',
      async (off) => {
        const queue = new Queue(SCHEDULE_QUEUE, {
          connection: redisOptions(ledger.config.redisUrl),
          prefix: ledger.config.redisPrefix,
        });
        const schedule = { intervalMs: () => 60_000 } as unknown as Rounds;
        const jobs = new RepeatableJobs(queue, ledger.redis, ledger.database, schedule, silent);
        try {
          const real = Date.now;
          Date.now = () => real() + off;
          await jobs.keep().finally(() => (Date.now = real));
          await jobs.keep();
          const schedulers = await queue.getJobSchedulers();
          expect(schedulers.map(({ key }) => key).sort()).toEqual(['sweep', 'tick']);
          for (const { next = 0 } of schedulers) expect(next - Date.now()).toBeLessThan(120_000);
          for (const { next = 0, key } of schedulers) expect(await queue.getJob(`repeat:${key}:${next}`)).toBeDefined();
          const left = await queue.getJobs();
          expect(left.map(({ name }) => name).sort()).toEqual(['sweep', 'tick']);
        } finally {
          await queue.obliterate({ force: true });
          await queue.close();
        }
      },
    );
  });

  it('an import that goes on in another slice is due for all, although its node is two hours ahead', async () => {
    const connection = redisOptions(ledger.config.redisUrl);
    const options = { connection, prefix: ledger.config.redisPrefix, drainDelay: 1, stalledInterval: 60_000 };
    const queue = new Queue<PlanJob>('plan-ahead', options);
    let slices = 0;
    let worker: Worker | undefined;
    // The node that does the first slice fetches no more; then it dies.
    const resume = async () => {
      if (++slices === 1) await worker?.pause(true);
      return slices > 1;
    };
    const clients = { resume } as unknown as ClientWork;
    const unused = {} as never;
    const processor = new PlanProcessor(unused, unused, unused, clients, silent);
    const work = () => {
      const made: Worker = new Worker<PlanJob>(
        'plan-ahead',
        (job, token) => processor.process(job, token, made),
        options,
      );
      return made;
    };
    const real = Date.now;
    try {
      await queue.add('apply-import', { importId: 1 });
      Date.now = () => real() + 2 * HOUR;
      worker = work();
      await eventually(() => Promise.resolve(slices > 0), 'the first slice');
      await eventually(async () => (await queue.getDelayedCount()) === 1, 'the rest being put off');
      await worker.close(true);
      Date.now = real;
      worker = work();
      await eventually(() => Promise.resolve(slices > 1), 'the second slice, by another node');
    } finally {
      Date.now = real;
      await worker?.close(true);
      await queue.obliterate({ force: true });
      await queue.close();
    }
  });

  it("the database's clock put back: what waits for minutes does not wait for an hour more", async () => {
    const { runId, ids } = await ledger.plannedRun(1);
    const queue = ledger.queue as Queue;
    const repair = new ClockRepair(ledger.database, ledger.redis, ledger.feed, [queue], ledger.config, silent);
    const later = `clock_timestamp() + interval '61 minutes'`;
    await ledger.query(`UPDATE accounts SET state = 'waiting', retry_at = ${later}`);
    await ledger.query(`INSERT INTO domain_rests (domain, until_at, detail) VALUES ('example.com', ${later}, '')`);
    await ledger.query(`UPDATE runs SET status = 'sending' WHERE id = $1`, [runId]);
    await ledger.query(
      `UPDATE deliveries SET status = 'deferred', attempts = 1, next_attempt_at = ${later} WHERE id = $1`,
      [ids[0]],
    );
    await repair.catchUp(HOUR);
    const [waits] = await ledger.query<Record<string, Date>>(
      `SELECT (SELECT retry_at FROM accounts WHERE id = 1), (SELECT until_at FROM domain_rests), (SELECT next_attempt_at FROM deliveries WHERE id = $1)`,
      [ids[0]],
    );
    for (const at of Object.values(waits ?? {}))
      expect(Math.abs(at.getTime() - Date.now() - 60_000)).toBeLessThan(30_000);
    await ledger.query(`UPDATE accounts SET state = 'open', retry_at = NULL`);
  });

  describe("Redis' clock put back", () => {
    it('jobs of a dead worker come back, although their locks would last an hour', async () => {
      const connection = redisOptions(ledger.config.redisUrl);
      const options = {
        connection,
        prefix: ledger.config.redisPrefix,
        lockDuration: 1_000,
        stalledInterval: 500,
        drainDelay: 1,
      };
      const queue = new Queue('put-back', options);
      let dead: Worker | undefined;
      let living: Worker | undefined;
      try {
        await queue.add('job', {}, { jobId: 'one' });
        dead = new Worker('put-back', () => new Promise(() => undefined), { ...options, skipLockRenewal: true });
        await eventually(async () => (await queue.getActiveCount()) === 1, 'the job being active');
        await dead.close(true);
        const client = ledger.redis.client;
        await client.pexpire(queue.toKey('one:lock'), HOUR);
        await client.set(queue.toKey('stalled-check'), '1', 'PX', HOUR);
        expect(await shortenLocks(client, queue, 1_000)).toBe(2);
        expect(await shortenLocks(client, queue, 1_000)).toBe(0);
        living = new Worker('put-back', (job) => Promise.resolve(done.push(String(job.id))), options);
        await eventually(() => Promise.resolve(done.includes('one')), 'the job being done by another');
      } finally {
        await living?.close(true);
        await queue.obliterate({ force: true });
        await queue.close();
      }
    });

    it('a limit that would last an hour longer is forgotten', async () => {
      const limits = new Limits(ledger.redis, { ...ledger.config, apiCallsPerMinute: 2 });
      await limits.take('callsUser', 1);
      await limits.take('callsUser', 1);
      await expect(limits.take('callsUser', 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      const [key] = (await ledger.redis.client.keys('*limit:callsUser*')).filter((name) =>
        name.startsWith(ledger.config.redisPrefix),
      );
      await ledger.redis.client.pexpire(key ?? '', HOUR);
      await limits.take('callsUser', 1);
      await limits.take('callsUser', 1);
      await limits.take('callsUser', 1);
      await expect(limits.take('callsUser', 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    });
  });
});
