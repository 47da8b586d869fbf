import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';

/** Docker Compose's own reading of docker-compose.yml (Debian's package docker-compose), with a .env made of .env.example. */

const root = join(__dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gonets-compose-'));
  copyFileSync(join(root, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Resolved = { services: Record<string, { environment: Record<string, string>; ports?: string[] }> };

function resolved(env: Record<string, string>): Resolved {
  const lines = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  writeFileSync(join(folder, '.env'), `${lines.join('\n')}\n`);
  const { PATH } = process.env;
  return load(execFileSync('docker-compose', ['config'], { cwd: folder, env: { PATH }, encoding: 'utf8' })) as Resolved;
}

test('every setting of .env.example reaches every process as it is', () => {
  const names = [...readFileSync(join(root, '.env.example'), 'utf8').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(
    ([, n]) => n!,
  );
  expect(names.length).toBeGreaterThan(40);
  const given = Object.fromEntries(names.map((name, i) => [name, `p@ss/w#${i} "${name}" %:`]));
  const { services } = resolved({ ...given, PORT: '8080' });
  for (const name of ['migrate', 'api', 'worker']) {
    const decided = { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '3000' };
    expect(services[name]?.environment).toEqual({ ...given, ...decided });
  }
  expect(services.postgres?.environment.POSTGRES_PASSWORD).toBe(given.DATABASE_PASSWORD);
  expect(services.redis?.environment.REDIS_PASSWORD).toBe(given.REDIS_PASSWORD);
  expect(services.api?.ports).toEqual(['127.0.0.1:8080:3000/tcp']);
});

test('what is not given is Postgres and Redis beside it, and there is no start without passwords', () => {
  const { services } = resolved({ DATABASE_PASSWORD: 'a', REDIS_PASSWORD: 'b' });
  expect(services.worker?.environment).toMatchObject({
    DATABASE_URL: 'postgres://gonets@postgres:5432/gonets',
    REDIS_URL: 'redis://redis:6379/0',
  });
  expect(() => resolved({ REDIS_PASSWORD: 'b' })).toThrow(/database a password/);
  expect(() => resolved({ DATABASE_PASSWORD: 'a' })).toThrow(/Redis a password/);
});
