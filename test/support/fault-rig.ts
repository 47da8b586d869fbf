import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis as RedisClient } from 'ioredis';
import { Pool } from 'pg';
import {
  type Postgres,
  type PostgresOptions,
  type Redis,
  startPostgres,
  startRedis,
} from '../../tools/embedded/index.mjs';
import { runMigrations } from '../../src/database/migrate';
import { Factories } from './factories';
import { mulberry32, Program } from './program';
import { type SmtpServerOptions } from './smtp-server';
import { type SmtpServerProcess, startSmtpServerProcess } from './smtp-server-process';

const root = join(__dirname, '..', '..');
const TOKEN = 'gnt_fault-test';
export const SECRET_KEY = 'a-secret-key-of-the-fault-tests-0123456789';
export const SENDER = 'news@example.com';

/** Short waits, so that what takes minutes in production takes seconds here. */
export const FAST: Record<string, string> = {
  HEARTBEAT_MS: '300',
  TAKEOVER_MS: '2000',
  SWEEP_INTERVAL_MS: '700',
  SCHEDULER_INTERVAL_MS: '700',
  FEED_INTERVAL_MS: '100',
  UNKNOWN_GRACE_MS: '1000',
  RETRY_DELAYS_MS: '300,300,300,300,300',
  BREAKER_DELAYS_MS: '200,400',
  DOMAIN_HOLD_MS: '500',
  SHUTDOWN_MS: '8000',
  SMTP_CONNECTIONS: '5',
  WORKER_CONCURRENCY: '60',
  DATABASE_CONNECTIONS: '6',
};

/** For tests in which nobody dies: a machine that is busy for seconds must not make a live worker look dead. */
export const CALM = { TAKEOVER_MS: '20000' };

/** On a busy machine all takes longer: a test gives up only after so many times what it waits for usually takes. */
const PATIENCE = 4;

export interface Answer<T = Record<string, never>> {
  status: number;
  body: T;
}

/**
 * So many of the cases of one kind, others each time: `npm test` has no time for all. `npm run test:faults`, which says by
 * which seed, has all of them.
 */
export function someOf<T>(cases: readonly T[], count: number): T[] {
  if (process.env.FAULT_SEED) return [...cases];
  const first = Math.floor(Math.random() * cases.length);
  return [...cases, ...cases].slice(first, first + Math.min(count, cases.length));
}

/** Like `it`, for `total` tests of one file, of which `npm test` has only `count`, others each time. */
export function inTurn(total: number, count: number): (name: string, run: () => Promise<void>) => void {
  const chosen = new Set(someOf([...Array(total).keys()], count));
  let call = 0;
  return (name, run) => {
    if (call >= total) throw new Error(`The file has more than ${total} tests: this one would never run`);
    if (chosen.has(call++)) it(name, run);
  };
}

interface RigOptions {
  provide?: (options: PostgresOptions) => Promise<Postgres>;
  postgresEnv?: Record<string, string>;
}

/** Servers of its own, real API and worker processes, a scripted mail server with a journal. One test at a time. */
export class FaultRig {
  postgres!: Postgres;
  redis!: Redis;
  smtp!: SmtpServerProcess;
  api!: Program & { url: string };
  db!: Pool;
  journal = '';
  readonly seed = Number(process.env.FAULT_SEED ?? '') || Math.floor(Math.random() * 1e9);
  private readonly random = mulberry32(this.seed);
  private readonly folder = mkdtempSync(join(tmpdir(), 'gonets-faults-'));
  readonly make = new Factories((sql, params) => this.query(sql, params));
  private readonly programs: Program[] = [];
  private tests = 0;
  private smtpOptions: SmtpServerOptions = {};

  /** `provide`: another Postgres than the one of `npm test`. `postgresEnv`: the server's environment, such as a clock of its own. */
  static async start({ provide = startPostgres, postgresEnv = {} }: RigOptions = {}): Promise<FaultRig> {
    if (!existsSync(join(root, 'dist/main.worker.js'))) throw new Error('Build first: npm run build');
    const rig = new FaultRig();
    process.stderr.write(`fault tests: seed ${rig.seed} (repeat with FAULT_SEED=${rig.seed})\n`);
    [rig.postgres, rig.redis] = await Promise.all([
      provide({ dataDir: join(rig.folder, 'postgres'), env: postgresEnv }),
      startRedis({ dataDir: join(rig.folder, 'redis') }),
    ]);
    await runMigrations(rig.postgres.url);
    rig.db = new Pool({ connectionString: rig.postgres.url, max: 4 });
    rig.db.on('error', () => undefined);
    await rig.people();
    return rig;
  }

  /** The two users and their tokens, in a database that has just been migrated. */
  async people(): Promise<void> {
    await this.make.user({ email: 'admin@example.com', role: 'admin', token: TOKEN });
    await this.make.user({ email: 'other@example.com', token: `${TOKEN}-2` });
  }

  /** An empty ledger, an empty Redis, a new mail server. Call before each test; the API process is kept if it lives. */
  async reset(smtp: SmtpServerOptions = {}, api: Record<string, string> = {}): Promise<void> {
    await Promise.all([this.postgres.start(), this.redis.start()]);
    await this.killAll();
    this.journal = join(this.folder, `journal-${++this.tests}`);
    await this.smtp?.kill('SIGKILL');
    this.smtpOptions = {
      pipelining: true,
      eightBitMime: true,
      login: { user: 'user', pass: 'pass' },
      ...smtp,
      journal: this.journal,
    };
    this.smtp = await startSmtpServerProcess(this.smtpOptions);
    await this
      .query(`TRUNCATE attempts, deliveries, run_counts, stats, failure_stats, runs, mailing_clients, mailings, messages, clients,
      workers, account_log, domain_rests, suppressions, suppression_batches, delivery_events, inbound_letters, inbound_sources, tags, imports, import_rows, bulk_jobs RESTART IDENTITY CASCADE`);
    await this.query(`UPDATE rounds SET begun_at = '-infinity'`);
    await this.query(`UPDATE client_totals SET clients = 0`);
    await this.query(
      `UPDATE accounts SET state = 'open', reason = NULL, detail = NULL, step = 0, strikes = 0, retry_at = NULL`,
    );
    await this.flushRedis();
    if (!this.api?.alive || Object.keys(api).length > 0) await this.startApi(api);
  }

  /** Kills every worker and every API process but the first. */
  async killAll(): Promise<void> {
    await Promise.all(this.programs.filter((program) => program !== this.api).map((program) => program.kill()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill()));
    await this.smtp?.kill('SIGKILL');
    await this.db?.end();
    await Promise.all([this.postgres?.stop('immediate'), this.redis?.kill()]);
    if (process.env.FAULT_KEEP) process.stderr.write(`kept ${this.folder}\n`);
    else rmSync(this.folder, { recursive: true, force: true });
  }

  async startWorker(env: Record<string, string> = {}, ready = true): Promise<Program> {
    const program = this.spawn('worker', env);
    if (ready) await program.says(/Worker is ready/);
    return program;
  }

  /** An API process that is not waited for. */
  beginApi(env: Record<string, string> = {}): Program {
    return this.spawn('api', env);
  }

  startWorkers(count: number, env: Record<string, string> = {}): Promise<Program[]> {
    return Promise.all(Array.from({ length: count }, () => this.startWorker(env)));
  }

  async startApi(env: Record<string, string> = {}, until = /"url":"([^"]+)"/): Promise<Program> {
    await this.api?.kill();
    const program = this.spawn('api', env);
    this.api = Object.assign(program, { url: await program.says(until) });
    return program;
  }

  /** The header of who calls. */
  bearer(): Record<string, string> {
    return { authorization: `Bearer ${TOKEN}` };
  }

  async startSecondApi(): Promise<Program & { url: string }> {
    const program = this.spawn('api', {});
    return Object.assign(program, { url: await program.says(/"url":"([^"]+)"/) });
  }

  /** The mail server again, on the same port, with the same journal. */
  async restartSmtp(options: SmtpServerOptions = {}): Promise<void> {
    const { port } = this.smtp;
    await this.smtp.kill('SIGKILL');
    this.smtp = await startSmtpServerProcess({ ...this.smtpOptions, ...options, port });
  }

  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const { 'x-api': url = this.api.url, ...rest } = headers;
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...this.bearer(),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...rest,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as T };
  }

  /** As `call`, by the other user. */
  callOther<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return this.call(method, path, body, { authorization: `Bearer ${TOKEN}-2` });
  }

  /** Uploads a file of clients. */
  async import(csv: string): Promise<number> {
    const headers = { ...this.bearer(), 'content-type': 'text/csv' };
    const response = await fetch(`${this.api.url}/api/v1/clients/import`, { method: 'POST', headers, body: csv });
    if (!response.ok) throw new Error(`import answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { importId: number }).importId;
  }

  async query<T>(sql: string, params: unknown[] = []): Promise<T[]> {
    return (await this.db.query(sql, params)).rows as T[];
  }

  /** A mailing to clients whose addresses are `local-1@client.example` and so on; returns its id. Owner 1 unless told. */
  async mailing(
    locals: string[],
    more: { onUnknown?: 'resend' | 'hold'; owner?: number; subject?: string } = {},
  ): Promise<number> {
    const { owner: ownerId = 1, onUnknown, subject = 'News for {{ client.fullName }}' } = more;
    const body = '<p>Dear {{ client.fullName }}, nothing new.</p>';
    const messageId = await this.make.message(ownerId, { subject, body });
    return this.make.mailing({
      ownerId,
      messageId,
      recipients: (id) => locals.map((local, i) => `${local}${i + 1}-${id}@client.example`),
      ...(onUnknown && { onUnknown }),
    });
  }

  async send(mailingId: number, key?: string): Promise<number> {
    const headers: Record<string, string> = key ? { 'idempotency-key': key } : {};
    const answer = await this.call<{ runId: number }>('POST', `/mailings/${mailingId}/send`, undefined, headers);
    if (answer.status !== 202) throw new Error(`send answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body.runId;
  }

  /** Counts by delivery status, of one run or of all. */
  async counts(runId?: number): Promise<Record<string, number>> {
    const rows = await this.query<{ status: string; n: number }>(
      'SELECT status, count(*)::int AS n FROM deliveries WHERE $1::bigint IS NULL OR run_id = $1 GROUP BY status',
      [runId ?? null],
    );
    return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
  }

  /**
   * I6: no run is live any more; returns how long that took, for tests of a promise that names a time.
   * @param withinMs where the machine has nothing else to do
   */
  async quiet(withinMs: number): Promise<number> {
    const startedAt = performance.now();
    const patienceMs = withinMs * PATIENCE;
    for (;;) {
      const [live] = await this.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM runs WHERE status IN ('planning', 'sending') OR closing`,
      ).catch(() => [{ n: -1 }]);
      const ms = performance.now() - startedAt;
      if (live?.n === 0) return ms;
      if (ms > patienceMs) throw new Error(`I6: not quiet after ${patienceMs} ms: ${await this.situation()}`);
      await sleep(50);
    }
  }

  /** Waits until so many letters were accepted. */
  async accepted(count: number, timeoutMs = 30_000): Promise<void> {
    await this.eventually(async () => (await this.smtp.stats()).accepted >= count, timeoutMs, `${count} accepted`);
  }

  async eventually(check: () => Promise<boolean> | boolean, timeoutMs = 20_000, what = 'it'): Promise<void> {
    const patienceMs = timeoutMs * PATIENCE;
    const deadline = performance.now() + patienceMs;
    while (!(await check())) {
      if (performance.now() > deadline)
        throw new Error(`${what} did not happen within ${patienceMs} ms: ${await this.situation()}`);
      await sleep(20);
    }
  }

  /** What a failure is to be understood by: the ledger, and what the workers said last. */
  private async situation(): Promise<string> {
    const ledger = await this.query(
      'SELECT run_id, status, reason, claimed_by, attempts, count(*)::int AS n FROM deliveries GROUP BY 1, 2, 3, 4, 5',
    ).catch((error: unknown) => String(error));
    const said = this.workers.map((worker) => worker.log.split('\n').slice(-25).join('\n'));
    return [JSON.stringify(ledger), ...said].join('\n--- a worker ---\n');
  }

  /** A whole number from 0 below `limit`, by the seed. */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  async flushRedis(): Promise<void> {
    const client = new RedisClient(this.redis.url);
    await client.flushall();
    client.disconnect();
  }

  /** Takes away a share of the keys that match, as an eviction does. */
  async evict(share: number, pattern = /./): Promise<void> {
    const client = new RedisClient(this.redis.url);
    const keys = (await client.keys('*')).filter((key) => pattern.test(key)).sort();
    for (const key of keys) if (this.random() < share) await client.del(key);
    client.disconnect();
  }

  /** Jobs of deliveries that are not over, at one moment: none is counted twice while it moves. */
  async jobs(): Promise<number> {
    const client = new RedisClient(this.redis.url);
    const key = (list: string) => `{gonets}:delivery:${list}`;
    const counts = await client
      .multi()
      .llen(key('wait'))
      .llen(key('active'))
      .zcard(key('delayed'))
      .zcard(key('prioritized'))
      .exec();
    client.disconnect();
    return (counts ?? []).reduce((sum, [, n]) => sum + Number(n), 0);
  }

  /** Ends every session at the database but this test's own. */
  async terminateSessions(): Promise<void> {
    await this.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gonets'`,
    );
  }

  /** Runs these although the database is read-only for others. */
  async writable(...statements: string[]): Promise<void> {
    const client = await this.db.connect();
    await client.query('SET default_transaction_read_only = off');
    for (const statement of statements) await client.query(statement);
    client.release(true);
  }

  /** What any process of this rig called fatal. */
  fatal(): string[] {
    return this.programs.flatMap(({ name, log }) =>
      log
        .split('\n')
        .filter((line) => line.includes('"level":60'))
        .map((line) => `${name}: ${line.slice(0, 400)}`),
    );
  }

  get workers(): Program[] {
    return this.programs.filter((program) => program.name.startsWith('worker') && program.alive);
  }

  /** The last warnings of each process of this test, for a failed one's report. */
  tails(): string {
    const lines = this.programs.flatMap(({ name, log }) =>
      log
        .split('\n')
        .filter((line) => /"level":(50|60)|failpoint|Error/.test(line))
        .slice(-3)
        .map((line) => `${name}: ${line.slice(0, 600)}`),
    );
    return lines.slice(-20).join('\n');
  }

  /** One row of the table in docs/reliability.md. */
  note(
    fault: string,
    measured: { letters: number; extraCopies: number; unknownAttempts: number },
    killed: number,
  ): void {
    const { letters, extraCopies, unknownAttempts } = measured;
    process.stderr.write(`| ${fault} | ${letters} | ${killed} | 0 | ${extraCopies} | ${unknownAttempts} |\n`);
  }

  /** What a process of the product is told. */
  env(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'test',
      DATABASE_URL: this.postgres.url,
      REDIS_URL: this.redis.url,
      SMTP_URL: `smtp://user:pass@127.0.0.1:${this.smtp.port}?ignoreTLS=true`,
      MAIL_FROM: `News <${SENDER}>`,
      SENDER_ADDRESS: 'Test street 1, Testtown',
      PREFLIGHT: 'off',
      SECRET_KEY,
      PORT: '0',
      ...FAST,
    };
  }

  private spawn(kind: 'api' | 'worker', env: Record<string, string>): Program {
    const name = `${kind}-${this.programs.length}`;
    const logFile = join(this.folder, `${name}.log`);
    const program = Program.product(kind, { name, logFile, env: { ...this.env(), ...env } });
    this.programs.push(program);
    return program;
  }
}
