import { AsyncLocalStorage } from 'node:async_hooks';
import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../domain/errors';
import { Semaphore } from '../domain/semaphore';

const asking = new AsyncLocalStorage<{ userId?: number }>();

/** Express middleware: what this request does is known to be its own. */
export const shareByRequest = (_: Request, __: Response, next: NextFunction): void => asking.run({}, next);

/** From here on the request works for this user. */
export function worksFor(userId: number): void {
  const request = asking.getStore();
  if (request) request.userId = userId;
}

/** So many of one user may wait; who sends more is told to come again. */
const WAITING = 50;
const RETRY_S = 5;

/**
 * The connections of this process that reads of unknown cost may hold: half of them, and one user's requests half of
 * these. Whoever comes while so many are held waits, so that nobody takes the connections that all others need.
 */
export class Shares {
  private readonly places: Semaphore;
  private readonly ofOne: number;
  private readonly byUser = new Map<number, { semaphore: Semaphore; here: number }>();

  /** @param connections how many the process has */
  constructor(connections: number) {
    const shared = Math.max(1, connections >> 1);
    this.places = new Semaphore(shared);
    this.ofOne = Math.ceil(shared / 2);
  }

  /** @throws DomainError RATE_LIMITED if too many works of the same user wait; work that is nobody's does not wait */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const userId = asking.getStore()?.userId;
    if (userId === undefined) return work();
    const own = this.byUser.get(userId) ?? { semaphore: new Semaphore(this.ofOne), here: 0 };
    if (own.here >= this.ofOne + WAITING)
      throw new DomainError('rate_limited', 'RATE_LIMITED', 'Too many of your searches and counts wait already.', {
        retryAfterS: RETRY_S,
      });
    this.byUser.set(userId, own);
    own.here++;
    try {
      return await own.semaphore.run(() => this.places.run(work));
    } finally {
      if (--own.here === 0) this.byUser.delete(userId);
    }
  }
}
