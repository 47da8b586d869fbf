import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Job, Queue, Worker, type WorkerOptions, withBackend } from 'bullmq';
import { createBatchingBackend } from '../../src/queue/batching-backend';
import { redisOptions } from '../../src/queue/redis-options';
import { createTestRedis } from '../support/redis';

const testRedis = createTestRedis();
const Batching = withBackend(createBatchingBackend);
const NAME = 'letters';
const key = (part: string) => `${testRedis.prefix}:${NAME}:${part}`;
const connection = { ...redisOptions(testRedis.url), maxRetriesPerRequest: null };
const options = { connection, prefix: testRedis.prefix };

let redis: Redis;
let queue: Queue;
/** The same queue by BullMQ alone: it must see all as its own. */
let plain: Queue;
const workers: Worker[] = [];

beforeEach(async () => {
  await testRedis.drop();
  redis = new Redis(testRedis.url);
  queue = new Batching.Queue(NAME, options);
  plain = new Queue(NAME, options);
});

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close(true);
  await queue.close();
  await plain.close();
  redis.disconnect();
  await testRedis.drop();
});

function work(process: (job: Job) => unknown, more: Partial<WorkerOptions> = {}, WorkerClass = Batching.Worker) {
  const worker = new WorkerClass(NAME, (job: Job) => Promise.resolve(process(job)), {
    ...options,
    removeOnComplete: { count: 0 },
    concurrency: 20,
    drainDelay: 60,
    ...more,
  });
  const errors: string[] = [];
  worker.on('error', (error) => errors.push(error.message));
  workers.push(worker);
  return { worker, errors };
}

const jobs = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    name: 'deliver',
    data: { deliveryId: from + i },
    opts: { jobId: `${from + i}-1` },
  }));

async function until(condition: () => boolean | Promise<boolean>, ms = 60_000) {
  for (const end = Date.now() + ms; !(await condition()); await sleep(10))
    if (Date.now() > end) throw new Error('it did not become so in time');
}

const nobody = async () => (await queue.getJobCountByTypes('wait', 'active', 'prioritized', 'delayed')) === 0;

describe('adding', () => {
  it('stores what BullMQ stores, in its order', async () => {
    await queue.addBulk(jobs(1, 3));
    expect(await redis.exists(key('events'))).toBe(0);
    await plain.addBulk(jobs(4, 6));
    expect(await redis.lrange(key('wait'), 0, -1)).toEqual(['6-1', '5-1', '4-1', '3-1', '2-1', '1-1']);
    const ours = await redis.hgetall(key('3-1'));
    const theirs = await redis.hgetall(key('4-1'));
    const stored = (hash: Record<string, string>) => ({
      ...hash,
      opts: JSON.parse(hash.opts ?? '') as unknown,
      timestamp: 'a number',
    });
    expect(stored(ours)).toEqual({ ...stored(theirs), data: '{"deliveryId":3}', opts: { attempts: 0, jobId: '3-1' } });
    expect(Number(ours.timestamp)).toBeCloseTo(Number(theirs.timestamp), -4);
    expect((await plain.getJob('3-1'))?.data).toEqual({ deliveryId: 3 });
  });

  it('does not add a job again that is there', async () => {
    const added = [...jobs(1, 2), ...jobs(2, 3)];
    expect((await queue.addBulk(added)).map(({ id }) => id)).toEqual(['1-1', '2-1', '2-1', '3-1']);
    await queue.addBulk(jobs(1, 3));
    expect(await redis.lrange(key('wait'), 0, -1)).toEqual(['3-1', '2-1', '1-1']);
  });

  it('leaves to BullMQ what asks for more than an id', async () => {
    await queue.addBulk([
      { name: 'late', data: 1, opts: { jobId: 'late', delay: 60_000 } },
      { name: 'first', data: 2, opts: { jobId: 'first', priority: 1 } },
      { name: 'nameless', data: 3 },
    ]);
    expect(await queue.getJobCounts('waiting', 'delayed', 'prioritized')).toEqual({
      waiting: 1,
      delayed: 1,
      prioritized: 1,
    });
  });

  it('wakes a worker that waits, but not for a paused queue', async () => {
    const done: number[] = [];
    const { worker } = work((job) => void done.push((job.data as { deliveryId: number }).deliveryId));
    await worker.waitUntilReady();
    await sleep(200);
    await queue.addBulk(jobs(1, 2));
    await until(() => done.length === 2);
    await queue.pause();
    await queue.addBulk(jobs(3, 4));
    await sleep(300);
    expect(done).toEqual([1, 2]);
    await queue.resume();
    await until(() => done.length === 4);
  });
});

describe('ending and fetching', () => {
  it.each([
    ['alone', [Batching.Worker, Batching.Worker]],
    ['beside a worker of BullMQ', [Batching.Worker, Worker]],
  ])('works each job once and leaves nothing behind, %s', async (_, classes) => {
    const done: number[] = [];
    const errors = classes.map(
      (WorkerClass) =>
        work(
          async (job) => {
            await sleep(Math.random() * 5);
            done.push((job.data as { deliveryId: number }).deliveryId);
          },
          {},
          WorkerClass,
        ).errors,
    );
    for (let from = 1; from <= 2_000; from += 500) await queue.addBulk(jobs(from, from + 499));
    await until(nobody);
    expect([...done].sort((a, b) => a - b)).toEqual(jobs(1, 2_000).map(({ data }) => data.deliveryId));
    expect(errors.flat()).toEqual([]);
    const events = (await redis.xrange(key('events'), '-', '+')).map(([, fields]) => fields[1]);
    expect(events.includes('completed')).toBe(classes.some((WorkerClass) => WorkerClass === Worker));
    const left = (await testRedis.keys()).map((k) => k.slice(key('').length));
    expect(left.filter((part) => /-1/.test(part))).toEqual([]);
  });

  it('takes any number at once', async () => {
    let go = () => {};
    const together = new Promise<void>((resolve) => (go = resolve));
    let begun = 0;
    const { errors } = work(
      async () => {
        begun++;
        await together;
      },
      { concurrency: 9_000, lockDuration: 120_000 },
    );
    await queue.addBulk(jobs(1, 9_500));
    await until(() => begun === 9_000, 60_000);
    go();
    await until(nobody);
    expect({ begun, errors }).toEqual({ begun: 9_500, errors: [] });
  });

  it('takes a finished job on again when it is added again', async () => {
    let count = 0;
    work(() => void count++);
    await queue.addBulk(jobs(1, 1));
    await until(() => count === 1);
    await until(nobody);
    await queue.addBulk(jobs(1, 1));
    await until(() => count === 2);
  });

  it('ends the others when one of a batch has lost its lock', async () => {
    let go = () => {};
    const together = new Promise<void>((resolve) => (go = resolve));
    let begun = 0;
    const { errors } = work(async () => {
      begun++;
      await together;
    });
    await queue.addBulk([...jobs(1, 20), ...jobs(21, 40)]);
    await until(() => begun === 20);
    await redis.del(key('7-1:lock'));
    await redis.set(key('8-1:lock'), 'another');
    go();
    await until(async () => (await queue.getWaitingCount()) === 0 && (await queue.getActiveCount()) === 2);
    expect(await redis.lrange(key('active'), 0, -1)).toEqual(expect.arrayContaining(['7-1', '8-1']));
    expect(begun).toBe(40);
    expect(errors.filter((text) => text.startsWith('Missing lock for job 7-1'))).not.toEqual([]);
    expect(errors.filter((text) => text.startsWith('Lock mismatch for job 8-1'))).not.toEqual([]);
    expect(errors.filter((text) => !/job [78]-1\b/.test(text))).toEqual([]);
  });

  it('serves what was put off and what is of priority in its turn', async () => {
    const names: string[] = [];
    work(
      async (job) => {
        await sleep(5);
        names.push(job.name);
      },
      { concurrency: 2 },
    );
    await queue.addBulk([
      ...jobs(1, 100),
      { name: 'late', data: 1, opts: { jobId: 'late', delay: 50 } },
      { name: 'of priority', data: 2, opts: { jobId: 'first', priority: 1 } },
    ]);
    await sleep(150);
    await queue.addBulk(jobs(101, 200));
    await until(() => names.length === 202);
    expect(names.indexOf('late')).toBeLessThan(150);
    expect(names).toContain('of priority');
  });

  it('fetches no more for a worker that is stopping', async () => {
    let go = () => {};
    const together = new Promise<void>((resolve) => (go = resolve));
    let begun = 0;
    const { worker } = work(async () => {
      begun++;
      await together;
    });
    await queue.addBulk(jobs(1, 30));
    await until(() => begun === 20);
    const closed = worker.close();
    go();
    await closed;
    expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 10, active: 0 });
  });

  it('fetches no more when the queue is paused, and goes on when it is resumed', async () => {
    const done: string[] = [];
    work(
      async (job) => {
        if (job.id === '5-1') await queue.pause();
        done.push(job.id ?? '');
      },
      { concurrency: 1 },
    );
    await queue.addBulk(jobs(1, 10));
    await until(() => done.length >= 5);
    await sleep(300);
    expect(done).toEqual(['1-1', '2-1', '3-1', '4-1', '5-1']);
    await queue.resume();
    await until(() => done.length === 10);
  });

  it('keeps a failed job as BullMQ does', async () => {
    work((job) => {
      if (job.id === '2-1') throw new Error('no');
    });
    await queue.addBulk(jobs(1, 3));
    await until(nobody);
    const failed = await plain.getFailed();
    expect(failed.map(({ id, failedReason }) => ({ id, failedReason }))).toEqual([{ id: '2-1', failedReason: 'no' }]);
  });

  it('gives the jobs of a dead worker to another, also those that it fetched with the end of others', async () => {
    const begun: string[] = [];
    // A worker that fetched by the batch, and then says and ends nothing any more.
    const { worker } = work(
      async (job) => {
        begun.push(job.id ?? '');
        if (begun.length > 20) await new Promise(() => {});
      },
      { lockDuration: 500, lockRenewTime: 60_000, skipStalledCheck: true },
    );
    await queue.addBulk(jobs(1, 60));
    await until(() => begun.length === 40);
    expect(await queue.getActiveCount()).toBe(20);
    await worker.pause(true);
    const again: string[] = [];
    work((job) => void again.push(job.id ?? ''), { stalledInterval: 300, lockDuration: 500 });
    await until(() => new Set(again).size === 40);
    expect([...begun.slice(0, 20), ...new Set(again)].sort()).toEqual(
      jobs(1, 60)
        .map(({ opts }) => opts.jobId)
        .sort(),
    );
    await until(nobody);
  });

  it('leaves to BullMQ what is to be kept', async () => {
    let count = 0;
    work(() => void count++, { removeOnComplete: { count: 5 } });
    await queue.addBulk(jobs(1, 8));
    await until(() => count === 8);
    await until(nobody);
    expect(await plain.getCompletedCount()).toBe(5);
  });
});
