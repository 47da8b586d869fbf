import fc from 'fast-check';
import { ConfigError, loadConfig } from '../../src/config/config';
import { isLoopback, isPrivate } from '../../src/config/private-host';
import { startWarnings } from '../../src/config/start-warnings';

const SCHEMES = { DATABASE_URL: 'postgres', REDIS_URL: 'redis', SMTP_URL: 'smtp', PUBLIC_URL: 'https' } as const;
const PATHS = { DATABASE_URL: '/gonets', REDIS_URL: '/0', SMTP_URL: '', PUBLIC_URL: '' } as const;
const NAMES = Object.keys(SCHEMES) as (keyof typeof SCHEMES)[];

function problemOf(name: string, value: string): string | null {
  try {
    loadConfig({ [name]: value });
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe.each(['DATABASE_URL', 'REDIS_URL', 'SMTP_URL'] as const)('%s with a password that is not encoded', (name) => {
  test.each([
    'p@ss/w#1',
    'topse/cret',
    'topse#cret',
    'topse?cret',
    '12/34secret',
    '12?34secret',
    '%zzsecret',
    '100%',
    'a@b/c',
    '//',
    'topse\ncret',
  ])('%j is refused, says what to do and shows nothing', (password) => {
    const problem = problemOf(name, `${SCHEMES[name]}://someuser:${password}@db.example.org:5432${PATHS[name]}`);
    expect(problem).toMatch(password.includes('\n') ? /one line/ : /percent-encode the user and password/);
    expect(problem).not.toMatch(/someuser|db\.example|secret|cret|p@ss|ss\/w|zz/);
  });

  test('any password: refused, or read as it was meant', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme-ascii' }), (password) => {
        const text = `${SCHEMES[name]}://someuser:${password}@db.example.org:5432${PATHS[name]}`;
        if (problemOf(name, text) !== null) return;
        const url = new URL(text);
        expect(url.host).toBe('db.example.org:5432');
        // What is taken as it stands is no percent-encoding, unless it looks like one.
        if (!/%[\da-f]{2}/i.test(password)) expect(decodeURIComponent(url.password)).toBe(password);
      }),
      { numRuns: 500 },
    );
  });

  test('an encoded one is taken', () => {
    const password = encodeURIComponent('p@ss/w#1?%:&');
    expect(problemOf(name, `${SCHEMES[name]}://user:${password}@db.example.org:5432${PATHS[name]}`)).toBeNull();
  });
});

test.each(NAMES)('%s: no URL at all', (name) => {
  expect(problemOf(name, 'some words, secret')).toMatch(new RegExp(`${name} is not a URL such as ${SCHEMES[name]}`));
  expect(problemOf(name, 'some words, secret')).not.toContain('secret');
});

test.each([
  ['REDIS_URL', 'redis://host/first', /number of a database/],
  ['REDIS_URL', 'redis://host/-1', /number of a database/],
  ['REDIS_URL', 'redis:///0', /no host/],
  ['PUBLIC_URL', 'https://user:secret@host', /user or password/],
  ['PUBLIC_URL', 'https://host/?a=secret', /question mark/],
  ['PUBLIC_URL', 'https://host/#secret', /#/],
  ['PUBLIC_URL', 'ftp://secret.example', /https:\/\/ or http:\/\//],
  ['SMTP_URL', 'smtp://u:secret@h?ignoreTLS=true', /allowPlainLogin=true/],
  ['SMTP_URL', 'smtp://u:secret@h?nope=1', /nope/],
])('%s=%s is refused', (name, value, problem) => {
  expect(problemOf(name, value)).toMatch(problem);
  expect(problemOf(name, value)).not.toContain('secret');
});

test.each([
  ['localhost', true, true],
  ['127.1.2.3', true, true],
  ['[::1]', true, true],
  ['[::ffff:7f00:1]', true, true],
  ['redis', false, true],
  ['db.internal', false, true],
  ['10.1.2.3', false, true],
  ['172.16.0.1', false, true],
  ['172.32.0.1', false, false],
  ['192.168.1.1', false, true],
  ['100.64.0.1', false, true],
  ['[fd00::1]', false, true],
  ['[2001:db8::1]', false, false],
  ['203.0.113.9', false, false],
  ['db.example.org', false, false],
  ['10.example.org', false, false],
])('%s: this machine %s, own network %s', (host, loopback, own) => {
  expect([isLoopback(host), isPrivate(host)]).toEqual([loopback, own]);
});

test.each([
  [{ databaseUrl: 'postgres://u:secret@db.example.org/x' }, [/Postgres at db\.example\.org .*sslmode/]],
  [{ databaseUrl: 'postgres://u:secret@db.example.org/x?sslmode=disable' }, [/Postgres/]],
  [{ databaseUrl: 'postgres://u:secret@db.example.org/x?sslmode=require' }, []],
  [{ databaseUrl: 'postgres://u:secret@db/x' }, []],
  [{ redisUrl: 'redis://:secret@203.0.113.9:6380/0' }, [/Redis at 203\.0\.113\.9:6380 .*rediss/]],
  [{ redisUrl: 'rediss://:secret@redis.example.org' }, []],
  [{ redisUrl: 'redis://:secret@10.0.0.7' }, []],
  [{ smtpUrl: 'smtp://u:secret@mail.example.org:465' }, [/smtps:/]],
])('%j is warned of %j', (urls, expected) => {
  const warnings = startWarnings({ ...loadConfig({}), ...urls });
  expect(warnings).toHaveLength(expected.length);
  expected.forEach((pattern, i) => expect(warnings[i]).toMatch(pattern));
  expect(warnings.join()).not.toContain('secret');
});
