import type { Redis } from 'ioredis';

/**
 * The commands that BullMQ's scripts and ours use, each once: on a string, a list, a hash, sets, a sorted set, a
 * stream.
 */
const COMMANDS = [
  ['SET s 1 PX 60000', 'GET s', 'INCR s', 'EXISTS s', 'PTTL s', 'PEXPIRE s 60000', 'TYPE s', 'MGET s'],
  [
    'LPUSH l a',
    'RPUSH l b c',
    'LRANGE l 0 -1',
    'LINDEX l 0',
    'LPOS l a',
    'LLEN l',
    'LREM l 1 c',
    'LTRIM l 0 9',
    'RPOP l',
  ],
  ['RPOPLPUSH l l', 'LPOP l'],
  ['HSET h a 1', 'HMSET h b 1', 'HGET h a', 'HMGET h a b', 'HGETALL h', 'HINCRBY h a 1', 'HEXISTS h a', 'HDEL h a b'],
  ['ZADD z 0 a 1 b 2 c', 'ZSCORE z a', 'ZCARD z', 'ZCOUNT z 0 1', 'ZRANGE z 0 -1', 'ZREVRANGE z 0 -1', 'ZPOPMIN z'],
  ['ZRANGEBYSCORE z 0 1', 'ZREVRANGEBYSCORE z 1 0', 'ZREMRANGEBYSCORE z 5 6', 'ZREMRANGEBYRANK z 5 6', 'ZREM z b'],
  ['SADD e a', 'SMEMBERS e', 'SCARD e', 'SISMEMBER e a', 'SREM e a'],
  ['XADD x MAXLEN ~ 10 * a 1', 'XLEN x', 'XTRIM x MAXLEN ~ 10', 'TIME'],
].flat();

/** KEYS[1] keeps one member of a sorted set, for the blocking command, which scripts can't use. */
const PROBE = `
local prefix = KEYS[1] .. ':'
for _, line in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(line, '%S+') do words[#words + 1] = word end
  if words[2] then words[2] = prefix .. words[2] end
  redis.call(unpack(words))
end
for _, kind in ipairs({'s', 'l', 'h', 'e', 'x', 'z'}) do redis.call('DEL', prefix .. kind) end
redis.call('ZADD', KEYS[1], '0', '0')
redis.call('PEXPIRE', KEYS[1], 60000)`;

/**
 * Runs the commands that sending needs, on a key outside of the queues. @throws Redis' error if one is refused
 * @param key this process' own
 */
export async function probeRedis(redis: Redis, key: string): Promise<void> {
  const probing = redis as Redis & { probe?: (key: string, ...commands: string[]) => Promise<unknown> };
  if (!probing.probe) redis.defineCommand('probe', { numberOfKeys: 1, lua: PROBE });
  await probing.probe?.(key, ...COMMANDS);
  await redis.bzpopmin(key, 0.01);
}
