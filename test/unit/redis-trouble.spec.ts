import { redisTrouble } from '../../src/domain/redis-trouble';

it.each<[said: string, reason: string, anew: boolean, problem: RegExp | null]>([
  ["READONLY You can't write against a read only replica.", 'redis_readonly', true, /is a replica: /],
  [
    "ERR Error running script (call to f_0): @user_script:1: -READONLY You can't write",
    'redis_readonly',
    true,
    /is a replica: /,
  ],
  [
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'redis_readonly',
    true,
    /lost its primary/,
  ],
  [
    'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    'redis_readonly',
    true,
    /is a replica: /,
  ],
  ['NOREPLICAS Not enough good replicas to write.', 'redis_readonly', false, /fewer replicas/],
  [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    'redis_readonly',
    false,
    /its disk/,
  ],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'redis_full', false, /maxmemory/],
  ['ERR max number of clients reached', 'redis_unreachable', false, /maxclients/],
  ["NOPERM User default has no permissions to run the 'zadd' command", 'redis_refused', false, /right: .* zadd$/],
  ['NOPERM No permissions to access a key', 'redis_refused', false, /right: .*REDIS_PREFIX/],
  [
    "ERR ACL failure in script: User default has no permissions to run the 'zadd' command",
    'redis_refused',
    false,
    /right: .* zadd$/,
  ],
  ["The user executing the script can't run this command or subcommand", 'redis_refused', false, /right: .*in scripts/],
  ['NOAUTH Authentication required.', 'redis_refused', true, /asks for a password/],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'redis_refused', false, /password .* is wrong/],
  ['ERR invalid password', 'redis_refused', false, /password .* is wrong/],
  ['ERR DB index is out of range', 'redis_refused', false, /no database of the number/],
  ['DENIED Redis is running in protected mode because protected mode is enabled', 'redis_refused', false, /protected/],
  ['LOADING Redis is loading the dataset in memory', 'redis_loading', true, /loading its data/],
  ['BUSY Redis is busy running a script.', 'redis_loading', false, /script/],
  ['MOVED 3999 127.0.0.1:6381', 'redis_cluster', true, /Redis Cluster/],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'redis_cluster', false, /Redis Cluster/],
  ['CLUSTERDOWN Hash slot not served', 'redis_cluster', true, /Redis Cluster/],
  ['ERR SELECT is not allowed in cluster mode', 'redis_cluster', false, /Redis Cluster/],
  ['Protocol error, got "H" as reply type byte', 'redis_unreachable', false, /no Redis/],
  ['connect ECONNREFUSED 127.0.0.1:6379', 'redis_unreachable', false, null],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'redis_unreachable', false, null],
  ['Command timed out', 'redis_unreachable', false, null],
  ['Missing lock for job 5. moveToFinished', 'redis_failed', false, null],
])('%s is %s', (message, reason, anew, problem) => {
  const found = redisTrouble(new Error(message));
  expect(found).toMatchObject({ reason, anew });
  if (problem === null) expect(found.problem).toBeNull();
  else expect(found.problem).toMatch(problem);
});
