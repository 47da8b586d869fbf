import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackendFactory,
  createRedisBackend,
  ErrorCode,
  type MinimalJob,
  raw2NextJobData,
  type RedisQueueBackend,
  type WorkerOptions,
} from 'bullmq';

/** What a worker needs of a plain job; `stc` counts how often it stalled, `defa` says that this was too often. */
const FIELDS = ['name', 'data', 'opts', 'timestamp', 'stc', 'defa'];

/**
 * The most jobs of one call: a script can unpack only so many arguments, and other clients of Redis must not wait long.
 */
const BATCH = 1_000;
const REFUSED_MS = 500;

/** Adds jobs that are not there yet. */
const ADD = `
local wait, marker = unpack(KEYS)
local prefix, now = ARGV[1], ARGV[2]
local added = {}
for i = 3, #ARGV, 4 do
  local id = ARGV[i]
  local key = prefix .. id
  if redis.call('EXISTS', key) == 0 then
    redis.call('HSET', key, 'name', ARGV[i + 1], 'data', ARGV[i + 2], 'opts', ARGV[i + 3],
      'timestamp', now, 'delay', '0', 'priority', '0')
    added[#added + 1] = id
  end
end
if #added > 0 then
  redis.call('LPUSH', wait, unpack(added))
  redis.call('ZADD', marker, '0', '0')
end`;

/**
 * Removes jobs that are done, if their locks are still their worker's. For each of the first \`fetch\` another job
 * becomes active, locked by the same token, unless the queue is paused or limited or has delayed or prioritized jobs.
 * Returns BullMQ's code for each (0 or an error), the next jobs, and whether no more are waiting.
 */
const END = `
local wait, active, meta, prioritized, delayed = unpack(KEYS)
local prefix, now, lockMs, fetch = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local locks, codes, gone, tokens, jobs = {}, {}, {}, {}, {}
for i = 5, #ARGV, 2 do locks[#locks + 1] = prefix .. ARGV[i] .. ':lock' end
for n, holder in ipairs(redis.call('MGET', unpack(locks))) do
  local id, token = ARGV[3 + 2 * n], ARGV[4 + 2 * n]
  if not holder then codes[n] = ${ErrorCode.JobLockNotExist}
  elseif holder ~= token then codes[n] = ${ErrorCode.JobLockMismatch}
  elseif redis.call('LREM', active, -1, id) == 0 then codes[n] = ${ErrorCode.JobNotInState}
  else
    codes[n] = 0
    gone[#gone + 1] = prefix .. id
    gone[#gone + 1] = locks[n]
    if n <= fetch then tokens[#tokens + 1] = token end
  end
end
if #gone > 0 then redis.call('DEL', unpack(gone)) end
local limits = redis.call('HMGET', meta, 'paused', 'concurrency', 'max')
if #tokens == 0 or limits[1] or limits[2] or limits[3] or redis.call('EXISTS', prioritized, delayed) > 0 then
  return {codes, jobs, 0}
end
local ids = redis.call('RPOP', wait, #tokens)
if not ids then return {codes, jobs, 1} end
redis.call('LPUSH', active, unpack(ids))
for n, id in ipairs(ids) do
  redis.call('SET', prefix .. id .. ':lock', tokens[n], 'PX', lockMs)
  redis.call('HSET', prefix .. id, 'processedOn', now)
  jobs[n] = {id, unpack(redis.call('HMGET', prefix .. id, '${FIELDS.join(`', '`)}'))}
end
return {codes, jobs, 1}`;

type Ended = [codes: number[], jobs: [id: string, ...fields: (string | null)[]][], drained: 0 | 1];
type MoveToCompleted = RedisQueueBackend['moveToCompleted'];

interface Ending {
  job: MinimalJob;
  token: string;
  fetchNext: boolean;
  resolve: (moved: Awaited<ReturnType<MoveToCompleted>>) => void;
  reject: (error: unknown) => void;
}

/**
 * BullMQ's Redis backend, except that plain jobs are added in batches; in a worker that keeps no completed jobs they
 * are also ended and fetched in batches. That takes a third of Redis' work for a job and half of Node's. The structures
 * in Redis are BullMQ's, and BullMQ does everything else: jobs that are not plain, failures, locks, stalled jobs,
 * waiting. Two things are missing: events for `QueueEvents`, and `attemptsStarted`.
 */
export const createBatchingBackend: BackendFactory<RedisQueueBackend> = (name, opts, options) => {
  const backend = createRedisBackend(name, opts, options);
  return Object.assign(backend, {
    addJobs: addInBatches(backend),
    moveToActive: fetchWithPause(backend),
    moveToCompleted: endInBatches(backend, opts as Partial<WorkerOptions>),
  });
};

/** BullMQ's worker fetches again at once if fetching is refused, for ever; so it pauses first. */
function fetchWithPause(backend: RedisQueueBackend): RedisQueueBackend['moveToActive'] {
  const fetch = backend.moveToActive.bind(backend);
  return (...args) =>
    fetch(...args).catch(async (error: unknown) => {
      if (!backend.closing) await sleep(REFUSED_MS);
      throw error;
    });
}

function addInBatches(backend: RedisQueueBackend): RedisQueueBackend['addJobs'] {
  const addByBullMQ = backend.addJobs.bind(backend);
  const run = script(backend, 'addPlainJobs', ADD, ['wait', 'marker']);
  return async (entries) => {
    if (entries.length === 0 || !entries.every(({ job }) => isPlain(job.opts))) return addByBullMQ(entries);
    for (let from = 0; from < entries.length; from += BATCH) {
      const batch = entries.slice(from, from + BATCH);
      const jobs = batch.flatMap(({ job, jobId }) => [jobId, job.name, job.data, JSON.stringify(job.opts)]);
      await run([Date.now(), ...jobs]);
    }
    return entries.map(({ jobId }) => jobId);
  };
}

/** A plain job has an id and no other options. */
function isPlain(opts: object): boolean {
  const asked = Object.entries(opts).filter(([, value]) => value !== undefined && value !== 0);
  return asked.length === 1 && asked[0]?.[0] === 'jobId';
}

function endInBatches(
  backend: RedisQueueBackend,
  { removeOnComplete, lockDuration, limiter, metrics }: Partial<WorkerOptions>,
): MoveToCompleted {
  const endByBullMQ = backend.moveToCompleted.bind(backend);
  if (typeof removeOnComplete !== 'object' || removeOnComplete.count !== 0 || limiter || metrics) return endByBullMQ;
  const run = script(backend, 'endPlainJobs', END, ['wait', 'active', 'meta', 'prioritized', 'delayed']);
  const gathered: Ending[] = [];

  const flush = async () => {
    const batch = gathered.splice(0, BATCH).sort((a, b) => Number(b.fetchNext) - Number(a.fetchNext));
    if (gathered.length > 0) process.nextTick(() => void flush());
    const finishedOn = Date.now();
    const fetch = backend.closing ? 0 : batch.filter(({ fetchNext }) => fetchNext).length;
    try {
      const args = [finishedOn, lockDuration, fetch, ...batch.flatMap(({ job, token }) => [job.id, token])];
      const [codes, jobs, drained] = (await run(args)) as Ended;
      for (const [n, { job, fetchNext, resolve, reject }] of batch.entries()) {
        const code = codes[n] ?? 0;
        if (code < 0) reject(backend.finishedErrors({ code, jobId: job.id, command: 'endPlainJobs', state: 'active' }));
        else if (fetchNext && jobs.length > 0) resolve({ result: nextJob(jobs.shift() ?? [], finishedOn), finishedOn });
        else resolve({ result: fetchNext && drained ? [] : undefined, finishedOn });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };

  return (job, value, remove, token, fetchNext) => {
    if (remove !== undefined || job.parentKey || job.repeatJobKey || job.opts.deduplication)
      return endByBullMQ(job, value, remove, token, fetchNext);
    return new Promise((resolve, reject) => {
      // Jobs whose results were written in one batch of the ledger end in the same turn of the event loop.
      if (gathered.length === 0) process.nextTick(() => void flush());
      gathered.push({ job, token, fetchNext, resolve, reject });
    });
  };
}

function nextJob([id, ...fields]: (string | null)[], processedOn: number): unknown[] {
  const stored = [
    'delay',
    0,
    'priority',
    0,
    'processedOn',
    processedOn,
    ...FIELDS.flatMap((name, i) => [name, fields[i]]),
  ];
  return raw2NextJobData([stored, id, 0, 0]);
}

/** One of the scripts above: its first argument is the prefix of the queue's keys. */
function script(backend: RedisQueueBackend, name: string, lua: string, on: string[]) {
  const keys = on.map((key) => backend.toKey(key));
  const client = backend.connection.client.then((redis) => {
    redis.defineCommand(name, { numberOfKeys: keys.length, lua });
    return redis;
  });
  // The error is reported when the script is run; until then it must not be an unhandled rejection.
  client.catch(() => undefined);
  return async (args: unknown[]): Promise<unknown> =>
    (await client).runCommand(name, [...keys, backend.toKey(''), ...args]);
}
