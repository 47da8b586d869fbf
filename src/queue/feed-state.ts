import { Injectable } from '@nestjs/common';
import { RedisConnection } from './redis.module';

/** How far a run was fed: its pending deliveries up to this id, its deferred ones up to this time and id. */
export interface FeedCursor {
  pendingId: number;
  /** As exactly as Postgres knows it. */
  dueAt: string;
  dueId: number;
}

const pending = (runId: number) => `p${runId}`;
const due = (runId: number) => `d${runId}`;

/**
 * How far the delivery queue was filled from the ledger, in Redis beside the jobs, so that both are lost together. One
 * hash says how far each run was fed: `p<run>` holds the id of the last pending delivery, `d<run>` `<time>|<id>` of the
 * last deferred one. One list holds the deliveries that are to be fed again at once.
 */
@Injectable()
export class FeedState {
  private readonly key: string;
  private readonly againKey: string;

  constructor(private readonly redis: RedisConnection) {
    this.key = redis.key('feed');
    this.againKey = redis.key('again');
  }

  /** One cursor for each run, in their order; that of a run that was never fed lies before its first delivery. */
  async cursors(runIds: number[]): Promise<FeedCursor[]> {
    if (runIds.length === 0) return [];
    const found = await this.redis.client.hmget(this.key, ...runIds.flatMap((id) => [pending(id), due(id)]));
    return runIds.map((_, i) => {
      const [dueAt = '', dueId] = (found[2 * i + 1] ?? '-infinity|0').split('|');
      return { pendingId: Number(found[2 * i] ?? 0), dueAt, dueId: Number(dueId) };
    });
  }

  /** Records that these deliveries were fed, in this order. */
  async pass(fed: { runId: number; id: number; dueAt: string | null }[]): Promise<void> {
    const fields: Record<string, string | number> = {};
    for (const { runId, id, dueAt } of fed) {
      if (dueAt === null) fields[pending(runId)] = id;
      else fields[due(runId)] = `${dueAt}|${id}`;
    }
    await this.redis.client.hset(this.key, fields);
  }

  /**
   * The next turns of the feeder start from the beginning of these runs, or of all: after a pause, a flush, a parked
   * account.
   */
  async refeed(runIds?: number[]): Promise<void> {
    if (!runIds) await this.redis.client.del(this.key);
    else if (runIds.length > 0)
      await this.redis.client.hdel(this.key, ...runIds.flatMap((id) => [pending(id), due(id)]));
  }

  /**
   * A delivery that was fed and is pending again is fed once more by the next turn. It does not add its own job, so
   * that Redis never holds more than the window.
   */
  async again(deliveryId: number): Promise<void> {
    await this.redis.client.rpush(this.againKey, deliveryId);
  }

  /**
   * Takes at most so many of the deliveries that are to be fed again. If they are lost afterwards, the sweeper finds
   * them.
   */
  async takeAgain(atMost: number): Promise<string[]> {
    return (await this.redis.client.lpop(this.againKey, atMost)) ?? [];
  }
}
