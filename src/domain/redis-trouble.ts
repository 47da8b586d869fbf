/** Why Redis can't be used, as `/health/ready`, the log and docs/operations.md name it. */
export type RedisReason =
  | 'redis_readonly'
  | 'redis_full'
  | 'redis_refused'
  | 'redis_loading'
  | 'redis_cluster'
  | 'redis_unreachable'
  | 'redis_failed';

export interface RedisTrouble {
  reason: RedisReason;
  /** The text for people; null if the error's own message is shown. */
  problem: string | null;
  /**
   * Whether to open a new connection: another server behind the same address may be the primary now, and a server that
   * gives a connection up says so only once.
   */
  anew: boolean;
}

type Problem = string | ((message: string) => string) | null;

const CLUSTER = 'it is a Redis Cluster, which is not supported';
const LOST_PRIMARY = 'it is a replica that has lost its primary: REDIS_URL must name the primary';

/**
 * By the message of Redis or ioredis; the first row that matches counts. Errors of scripts contain the code somewhere
 * in their text.
 */
const TROUBLES: [reason: RedisReason, says: RegExp, problem: Problem, anew?: 'anew'][] = [
  ['redis_cluster', /\b(MOVED|CLUSTERDOWN)\b/, CLUSTER, 'anew'],
  ['redis_cluster', /\b(ASK|CROSSSLOT)\b|cluster support enabled|not allowed in cluster/i, CLUSTER],
  ['redis_readonly', /\b(READONLY|UNBLOCKED)\b/, 'it is a replica: REDIS_URL must name the primary', 'anew'],
  ['redis_readonly', /\bMASTERDOWN\b/, LOST_PRIMARY, 'anew'],
  ['redis_readonly', /\bNOREPLICAS\b/, 'it has fewer replicas than it must have (min-replicas-to-write)'],
  ['redis_readonly', /\bMISCONF\b/, 'it cannot write to its disk'],
  ['redis_full', /\bOOM\b/, 'its memory is used up (maxmemory)'],
  ['redis_refused', /\bNOAUTH\b/, 'it asks for a password, and REDIS_URL gives none (redis://:password@host)', 'anew'],
  [
    'redis_refused',
    /\bWRONGPASS\b|invalid password|invalid username-password/i,
    'the user or the password of REDIS_URL is wrong',
  ],
  ['redis_refused', /\bNOPERM\b|ACL failure|no permissions|can't run this command|executing the script can't/i, lackOf],
  ['redis_refused', /DB index is out of range|invalid DB index/i, 'it has no database of the number in REDIS_URL'],
  ['redis_refused', /\bDENIED\b|protected mode/i, 'it is in protected mode: give it a password'],
  ['redis_loading', /\bLOADING\b/, 'it is loading its data', 'anew'],
  ['redis_loading', /\bBUSY\b/, 'a script blocks it'],
  // ioredis' message for an answer in another protocol, by its first byte: 21 is a TLS alert.
  ['redis_unreachable', /Unknown RESP type 21\b/, 'it speaks TLS on this port: let REDIS_URL begin with rediss://'],
  ['redis_unreachable', /Unknown RESP type|Protocol error/, 'what answers there is no Redis'],
  ['redis_unreachable', /max number of clients/i, 'it has no connection left (maxclients)'],
  [
    'redis_unreachable',
    /E(CONN|PIPE|PROTO|TIMEDOUT|(HOST|NET)UNREACH|NOTFOUND|AI_AGAIN)|ERR_(SSL|TLS)_|\bCERT_|SELF_SIGNED|UNABLE_TO_/,
    null,
  ],
  [
    'redis_unreachable',
    /Connection is closed|isn't writeable|timed? ?out|did not answer|max retries per request/i,
    null,
  ],
];

/** What a failed command or connection means. */
export function redisTrouble(error: unknown): RedisTrouble {
  const { message = '', code = '' } = (error ?? {}) as { message?: string; code?: string };
  const row = TROUBLES.find(([, says]) => says.test(message) || says.test(code));
  if (!row) return { reason: 'redis_failed', problem: null, anew: false };
  const [reason, , problem, anew] = row;
  return { reason, problem: typeof problem === 'function' ? problem(message) : problem, anew: anew !== undefined };
}

/** `NOPERM User x has no permissions to run the 'eval' command`, or `… to access one of the keys`. */
function lackOf(message: string): string {
  const command = /run the '([^']+)' command/.exec(message)?.[1];
  if (command) return `its user lacks a right: to run the command ${command}`;
  if (/script/.test(message))
    return 'its user lacks a right: to run the commands for strings, hashes, lists, sorted sets and streams in scripts';
  const right = /key/.test(message) ? 'to use the keys that begin with REDIS_PREFIX' : 'see its ACL';
  return `its user lacks a right: ${right}`;
}
