import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { CONFIG, type Config } from '../config/config.module';
import { emailKey } from '../domain/email-address';
import { DomainError } from '../domain/errors';
import { RedisConnection } from './redis.module';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** How often something may be done by one key in so many seconds, and what happens while Redis can't count. */
const LIMITS = {
  /** Failed sign-ins of one account (`accountOf`), whoever tries; a success forgives them. */
  signInAccount: { points: 10, seconds: 15 * MINUTE, away: 'refuse' },
  signInAddress: { points: 100, seconds: 15 * MINUTE, away: 'refuse' },
  /** Notices to one address: above the limit none is sent, but the answer is the same. */
  registerAccount: { points: 3, seconds: HOUR, away: 'refuse' },
  registerAddress: { points: 60, seconds: HOUR, away: 'refuse' },
  resetAccount: { points: 3, seconds: HOUR, away: 'refuse' },
  resetAddress: { points: 60, seconds: HOUR, away: 'refuse' },
  /** Attempts to use a link of a notice. */
  linkAddress: { points: 60, seconds: HOUR, away: 'refuse' },
  /** The own password, asked again of somebody who is signed in. */
  passwordUser: { points: 10, seconds: 15 * MINUTE, away: 'refuse' },
  /** Codes of the second factor, at sign-in and on the account's page; a right one forgives them. */
  secondFactorUser: { points: 10, seconds: 15 * MINUTE, away: 'refuse' },
  /** Invitations of one manager or admin. */
  inviteUser: { points: 60, seconds: HOUR, away: 'refuse' },
  /** Test notices to addresses that are not the user's own, and to the own one: everybody's notices wait behind them. */
  testLetterUser: { points: 20, seconds: HOUR, away: 'refuse' },
  testLetterSelf: { points: 300, seconds: HOUR, away: 'pass' },
  /** Sign-ups by the forms of owners, by caller: those with a proof of work, those without. */
  signupAddress: { points: 60, seconds: HOUR, away: 'refuse' },
  signupPlainAddress: { points: 6, seconds: HOUR, away: 'refuse' },
  /** A proof of work counts once. */
  signupProof: { points: 1, seconds: 2 * HOUR, away: 'refuse' },
  /** Letters with a link to confirm a sign-up: to one address, to one address by one form, by one form. */
  signupAccount: { points: 3, seconds: 24 * HOUR, away: 'refuse' },
  signupFormAccount: { points: 1, seconds: 10 * MINUTE, away: 'refuse' },
  signupForm: { points: 500, seconds: HOUR, away: 'refuse' },
  /** Calls of somebody who is signed in; `points` are API_CALLS_PER_MINUTE. */
  callsUser: { points: 0, seconds: MINUTE, away: 'pass' },
} as const;

export type LimitName = keyof typeof LIMITS;

/** Limits that all processes share, counted in Redis. */
@Injectable()
export class Limits {
  private readonly limiters: Record<LimitName, RateLimiterRedis>;

  constructor(
    redis: RedisConnection,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const make = (name: LimitName) =>
      new RateLimiterRedis({
        storeClient: redis.client,
        keyPrefix: redis.key(`limit:${name}`),
        points: name === 'callsUser' ? config.apiCallsPerMinute : LIMITS[name].points,
        duration: LIMITS[name].seconds,
        rejectIfRedisNotReady: true,
      });
    this.limiters = Object.fromEntries(
      (Object.keys(LIMITS) as LimitName[]).map((name) => [name, make(name)]),
    ) as Record<LimitName, RateLimiterRedis>;
  }

  /**
   * Counts one more of `key`: an account (`accountOf`), a caller's address, a user's id.
   * @throws DomainError RATE_LIMITED with the seconds to wait; LIMITS_UNAVAILABLE without Redis, where that refuses
   */
  async take(name: LimitName, key: string | number): Promise<void> {
    if (name === 'callsUser' && this.config.apiCallsPerMinute === 0) return;
    try {
      await this.limiters[name].consume(keyOf(name, key));
    } catch (reason) {
      if (reason instanceof RateLimiterRes) {
        // The counter would last longer than its period: Redis' clock was put back.
        if (reason.msBeforeNext > LIMITS[name].seconds * 1_000) return this.forgive(name, key);
        throw new DomainError('rate_limited', 'RATE_LIMITED', 'This was tried too often. Wait, then try again.', {
          retryAfterS: Math.max(1, Math.ceil(reason.msBeforeNext / 1_000)),
        });
      }
      if (LIMITS[name].away === 'pass') return;
      throw new DomainError('unavailable', 'LIMITS_UNAVAILABLE', 'This is not possible right now. Try again soon.', {
        retryAfterS: 5,
      });
    }
  }

  /**
   * The same as `take`, but returns false: for work that is skipped silently. @throws DomainError LIMITS_UNAVAILABLE
   */
  async allows(name: LimitName, key: string | number): Promise<boolean> {
    try {
      await this.take(name, key);
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'RATE_LIMITED') return false;
      throw error;
    }
  }

  /** Forgets what was counted of this key. */
  async forgive(name: LimitName, key: string | number): Promise<void> {
    await this.limiters[name].delete(keyOf(name, key)).catch(() => undefined);
  }
}

/**
 * The key of a user's account: their id, which no spelling or change of the address affects; without a user the address
 * as given.
 */
export const accountOf = (user: { id: number } | undefined, address: string): string =>
  user ? `user:${user.id}` : (emailKey(address) ?? address);

/** Addresses of people are not written to Redis; of IPv6 addresses the first half counts, which is one customer's. */
function keyOf(name: LimitName, key: string | number): string {
  const text = String(key).toLowerCase();
  if (name.endsWith('Address') && isIPv6(text)) return networkOf(text);
  return name.endsWith('Account') ? createHash('sha256').update(text).digest('base64url') : text;
}

function networkOf(ip: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(ip);
  if (v4?.[1]) return v4[1];
  const [head = '', tail] = ip.split('%')[0]!.split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right].slice(0, 4).join(':');
}
