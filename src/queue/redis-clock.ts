import type { Queue } from 'bullmq';

/**
 * Redis expires keys by its machine's clock. If the clock was put back, the locks of a dead worker last that much
 * longer and its jobs stay active; and the key that says when stalled jobs were last looked for keeps all workers from
 * looking.
 */
const SHORTEN = `
local shortened = 0
local function shorten(key)
  if redis.call('PTTL', key) > tonumber(ARGV[2]) then
    redis.call('PEXPIRE', key, ARGV[2])
    shortened = shortened + 1
  end
end
shorten(KEYS[2])
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do shorten(ARGV[1] .. id .. ':lock') end
return shortened`;

/**
 * Gives locks of a queue that last longer than they may their longest time.
 * @returns how many there were
 */
export async function shortenLocks(
  redis: { eval: (script: string, keys: number, ...args: string[]) => Promise<unknown> },
  queue: Queue,
  lockMs: number,
): Promise<number> {
  const keys = [queue.toKey('active'), queue.toKey('stalled-check')];
  return Number(await redis.eval(SHORTEN, keys.length, ...keys, queue.toKey(''), String(lockMs)));
}
