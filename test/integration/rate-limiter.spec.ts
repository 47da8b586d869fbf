import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { PinoLogger } from 'nestjs-pino';
import { loadConfig } from '../../src/config/config';
import { plainLogger } from '../../src/logging/logging.module';
import { RateLimiter } from '../../src/queue/rate-limiter';
import { RedisConnection } from '../../src/queue/redis.module';
import { createTestRedis } from '../support/redis';

const testRedis = createTestRedis();
const logger = plainLogger('silent') as unknown as PinoLogger;
const connections: RedisConnection[] = [];

async function limiters(count: number, perSecond: number): Promise<RateLimiter[]> {
  const config = loadConfig({
    REDIS_URL: testRedis.url,
    REDIS_PREFIX: testRedis.prefix,
    RATE_LIMIT_PER_SECOND: String(perSecond),
  });
  const made = Array.from({ length: count }, () => new RedisConnection(config, logger));
  connections.push(...made);
  for (const connection of made) expect(await connection.ready(10_000)).toBe(true);
  return made.map((connection) => new RateLimiter(connection, config));
}

/** How many milliseconds this machine lost meanwhile: what short waits with a round trip to Redis took too long. */
function watchStalls(redis: Redis): () => Promise<number> {
  let lost = 0;
  let running = true;
  const watching = (async () => {
    while (running) {
      const startedAt = performance.now();
      await sleep(5);
      await redis.ping();
      lost += Math.max(0, performance.now() - startedAt - 15);
    }
  })();
  return async () => {
    running = false;
    await watching;
    return lost;
  };
}

/** The most of these moments that lie within one second, whichever. */
function mostInASecond(times: number[]): number {
  times.sort((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= 1_000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

beforeEach(() => testRedis.drop());

afterAll(async () => {
  for (const connection of connections) await connection.onApplicationShutdown();
  await testRedis.drop();
});

describe('RATE_LIMIT_PER_SECOND over several workers', () => {
  it.each([
    { perSecond: 40, letters: 120, workers: 4 },
    { perSecond: 1_000, letters: 3_000, workers: 4 },
  ])('$workers workers share $perSecond a second', async ({ perSecond, letters, workers }) => {
    const all = await limiters(workers, perSecond);
    const redis = new Redis(testRedis.url);
    await redis.ping();
    const times: number[] = [];
    let left = letters;
    const startedAt = performance.now();
    const stalls = watchStalls(redis);
    await Promise.all(
      // As many waiters in each worker as it has slots.
      all.flatMap((limiter) =>
        Array.from({ length: 20 }, async () => {
          while (left-- > 0) {
            expect(await limiter.take()).toBe(true);
            times.push(performance.now());
          }
        }),
      ),
    );
    const elapsedMs = performance.now() - startedAt;
    const lostMs = await stalls();
    redis.disconnect();

    expect(times).toHaveLength(letters);
    expect(mostInASecond(times)).toBeLessThanOrEqual(2 * perSecond);
    expect(letters / ((elapsedMs - lostMs) / 1_000)).toBeGreaterThanOrEqual(0.95 * perSecond);
    // Redis' clock grants no more than 0.3 s ahead, so this can't be too fast however this machine stalls.
    expect(elapsedMs).toBeGreaterThanOrEqual((letters / perSecond - 0.3) * 1_000 - 1_000 / perSecond - 50);
  });

  it('grants at most twice as many in any second when Redis is flushed on the way', async () => {
    const perSecond = 50;
    const all = await limiters(3, perSecond);
    const times: number[] = [];
    const until = performance.now() + 5_000;
    const taking = all.flatMap((limiter) =>
      Array.from({ length: 20 }, async () => {
        while (performance.now() < until && (await limiter.take())) times.push(performance.now());
      }),
    );
    // What FLUSHALL takes from the limiter is all that is kept of it under this prefix.
    for (let flushes = 0; flushes < 4; flushes++) {
      await sleep(1_100);
      await testRedis.drop();
    }
    await Promise.all(taking);
    expect(times.length).toBeGreaterThan(perSecond);
    expect(mostInASecond(times)).toBeLessThanOrEqual(2 * perSecond);
  });

  it('saves nothing up while nobody sends', async () => {
    const [limiter] = await limiters(1, 20);
    if (!limiter) throw new Error('no limiter');
    await limiter.take();
    await sleep(1_000);
    const startedAt = performance.now();
    for (let i = 0; i < 16; i++) await limiter.take();
    // Six at once (0.3 s), ten more at 50 ms each.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(9 * 50);
  });

  it('waits while Redis can not be reached, and turns everybody away when it is closed', async () => {
    const [limiter] = await limiters(1, 1_000);
    const connection = connections.pop();
    if (!limiter || !connection) throw new Error('no limiter');
    connection.client.disconnect();
    let answered = false;
    const taken = limiter.take().finally(() => (answered = true));
    await sleep(600);
    expect(answered).toBe(false);
    limiter.close();
    expect(await taken).toBe(false);
    expect(await limiter.take()).toBe(false);
  });
});
