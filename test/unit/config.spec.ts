import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../src/config/config';

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://u:p@db/gonets',
  REDIS_URL: 'redis://redis',
  SMTP_URL: 'smtp://mail:25',
  MAIL_FROM: 'News <news@example.org>',
  PUBLIC_URL: 'https://mail.example.org',
  SECRET_KEY: 'pR7vN2mX9qL4wT8zK1jH6bC3dF5gY0sA',
};

function problems(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

it('has a default for everything in development', () => {
  expect(loadConfig({})).toMatchObject({
    port: 3000,
    registration: 'open',
    schedulerIntervalMs: 15_000,
    queueWindow: 20_000,
  });
  expect(loadConfig({}).retryDelaysMs).toEqual([5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * 60_000));
});

it('is frozen', () => {
  expect(Object.isFrozen(loadConfig({}))).toBe(true);
});

it('takes what production gives, with safer defaults', () => {
  expect(problems(production)).toEqual([]);
  expect(loadConfig(production)).toMatchObject({ registration: 'approval', secureCookies: true, host: '0.0.0.0' });
});

it('names all that is missing in production at once', () => {
  expect(problems({ NODE_ENV: 'production' }).map((p) => p.split(' ')[0])).toEqual([
    'DATABASE_URL',
    'REDIS_URL',
    'SECRET_KEY',
    'PUBLIC_URL',
    'SMTP_URL',
    'MAIL_FROM',
  ]);
});

it.each([
  ['short', 'short'],
  ['of few characters', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['the one for development', loadConfig({}).secretKey],
])('refuses a SECRET_KEY that is %s, without showing it', (_, key) => {
  const [problem] = problems({ ...production, SECRET_KEY: key });
  expect(problem).toMatch(/^SECRET_KEY is too weak/);
  expect(problem).not.toContain(key);
});

it.each([
  ['PORT', 'eighty'],
  ['PORT', '70000'],
  ['WORKER_CONCURRENCY', '0'],
  ['RETRY_DELAYS_MS', '5,x'],
  ['REGISTRATION', 'maybe'],
  ['SECURE_COOKIES', 'perhaps'],
  ['DATABASE_URL', 'mysql://u:secret@host/x'],
  ['SMTP_URL', 'not a url with secret'],
])('refuses %s=%s by name', (name, value) => {
  const [problem, ...others] = problems({ [name]: value });
  expect(problem).toMatch(new RegExp(`^${name} `));
  expect(problem).not.toContain('secret');
  expect(others).toEqual([]);
});

describe('a password beside its URL', () => {
  const password = 'p@$s/w#1 "\'%41:?&ü';

  it.each([
    ['DATABASE', 'databaseUrl', 'postgres://gonets@postgres:5432/gonets?sslmode=disable'],
    ['REDIS', 'redisUrl', 'redis://redis:6379/0'],
  ] as const)('%s_PASSWORD is taken as it is', (name, key, url) => {
    const whole = new URL(loadConfig({ [`${name}_URL`]: url, [`${name}_PASSWORD`]: password })[key]);
    expect(decodeURIComponent(whole.password)).toBe(password);
    whole.password = '';
    expect(whole.href).toBe(url);
  });

  it('is given once', () => {
    expect(problems({ DATABASE_URL: 'postgres://u:topsecret@h/d', DATABASE_PASSWORD: 'other' })).toEqual([
      'DATABASE_PASSWORD and DATABASE_URL both give a password: give one',
    ]);
  });
});

describe('a sign-in provider', () => {
  const load = (env: Record<string, string>) => loadConfig({ OIDC_CLIENT_ID: 'gonets', ...env });

  it.each([
    'https://accounts.example.org',
    'https://id.example.org/realms/one',
    'http://keycloak:8080',
    'http://127.0.0.1:1',
  ])('%s', (issuer) => expect(load({ OIDC_ISSUER: issuer }).oidcIssuer).toBe(issuer));

  it.each([
    'http://accounts.example.org',
    'accounts.example.org',
    'ftp://id.example',
    'https://a:b@id.example',
    'https://id.example?x',
  ])('is not %s', (issuer) => expect(() => load({ OIDC_ISSUER: issuer })).toThrow('OIDC_ISSUER'));

  it('needs all that belongs to it', () => {
    expect(() => loadConfig({ OIDC_ISSUER: 'https://id.example' })).toThrow('OIDC_CLIENT_ID is missing');
    expect(() => loadConfig({ OIDC_CLIENT_ID: 'gonets' })).toThrow('OIDC_ISSUER is missing');
    expect(() => loadConfig({ OIDC_CLIENT_SECRET: 'secret' })).toThrow('OIDC_CLIENT_ID is missing');
  });
});

describe('a secret in a file', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'gonets-config-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is read without its last line break', () => {
    const file = join(folder, 'key');
    writeFileSync(file, `${production.SECRET_KEY}\n`);
    expect(loadConfig({ ...production, SECRET_KEY: undefined, SECRET_KEY_FILE: file }).secretKey).toBe(
      production.SECRET_KEY,
    );
  });

  it('must be there, and be the only one', () => {
    for (const path of [join(folder, 'none'), folder])
      expect(problems({ ...production, SECRET_KEY: undefined, SECRET_KEY_FILE: path })).toEqual([
        expect.stringMatching(/^SECRET_KEY_FILE can't be read/),
      ]);
    expect(problems({ ...production, SECRET_KEY_FILE: join(folder, 'key') })).toEqual([
      expect.stringMatching(/both given/),
    ]);
  });

  it.each(['', '\n', '\r\n'])('must hold something: %j, also where the setting has a default', (text) => {
    const file = join(folder, 'empty');
    writeFileSync(file, text);
    for (const env of [{ ...production, SECRET_KEY: undefined }, {}])
      expect(problems({ ...env, SECRET_KEY_FILE: file })).toEqual(['SECRET_KEY_FILE is empty']);
  });
});
