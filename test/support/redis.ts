import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';

export interface TestRedis {
  url: string;
  /** Begins every key of this test file. */
  prefix: string;
  /** The keys that are there now, sorted. */
  keys(): Promise<string[]>;
  /** Removes this test file's keys. */
  drop(): Promise<void>;
}

/** A key prefix that no other test file has, for REDIS_PREFIX and BullMQ's `prefix`. */
export function testRedisPrefix(): string {
  return `{gonets-test-${randomBytes(6).toString('hex')}}`;
}

/** A corner of its own on the server of REDIS_URL. Tests that flush or kill a Redis start one by `startRedis`. */
export function createTestRedis(): TestRedis {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is not set: run the tests by npm test, which starts what they need.');
  const prefix = testRedisPrefix();
  const keys = () => withRedis(url, (redis) => findKeys(redis, prefix));
  const drop = () =>
    withRedis(url, async (redis) => {
      const left = await findKeys(redis, prefix);
      if (left.length) await redis.unlink(...left);
    });
  return { url, prefix, keys, drop };
}

async function findKeys(redis: Redis, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of redis.scanStream({ match: `${prefix}*`, count: 1000 })) found.push(...(page as string[]));
  return [...new Set(found)].sort();
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
