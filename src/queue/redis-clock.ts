import type { Queue } from 'bullmq';

/**
 * Redis ends keys by its machine's clock. If that was put back, a dead worker's locks would last so much longer, and with
 * them its jobs stay active; the mark of the last look for such jobs would keep all from looking.
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
