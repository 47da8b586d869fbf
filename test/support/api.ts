import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Type } from '@nestjs/common';
import { createApi } from '../../src/api/create-api';
import type { Config } from '../../src/config/config.module';
import { loadConfig } from '../../src/config/config';
import { Database } from '../../src/database/database';
import type { Role } from '../../src/domain/permissions';
import { TokensService } from '../../src/features/users/tokens.service';
import { UsersService } from '../../src/features/users/users.service';
import { RedisConnection } from '../../src/queue/redis.module';
import { createTestDatabase } from './database';
import { Factories } from './factories';
import { createTestRedis } from './redis';

export const PASSWORD = 'correct horse battery';

export interface Answer {
  status: number;
  headers: Headers;
  /** The parsed JSON; empty for other answers. */
  body: AnswerBody;
  text: string;
}

/** What tests look at; which fields there are depends on the route. */
export interface AnswerBody {
  [field: string]: unknown;
  id: number;
  code: string;
  detail: string;
  errors: { field: string; message: string }[];
  items: Record<string, unknown>[];
  nextCursor: string | null;
  csrfToken: string;
  token: string;
}

export interface Call {
  token?: string;
  cookie?: string;
  csrf?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Person {
  id: number;
  email: string;
  token: string;
}

/** The API as it runs, with a database and a corner of Redis of its own. */
export interface TestApi {
  app: NestExpressApplication;
  config: Config;
  url: string;
  database: Database;
  make: Factories;
  /** `path` begins after the origin: `/api/v1/me`. */
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Somebody with PASSWORD and a token. */
  person(role?: Role, email?: string): Promise<Person>;
  signIn(email: string, password?: string): Promise<{ cookie: string; csrf: string; answer: Answer }>;
  close(): Promise<void>;
}

/** `locale` is the database's, an ICU one, where its collation matters. */
export async function startApi(
  settings: Partial<Config> = {},
  modules: Type[] = [],
  locale?: string,
): Promise<TestApi> {
  const testDatabase = await createTestDatabase(locale);
  const redis = createTestRedis();
  const config: Config = {
    ...loadConfig({
      DATABASE_URL: testDatabase.url,
      REDIS_URL: redis.url,
      REDIS_PREFIX: redis.prefix,
      LOG_LEVEL: 'silent',
      SENDER_ADDRESS: 'Test street 1, Testtown',
      PREFLIGHT: 'off',
    }),
    ...settings,
  };
  const app = await createApi(config, modules);
  await app.listen(0, '127.0.0.1');
  await app.get(RedisConnection, { strict: false }).ready(10_000);
  const url = await app.getUrl();
  let people = 0;

  async function call(
    method: string,
    path: string,
    { token, cookie, csrf, headers, body }: Call = {},
  ): Promise<Answer> {
    const raw = typeof body === 'string';
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(cookie && { cookie }),
        ...(csrf && { 'x-csrf-token': csrf }),
        ...(body !== undefined && !raw && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    const parsed = (isJson ? JSON.parse(text) : {}) as AnswerBody;
    return { status: response.status, headers: response.headers, body: parsed, text };
  }

  const database = app.get(Database, { strict: false });
  return {
    app,
    config,
    url,
    database,
    make: new Factories((sql, params) => database.rows(sql, params)),
    call,
    async person(role = 'user', email = `person${++people}@example.org`) {
      const user = await app.get(UsersService, { strict: false }).create({ email, role, password: PASSWORD });
      const { token } = await app.get(TokensService, { strict: false }).create(user.id, { name: 'test' });
      return { id: user.id, email, token };
    },
    async signIn(email, password = PASSWORD) {
      const answer = await call('POST', '/api/v1/auth/login', { body: { email, password } });
      const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      return { cookie, csrf: answer.body.csrfToken ?? '', answer };
    },
    async close() {
      await app.close();
      await redis.drop();
      await testDatabase.drop();
    },
  };
}
