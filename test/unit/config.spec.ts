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
    'SMTP_URL',
    'MAIL_FROM',
    'PUBLIC_URL',
    'SECRET_KEY',
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
