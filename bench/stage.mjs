/**
 * The stage of a benchmark: own PostgreSQL (fsync on) and Redis (append-only file, synced every second) in a temporary
 * folder, the SMTP sink, the product's own processes. All of it is gone when `end` returns, but for PostgreSQL's data in a
 * folder that was given as `data`.
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startArguments } from '../scripts/processes.mjs';
import { startPostgres, startRedis } from '../tools/embedded/index.mjs';
import { freePort } from '../tools/embedded/service.mjs';

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export const projectFolder = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const bench = (name) => join(projectFolder, 'bench', name);

/** Clock ticks per second of /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS = 100;

/**
 * @typedef {import('node:child_process').ChildProcess & { expected?: boolean }} Child `expected` to end
 *
 * @param {{ env?: Record<string, string>, postgresSettings?: Record<string, string>, data?: string }} [options]
 * @returns {Promise<any>} the stage
 */
export async function setStage({ env = {}, postgresSettings = {}, data } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gonets-bench-'));
  chmodSync(folder, 0o755);
  const stops = [];
  const children = new Set();
  const stage = { folder, children };
  stage.end = async () => {
    for (const child of children) {
      child.expected = true;
      child.kill('SIGKILL');
    }
    // The servers before the connections to them: an interrupted statement may run for minutes.
    for (const stop of stops) await stop().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void stage.end().then(() => process.exit(130)));
  try {
    say('starting PostgreSQL and Redis');
    const postgres = await startPostgres({
      dataDir: data ?? join(folder, 'postgres'),
      settings: { shared_buffers: '512MB', ...postgresSettings },
    });
    stops.push(() => postgres.stop('fast'));
    const redis = await startRedis({ dataDir: join(folder, 'redis') });
    stops.push(() => redis.stop());
    stage.pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
    stage.pool.on('error', () => undefined);
    stops.push(() => stage.pool.end());
    stage.sink = await startSink(children);
    Object.assign(stage, { postgres, redis });
    stage.env = {
      ...Object.fromEntries(['PATH', 'HOME', 'TMPDIR', 'REDIS_SERVER_PATH'].map((k) => [k, process.env[k] ?? ''])),
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      SMTP_URL: `smtp://127.0.0.1:${stage.sink.port}`,
      MAIL_FROM: 'Gonets <gonets@example.org>',
      SENDER_ADDRESS: 'Bench Street 1, Benchtown',
      PREFLIGHT: 'off',
      LOG_LEVEL: 'info',
      ...env,
    };
    stage.query = async (sql, params) => (await stage.pool.query(sql, params)).rows;
    stage.first = async (sql, params) => (await stage.query(sql, params))[0];
    await cli(stage, 'migrate');
    return stage;
  } catch (error) {
    await stage.end();
    throw error;
  }
}

/** Runs one command of the product's command line; its standard output. */
export async function cli(stage, ...args) {
  const child = spawn(process.execPath, [join(projectFolder, 'dist/main.cli.js'), ...args], {
    env: stage.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors += data));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`gonets ${args[0]} ended with ${code}: ${errors || output}`);
  return output;
}

/** Starts worker processes and waits until each is ready. `env` is added to the stage's. */
export async function startWorkers(stage, count, env = {}) {
  const workers = [];
  for (let i = 0; i < count; i++) {
    const known = (await stage.first('SELECT count(*)::int AS n FROM workers')).n;
    workers.push(startProcess(stage, 'worker', env, `worker-${known}`));
    await until(async () => (await stage.first('SELECT count(*)::int AS n FROM workers')).n > known, 30_000);
  }
  await sleep(1_000);
  return workers;
}

/** Starts the API; requests go out with an administrator's or the given user's token. */
export async function startApi(stage, token, env = {}) {
  const port = await freePort();
  const child = startProcess(stage, 'api', { ...env, PORT: String(port), HOST: '127.0.0.1' }, 'api');
  const base = `http://127.0.0.1:${port}`;
  await until(
    () =>
      fetch(`${base}/api/v1/health/live`).then(
        (r) => r.ok,
        () => false,
      ),
    30_000,
  );
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  return { child, base, call };
}

function startProcess(stage, kind, env, name) {
  const log = openSync(join(stage.folder, `${name}.log`), 'a');
  const flags = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter(Boolean);
  const args = startArguments(kind);
  /** @type {Child} */
  const child = spawn(process.execPath, [...args.slice(0, -1), ...flags, join(projectFolder, args.at(-1) ?? '')], {
    env: { ...stage.env, ...env },
    stdio: ['ignore', log, log],
    cwd: process.env.BENCH_CWD ?? stage.folder,
  });
  stage.children.add(child);
  child.once('exit', (code, signal) => {
    stage.children.delete(child);
    if (!child.expected)
      process.stderr.write(`\n${name} ended by itself (${code ?? signal}); its log:\n${tail(stage, name)}\n`);
  });
  return child;
}

const tail = (stage, name) =>
  readFileSync(join(stage.folder, `${name}.log`), 'utf8')
    .split('\n')
    .slice(-10)
    .join('\n');

/** Ends processes of the product as an operator would, and waits. */
export async function stopProcesses(children) {
  await Promise.all(
    children.map(async (child) => {
      child.expected = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }),
  );
}

async function startSink(children) {
  const child = fork(bench('sink.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.add(child);
  const [{ port }] = await once(child, 'message');
  const ask = async (question) => {
    const answer = once(child, 'message');
    child.send(question);
    return (await answer)[0];
  };
  return { port, pid: child.pid, ask, letters: async () => (await ask('count')).letters };
}

/** Runs as many copies of a reference client (references.mjs) as there are workers, all warm; letters a second of all together, first start to last end. */
export async function runReference(stage, kind, { letters, workers, connections, warmUp }) {
  const share = Math.ceil(letters / workers);
  const clients = await Promise.all(
    Array.from({ length: workers }, async () => {
      const numbers = [stage.sink.port, share, connections, Math.ceil(warmUp / workers)];
      const child = fork(bench('references.mjs'), [kind, ...numbers.map(String)], {
        env: stage.env,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      stage.children.add(child);
      child.once('exit', () => stage.children.delete(child));
      await once(child, 'message');
      return child;
    }),
  );
  const startedAt = performance.now();
  const reports = await Promise.all(
    clients.map(async (child) => {
      const report = once(child, 'message');
      const broken = once(child, 'exit').then(() => Promise.reject(new Error(`the reference ${kind} ended too early`)));
      child.send('go');
      const [answer] = await Promise.race([report, broken]);
      broken.catch(() => undefined);
      return answer;
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const child of clients) child.send('end');
  const sent = reports.reduce((sum, report) => sum + report.letters, 0);
  return { perSecond: sent / seconds, cpu: Math.round(reports.reduce((sum, r) => sum + r.cpuMicros, 0) / sent) };
}

/** CPU time so far of processes with all their children, in microseconds. */
export function cpuMicros(...pids) {
  let ticks = 0;
  for (const pid of pids) {
    for (const each of [pid, ...descendants(pid)]) {
      try {
        const stat = readFileSync(`/proc/${each}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        ticks += Number(fields[11]) + Number(fields[12]);
        // Of children that have ended and were waited for.
        if (each === pid) ticks += Number(fields[13]) + Number(fields[14]);
      } catch {
        // It has ended meanwhile.
      }
    }
  }
  return (ticks * 1e6) / TICKS;
}

function descendants(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Resident memory in MB. */
export function rssMb(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

export async function until(condition, timeoutMs, everyMs = 50) {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs / 1000} s: ${condition}`);
    await sleep(everyMs);
  }
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const round = (n) => Math.round(n).toLocaleString('en-GB');

/** A line that replaces the last one on a terminal; a line of its own elsewhere. */
export function say(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else process.stderr.write(`${text}\n`);
}

/** What the numbers were made on. */
export async function describe(stage) {
  const [{ v }] = await stage.query("SELECT split_part(version(), ' ', 2) AS v");
  const commit = git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src', 'migrations') ? '+' : '');
  return {
    hardware: `${availableParallelism()} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, shared by everything`,
    versions: `Node ${process.version.slice(1)}, PostgreSQL ${v}, Redis ${await redisVersion(stage)}, commit ${commit}`,
    settings: 'fsync on, synchronous_commit on, shared_buffers 512 MB, Redis AOF everysec, plain SMTP on loopback',
    commit,
  };
}

async function redisVersion(stage) {
  const { Redis } = await import('ioredis');
  const client = new Redis(stage.redis.url);
  const info = await client.info('server');
  client.disconnect();
  return /redis_version:(\S+)/.exec(info)?.[1] ?? '?';
}

function git(...args) {
  try {
    return execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8' }).trim();
  } catch {
    return existsSync(join(projectFolder, '.git')) ? '' : 'unknown';
  }
}
