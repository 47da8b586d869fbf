import { redisTrouble } from '../domain/redis-trouble';

/**
 * How long a command may be without an answer before its connection is given up; longer than BullMQ waits for a job.
 */
const SILENT_MS = 12_000;
/** At most once in this time a connection is replaced because of an error that the server answers. */
const ANEW_MS = 1_000;

const madeAnewAt = new WeakMap<object, number>();

/** Options of ioredis, also BullMQ's, for a redis:// or rediss:// URL. */
export function redisOptions(redisUrl: string) {
  const url = new URL(redisUrl);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    retryStrategy: (times: number) => Math.min(100 * times, 2_000),
    socketTimeout: SILENT_MS,
    reconnectOnError,
  };
}

/** `this` are the options of one connection. The command fails, and its caller tries again. */
function reconnectOnError(this: object, error: Error): boolean {
  const now = performance.now();
  if (!redisTrouble(error).anew || now - (madeAnewAt.get(this) ?? -Infinity) < ANEW_MS) return false;
  madeAnewAt.set(this, now);
  return true;
}
