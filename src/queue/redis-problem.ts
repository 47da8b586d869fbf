import { Redis } from 'ioredis';
import { connectionProblem } from '../config/connection-problem';
import { redisTrouble } from '../domain/redis-trouble';
import { redisOptions } from './redis-options';

/** Why Redis can't be used; repeats no part of REDIS_URL. `tls`: whether the connection used TLS. */
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

/** The server is a Redis Cluster, which is not supported: waiting would not help. */
export class RedisClusterError extends Error {
  override readonly name = 'RedisClusterError';
}

/**
 * Connects, and runs a script that reads and writes keys under the prefix, as everything else does.
 * @returns what INFO says
 * @throws RedisClusterError, or Error that says what is wrong, where ioredis would only say that the connection is
 * closed
 */
export async function tryRedis(redisUrl: string, prefix: string): Promise<string> {
  // Without ioredis' own ready check: that waits silently for as long as Redis loads its data.
  const once = { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false, disconnectTimeout: 50 };
  const redis = new Redis({ ...redisOptions(redisUrl), ...once });
  let first: Error | undefined;
  redis.on('error', (error: Error) => (first ??= error));
  try {
    await redis.connect();
    const info = await redis.info();
    // ioredis uses database 0 if the one in the URL does not exist.
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

/** A process may start with a Redis that is full: work continues when it has room again. */
function passIfFull(error: Error): void {
  if (!/\bOOM\b|\bMISCONF\b/.test(error.message)) throw error;
}

const PROBE = ['SET K 1', 'ZADD K 1 a', 'HSET K a 1', 'LPUSH K a', 'XADD K * a 1']
  .map((command) => {
    const [verb, , ...rest] = command.split(' ');
    return `redis.call('${verb}', KEYS[1], ${rest.map((part) => `'${part}'`).join(', ')}) redis.call('DEL', KEYS[1])`;
  })
  .join('\n');
