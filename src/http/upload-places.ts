import { Injectable } from '@nestjs/common';
import { DomainError } from '../domain/errors';

/** So many files are taken in at once by one process, which keeps each in memory until it is stored; and of one user. */
const PLACES = 8;
const OF_ONE = 4;
const RETRY_S = 5;

/** Bounds the memory that pictures and attachments take while they come in and are made ready. */
@Injectable()
export class UploadPlaces {
  private taken = 0;
  private readonly byUser = new Map<number, number>();

  /** @throws DomainError RATE_LIMITED, BUSY */
  async take<T>(userId: number, work: () => Promise<T>): Promise<T> {
    const own = this.byUser.get(userId) ?? 0;
    if (own >= OF_ONE)
      throw new DomainError('rate_limited', 'RATE_LIMITED', `At most ${OF_ONE} uploads of one user at once.`, {
        retryAfterS: RETRY_S,
      });
    if (this.taken >= PLACES)
      throw new DomainError('unavailable', 'BUSY', 'Too many files are coming in just now. Try again soon.', {
        retryAfterS: RETRY_S,
      });
    this.taken++;
    this.byUser.set(userId, own + 1);
    try {
      return await work();
    } finally {
      this.taken--;
      const left = (this.byUser.get(userId) ?? 1) - 1;
      if (left > 0) this.byUser.set(userId, left);
      else this.byUser.delete(userId);
    }
  }
}
