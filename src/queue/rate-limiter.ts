import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.module';
import { RedisConnection } from './redis.module';

/**
 * How far ahead of time letters may be granted. It bounds a burst to one second's letters plus this share of a second,
 * and makes up for stalls of up to this length; longer ones are not made up for.
 */
const AHEAD_MS = 300;
const GRANT = 20;

/**
 * A virtual clock on the Redis server (GCRA): each letter advances it by 1/rate. It never lags behind real time, so
 * that unused time is not saved up, and grants only what lies within AHEAD_MS. Returns how many letters were granted
 * and, if none, how long to wait.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local step = 1000 / tonumber(ARGV[1])
local ahead = math.max(tonumber(ARGV[3]), step)
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if tat > now + 60000 then tat = now end
local n = math.min(tonumber(ARGV[2]), math.floor((now + ahead - tat) / step))
if n <= 0 then return {0, math.ceil(tat + step - ahead - now)} end
redis.call('SET', KEYS[1], string.format('%.3f', tat + n * step), 'PX', 60000)
return {n, 0}`;

/** RATE_LIMIT_PER_SECOND over all workers. While Redis can't be reached, sending waits. */
@Injectable()
export class RateLimiter {
  private granted = 0;
  private closed = false;
  private asking: Promise<void> | undefined;
  private waiting = 0;

  constructor(
    private readonly redis: RedisConnection,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Waits for leave to send one letter; false if closed. */
  async take(): Promise<boolean> {
    if (this.config.rateLimitPerSecond === 0) return !this.closed;
    this.waiting++;
    try {
      while (!this.closed) {
        if (this.granted > 0) {
          this.granted--;
          return true;
        }
        this.asking ??= this.ask().finally(() => (this.asking = undefined));
        await this.asking;
      }
      return false;
    } finally {
      this.waiting--;
    }
  }

  close(): void {
    this.closed = true;
  }

  private async ask(): Promise<void> {
    const wanted = Math.min(this.waiting, GRANT);
    try {
      const [granted, waitMs] = (await this.redis.client.eval(
        TAKE,
        1,
        this.redis.key('rate'),
        this.config.rateLimitPerSecond,
        wanted,
        AHEAD_MS,
      )) as [number, number];
      this.granted += granted;
      if (granted === 0) await sleep(Math.min(waitMs, 1_000));
    } catch {
      await sleep(250);
    }
  }
}
