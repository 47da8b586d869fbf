import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from './database';
import { createTestRedis, type TestRedis } from './redis';

/** Waits that are short enough for a test; every waiting time of the product comes from the environment. */
export const QUICK = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  PORT: '0',
  SECRET_KEY: 'a-test-secret-key-of-forty-characters-00',
  MAIL_FROM: 'Gonets Test <sender@example.com>',
  SCHEDULER_INTERVAL_MS: '500',
  SWEEP_INTERVAL_MS: '1000',
  FEED_INTERVAL_MS: '100',
  RETRY_DELAYS_MS: '300,600',
  BREAKER_DELAYS_MS: '200,400',
  UNKNOWN_GRACE_MS: '1000',
  HEARTBEAT_MS: '500',
  TAKEOVER_MS: '3000',
} as const;

/** An empty service: a database and a corner of Redis of its own, and the environment that names them. */
export interface TestService {
  database: TestDatabase;
  redis: TestRedis;
  env: NodeJS.ProcessEnv;
  drop(): Promise<void>;
}

export async function createTestService(extra: Record<string, string> = {}): Promise<TestService> {
  const database = await createTestDatabase();
  const redis = createTestRedis();
  const env = {
    ...process.env,
    ...QUICK,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix,
    ...extra,
  };
  return {
    database,
    redis,
    env,
    async drop() {
      await redis.drop();
      await database.drop();
    },
  };
}

const root = join(__dirname, '../..');

/** One of the service's own processes, from the build. */
export class TestProcess {
  readonly lines: string[] = [];
  private readonly exit: Promise<number | null>;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    const take = (chunk: Buffer) => this.lines.push(...chunk.toString().split('\n').filter(Boolean));
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    this.exit = new Promise((done) => child.once('exit', (code) => done(code)));
  }

  /** Starts `dist/main.<name>.js` and waits until it says that it is ready. */
  static async start(name: 'api' | 'worker', env: NodeJS.ProcessEnv): Promise<TestProcess> {
    const child = spawn(process.execPath, [`dist/main.${name}.js`], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new TestProcess(name, child);
    await started.said(name === 'api' ? 'api.started' : 'worker.started');
    return started;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits for a log line of this event. @throws if the process ends first, or after half a minute */
  async said(event: string): Promise<Record<string, unknown>> {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) {
      const line = this.lines.find((l) => l.includes(`"event":"${event}"`));
      if (line) return JSON.parse(line) as Record<string, unknown>;
      if (this.child.exitCode !== null) break;
    }
    throw new Error(`${this.name} did not say ${event}:\n${this.lines.slice(-20).join('\n')}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it by SIGTERM (unless it has ended) and gives its exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    return this.exit;
  }
}

export interface CliResult {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a command of the build to its end. */
export function cli(env: NodeJS.ProcessEnv, args: string[], input = ''): Promise<CliResult> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['dist/main.cli.js', ...args], { cwd: root, env });
    const result = { code: null as number | null, out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (result.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (result.err += chunk.toString()));
    child.stdin.end(input);
    child.once('close', (code) => done({ ...result, code }));
  });
}

/** An answer of the API with its body read. */
export interface Answer<T> {
  status: number;
  body: T;
  headers: Headers;
}

/** Calls the API as the bearer of a token. */
export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly token?: string,
  ) {}

  get = <T>(path: string) => this.call<T>('GET', path);
  post = <T>(path: string, body?: unknown, headers?: Record<string, string>) =>
    this.call<T>('POST', path, body, headers);
  patch = <T>(path: string, body?: unknown) => this.call<T>('PATCH', path, body);
  delete = <T>(path: string, body?: unknown) => this.call<T>('DELETE', path, body);

  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const raw = typeof body === 'string' || Buffer.isBuffer(body);
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: (json ? JSON.parse(text) : text) as T, headers: response.headers };
  }
}

/** Makes a user and a token of theirs by the commands an operator uses. */
export async function createUser(
  env: NodeJS.ProcessEnv,
  email: string,
  role = 'user',
): Promise<{ id: number; token: string }> {
  const user = JSON.parse((await cli(env, ['create-user', '--email', email, '--role', role, '--json'])).out) as {
    id: number;
  };
  const made = await cli(env, ['create-token', '--email', email, '--name', 'test', '--json']);
  return { id: user.id, token: (JSON.parse(made.out) as { token: string }).token };
}

/** Waits until `look` gives something; for what happens elsewhere and has no event. */
export async function eventually<T>(
  look: () => Promise<T | undefined | null | false>,
  what: string,
  timeoutMs = 30_000,
): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(50)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
}
