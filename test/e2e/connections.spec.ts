import { Program } from '../support/program';
import { createTestService, type TestService } from '../support/service';

/** What whole processes say that can't start because of a URL: the cause, and nothing of a password. */

type Kind = 'api' | 'worker' | 'cli';
const SECRET = 'tops@cret/w#rd';
const encoded = encodeURIComponent(SECRET);
/** Of the password, encoded or not, and of what a parser might have taken for a host or a path in it. */
const PIECES = /tops|cret|w#rd|w%23rd|someuser/;

let service: TestService;

beforeAll(async () => {
  service = await createTestService();
});
afterAll(() => service.drop());

/** Runs a process that can't start, and gives all that it said. */
async function failing(kind: Kind, env: Record<string, string>, args: string[] = []): Promise<string> {
  const program = Program.product(kind, { env: { ...service.env, WAIT_FOR_SERVICES_MS: '300', ...env } }, args);
  await program.ends(240_000).catch(async (error: unknown) => {
    await program.kill();
    throw error;
  });
  if (program.ending === 1) return program.log;
  throw new Error(`exit code ${program.ending}: ${program.log}`);
}

test.each<[Kind, string, () => Record<string, string>, RegExp]>([
  [
    'api',
    'a Redis password that is wrong',
    () => ({ REDIS_URL: withUser(service.redis.url) }),
    /of REDIS_URL is wrong/,
  ],
  [
    'worker',
    'a Postgres password that is wrong',
    () => ({ DATABASE_URL: withUser(service.database.url) }),
    /of DATABASE_URL is wrong/,
  ],
  [
    'cli',
    'a Postgres password that is wrong',
    () => ({ DATABASE_URL: withUser(service.database.url) }),
    /of DATABASE_URL is wrong/,
  ],
  [
    'api',
    'a password that is not encoded',
    () => ({ REDIS_URL: `redis://someuser:${SECRET}@h` }),
    /REDIS_URL .*percent-encode/,
  ],
  [
    'worker',
    'a password that is not encoded',
    () => ({ DATABASE_URL: `postgres://someuser:${SECRET}@h/x` }),
    /DATABASE_URL .*percent-encode/,
  ],
  [
    'cli',
    'a password that is not encoded',
    () => ({ SMTP_URL: `smtp://someuser:${SECRET}@h` }),
    /SMTP_URL .*percent-encode/,
  ],
  [
    'worker',
    'a password in clear',
    () => ({ SMTP_URL: `smtp://someuser:${encoded}@h?ignoreTLS=true` }),
    /SMTP_URL .*allowPlainLogin=true/,
  ],
])('%s: %s', async (program, _, env, cause) => {
  const said = await failing(program, env(), program === 'cli' ? ['migrate'] : []);
  expect(said).toMatch(cause);
  expect(said).not.toMatch(PIECES);
});

function withUser(url: string): string {
  const changed = new URL(url);
  [changed.username, changed.password] = ['someuser', SECRET];
  return changed.href;
}

test('what crosses other networks in clear is said once, and what a port hints at', async () => {
  const said = await failing('worker', {
    DATABASE_URL: 'postgres://someuser:topsecret@db.invalid.example.org:1/x',
    REDIS_URL: 'redis://:topsecret@203.0.113.9:6380',
    SMTP_URL: 'smtp://someuser:topsecret@mail.example.org:465',
  });
  const warnings = said.split('\n').filter((line) => line.includes('"event":"config.warning"'));
  expect(warnings).toEqual([
    expect.stringMatching(/Postgres at db.*sslmode/),
    expect.stringMatching(/Redis at 203.0.113.9:6380.*rediss/),
    expect.stringMatching(/465.*smtps/),
  ]);
  expect(said).not.toMatch(PIECES);
});
