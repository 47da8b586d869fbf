import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { Client } from 'pg';
import { schema } from '../../src/config/schema';
import { freePort } from '../../tools/embedded/index.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { Program } from '../support/program';

/** docker-compose.yml as it is written; test/servers/compose.spec.ts asks Docker Compose itself. */

interface Service {
  env_file?: string[];
  environment?: Record<string, string>;
  command?: string[];
  ports?: string[];
  profiles?: string[];
  healthcheck?: { test: string[] };
  logging?: { options: Record<string, string> };
  read_only?: boolean;
  cap_drop?: string[];
}

const root = join(__dirname, '../..');
const { services } = load(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), {
  schema: CORE_SCHEMA.withTags(mergeTag),
}) as {
  services: Record<string, Service>;
};
const OURS = ['migrate', 'api', 'worker'];
/** Compose writes a dollar sign twice. */
const plain = (text = '') => text.replaceAll('$$', '$');

test.each(OURS)('%s is given every setting that .env has', (name) => {
  const { env_file: files, environment = {} } = services[name]!;
  expect(files).toEqual(['.env']);
  // What stands in `environment` has the last word: only what these containers decide, or the setting's own value first.
  const decided = Object.entries(environment).filter(([setting, value]) => !value.startsWith(`\${${setting}:-`));
  expect(Object.fromEntries(decided)).toEqual({ NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '3000' });
  const known = ['NODE_ENV', ...Object.values(schema).map(({ env }) => env)] as string[];
  expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
});

test.each(Object.keys(services))(
  '%s is shut in: nothing to write to, no capabilities to take, no endless logs',
  (name) => {
    const service = services[name]!;
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(Object.keys(service.logging?.options ?? {}).sort()).toEqual(['max-file', 'max-size']);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    if (!['migrate', 'mail'].includes(name)) expect(service.healthcheck?.test.length).toBeGreaterThan(1);
  },
);

test('the mail catcher comes only when it is asked for; no secret has a default', () => {
  expect(services.mail?.profiles).toEqual(['try']);
  for (const name of ['POSTGRES_PASSWORD', 'REDIS_PASSWORD'])
    expect({ ...services.postgres?.environment, ...services.redis?.environment }[name]).toMatch(/^\$\{\w+:\?[^}]+\}$/);
});

test('no .env gets into an image', () => {
  expect(readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')).toEqual(
    expect.arrayContaining(['.env', '.env.*']),
  );
});

describe('commands of containers, run here', () => {
  const PASSWORD = `p@$s/w#1 "'\\%: >~* ü`;
  let folder: string;
  let server: Program;
  let port: number;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gonets-compose-'));
    port = await freePort();
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test('Redis takes a password of any characters, shows it in no list of processes, and ends by SIGTERM', async () => {
    const [shell, c, script] = services.redis?.command ?? [];
    const here = plain(script).replace('--dir /data', `--dir ${folder} --bind 127.0.0.1 --port ${port}`);
    const path = `${join(process.env.REDIS_SERVER_PATH ?? '', '..')}:${process.env.PATH}`;
    server = Program.start(shell!, [c!, here], { env: { ...process.env, PATH: path, REDIS_PASSWORD: PASSWORD } });
    const client = new Redis({ host: '127.0.0.1', port, password: PASSWORD });
    client.on('error', () => undefined);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
    const stranger = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      retryStrategy: () => null,
      disconnectTimeout: 50,
    });
    stranger.on('error', () => undefined);
    await expect(stranger.connect()).rejects.toThrow();
    stranger.disconnect();
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).toMatch(/^\S*redis-server/);
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain('p@$s');
    expect(await server.stop()).toBe(0);
  });

  describe('a worker', () => {
    let database: TestDatabase;
    beforeAll(async () => (database = await createTestDatabase()));
    afterAll(() => database.drop());

    test('is healthy while the ledger has its heartbeat', async () => {
      const [, command, ...args] = services.worker?.healthcheck?.test ?? [];
      const check = () => {
        const env = { DATABASE_URL: database.url, NODE_ENV: 'test' };
        return spawnSync(command!, args.map(plain), { cwd: root, env: { ...process.env, ...env } }).status;
      };
      expect(check()).toBe(1);
      const client = new Client({ connectionString: database.url });
      await client.connect();
      await client.query(`INSERT INTO workers (host, pid, version) VALUES ($1, 1, 'x')`, [hostname()]);
      expect(check()).toBe(0);
      await client.query(`UPDATE workers SET heartbeat_at = now() - interval '1 hour'`);
      expect(check()).toBe(1);
      await client.end();
    });
  });
});
