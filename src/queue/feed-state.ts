import { randomUUID } from 'node:crypto';
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
/** The field that changes whenever runs are to be fed from their beginning. */
const BEGUN = 'begun';

/** Moves cursors, unless runs began anew since they were read. */
const PASS = `
if (redis.call('HGET', KEYS[1], '${BEGUN}') or '') == ARGV[1] then
  redis.call('HSET', KEYS[1], unpack(ARGV, 2))
end`;

/** Redis' own clock, in milliseconds: those of the workers may differ. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;
const AGAIN = `
${NOW}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'NX', now + ARGV[1], ARGV[i]) end`;
const TAKE = `
${NOW}
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
if #ids > 0 then redis.call('ZREM', KEYS[1], unpack(ids)) end
return ids`;

/**
 * How far the delivery queue was filled from the ledger, in Redis beside the jobs, so that both are lost together. One
 * hash says how far each run was fed: `p<run>` holds the id of the last pending delivery, `d<run>` `<time>|<id>` of the
 * last deferred one. One set holds the deliveries whose job ended and that may need another one, by when they may get it.
 */
@Injectable()
export class FeedState {
  private readonly key: string;
  private readonly againKey: string;

  constructor(private readonly redis: RedisConnection) {
    this.key = redis.key('feed');
    this.againKey = redis.key('again-at');
  }

  /**
   * One cursor for each run, in their order; that of a run that was never fed lies before its first delivery. `begun`
   * is for `pass`.
   */
  async read(runIds: number[]): Promise<{ begun: string; cursors: FeedCursor[] }> {
    const fields = runIds.flatMap((id) => [pending(id), due(id)]);
    const [begun, ...found] = await this.redis.client.hmget(this.key, BEGUN, ...fields);
    const cursors = runIds.map((_, i) => {
      const [dueAt = '', dueId] = (found[2 * i + 1] ?? '-infinity|0').split('|');
      return { pendingId: Number(found[2 * i] ?? 0), dueAt, dueId: Number(dueId) };
    });
    return { begun: begun ?? '', cursors };
  }

  /**
   * Records that these deliveries were fed, in this order. Nothing is recorded if `refeed` was called since the cursors
   * were read: the next turn begins where that said.
   */
  async pass(begun: string, fed: { runId: number; id: number; dueAt: string | null }[]): Promise<void> {
    const fields: Record<string, string | number> = {};
    for (const { runId, id, dueAt } of fed) {
      if (dueAt === null) fields[pending(runId)] = id;
      else fields[due(runId)] = `${dueAt}|${id}`;
    }
    await this.redis.client.eval(PASS, 1, this.key, begun, ...Object.entries(fields).flat());
  }

  /**
   * The next turns of the feeder start from the beginning of these runs, or of all: after a pause, a flush, a parked
   * account.
   */
  async refeed(runIds?: number[]): Promise<void> {
    if (runIds?.length === 0) return;
    const reset = this.redis.client.multi();
    if (runIds) reset.hdel(this.key, ...runIds.flatMap((id) => [pending(id), due(id)]));
    else reset.del(this.key, this.againKey);
    await reset.hset(this.key, BEGUN, randomUUID()).exec();
  }

  /**
   * These deliveries get another job in one of the next turns after this time, if they can be sent. Call it when their
   * last job is gone: while that exists no other is added. Jobs are not added here, so that Redis never holds more than
   * the window.
   */
  async again(deliveryIds: number[], afterMs = 0): Promise<void> {
    await this.redis.client.eval(AGAIN, 1, this.againKey, afterMs, ...deliveryIds);
  }

  /**
   * Takes at most so many (up to 1,000) of the deliveries that may get another job now. If they are lost afterwards, the
   * sweeper finds them. What is no id is dropped: Redis may have lost the data of a job that was given back.
   */
  async takeAgain(atMost: number): Promise<number[]> {
    const taken = (await this.redis.client.eval(TAKE, 1, this.againKey, atMost)) as string[];
    return taken.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
  }
}
