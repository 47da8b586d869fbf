import { Redis } from 'ioredis';
import { connectionProblem } from '../config/connection-problem';
import { redisTrouble } from '../domain/redis-trouble';
import { redisOptions } from './redis-options';

/** Why Redis can't be used; nothing of REDIS_URL is repeated but that it is wrong. `tls`: whether TLS was spoken. */
export function redisProblem(error: unknown, tls = false): string {
  const { message, code } = error as Error & { code?: string };
  const known = connectionProblem(error);
  if (known !== null) return code === 'ETIMEDOUT' || code === 'ECONNRESET' ? `${known}; ${otherWay(tls)}` : known;
  if (/Connection is closed/.test(message)) return `it ended the connection without a word; ${otherWay(tls)}`;
  return redisTrouble(error).problem ?? message;
}

const otherWay = (tls: boolean) =>
  tls
    ? 'if it does not speak TLS on this port, let REDIS_URL begin with redis://'
    : 'if it speaks TLS on this port, let REDIS_URL begin with rediss://';

/** It is a Redis Cluster, which is not supported: no wait makes another server of it. */
export class RedisClusterError extends Error {
  override readonly name = 'RedisClusterError';
}

/**
 * Connects, and tries what all else is made of: a script that reads and writes keys under the prefix.
 * @returns what INFO says
 * @throws RedisClusterError, or Error that says what is wrong, where ioredis would only say that the connection is closed
 */
export async function tryRedis(redisUrl: string, prefix: string): Promise<string> {
  // Not ioredis' own question whether it is ready: that waits, without a word, for as long as Redis loads its data.
  const once = { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false, disconnectTimeout: 50 };
  const redis = new Redis({ ...redisOptions(redisUrl), ...once });
  let first: Error | undefined;
  redis.on('error', (error: Error) => (first ??= error));
  try {
    await redis.connect();
    const info = await redis.info();
    // ioredis goes on in database 0 where the one that was asked for is not there.
    if (first) throw first;
    if (/^redis_mode:cluster|^cluster_enabled:1/m.test(info)) throw new RedisClusterError();
    await redis.eval(PROBE, 1, `${prefix}:probe`).catch(passIfFull);
    return info;
  } catch (error) {
    const cause = first ?? error;
    if (cause instanceof RedisClusterError || redisTrouble(cause).reason === 'redis_cluster')
      throw new RedisClusterError();
    throw new Error(redisProblem(cause, redis.options.tls !== undefined));
  } finally {
    redis.disconnect();
  }
}

/** A Redis that takes no more is one to start with: work goes on when it has room. */
function passIfFull(error: Error): void {
  if (!/\bOOM\b|\bMISCONF\b/.test(error.message)) throw error;
}

const PROBE = ['SET K 1', 'ZADD K 1 a', 'HSET K a 1', 'LPUSH K a', 'XADD K * a 1']
  .map((command) => {
    const [verb, , ...rest] = command.split(' ');
    return `redis.call('${verb}', KEYS[1], ${rest.map((part) => `'${part}'`).join(', ')}) redis.call('DEL', KEYS[1])`;
  })
  .join('\n');
