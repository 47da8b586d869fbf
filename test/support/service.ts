import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from './database';
import { lastWords, Program, type Result, runProduct } from './program';
import { createTestRedis, type TestRedis } from './redis';

/** Waits that are short enough for a test; every waiting time of the product comes from the environment. */
export const QUICK = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  PORT: '0',
  SECRET_KEY: 'a-test-secret-key-of-forty-characters-00',
  MAIL_FROM: 'Gonets Test <sender@example.com>',
  SENDER_ADDRESS: 'Test street 1, Testtown',
  PREFLIGHT: 'off',
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

/** Starts one of the service's own processes, from the build, and waits until it is ready. */
export async function startProcess(kind: 'api' | 'worker', env: NodeJS.ProcessEnv): Promise<Program> {
  const program = Program.product(kind, { env });
  await program.said(`${kind}.started`);
  return program;
}

/** Runs a command of the build to its end. */
export const cli = (env: NodeJS.ProcessEnv, args: string[], input = ''): Promise<Result> =>
  runProduct('cli', { env, args, input });

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
  timeoutMs = 90_000,
): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(50)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`${what} did not happen within ${timeoutMs / 1000} s\n${lastWords()}`);
}
