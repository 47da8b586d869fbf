import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { freePort, type Redis as RedisService, startRedis } from '../../tools/embedded/index.mjs';
import { redisUrlProblem } from '../../src/config/service-url';
import { refusePostgres } from '../../src/database/postgres-problem';
import { tryRedis } from '../../src/queue/redis-problem';

/** What a process says that can't reach its servers: the cause, and nothing of what the URL holds. */

const pem = join(__dirname, '../support/localhost.pem');
const SECRET = 'tops@cret/w#rd';
const encoded = encodeURIComponent(SECRET);
const PIECES = /tops|cret|w#rd|w%23rd|full|others|nostreams|noscripts|someuser/;

let folder: string;
let redis: RedisService;
let tlsPort: number;
let stranger: Server;
let at: { redis: string; stranger: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gonets-connections-'));
  tlsPort = await freePort();
  const tls = [
    '--tls-port',
    String(tlsPort),
    '--tls-cert-file',
    pem,
    '--tls-key-file',
    pem,
    '--tls-auth-clients',
    'no',
  ];
  redis = await startRedis({ dataDir: join(folder, 'redis'), extraArgs: tls });
  const admin = new Redis(redis.url);
  for (const [user, ...rights] of [
    ['full', '~*', '+@all'],
    ['noscripts', '~*', '+@all', '-eval', '-evalsha'],
    ['nostreams', '~*', '+@all', '-xadd'],
    ['others', '~other:*', '+@all'],
  ])
    await admin.call('ACL', 'SETUSER', user!, 'on', `>${SECRET}`, '&*', ...rights);
  admin.disconnect();
  stranger = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((ready) => stranger.listen(0, '127.0.0.1', ready));
  at = {
    redis: new URL(redis.url).host,
    stranger: `127.0.0.1:${(stranger.address() as AddressInfo).port}`,
  };
});

afterAll(async () => {
  stranger.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

describe('Redis', () => {
  test.each<[string, () => string, RegExp]>([
    ['no password', () => `redis://${at.redis}`, /asks for a password, and REDIS_URL gives none/],
    ['a wrong password', () => `redis://:${encoded}@${at.redis}`, /the user or the password of REDIS_URL is wrong/],
    ['a wrong user', () => `redis://someuser:${encoded}@${at.redis}`, /the user or the password of REDIS_URL is wrong/],
    ['a database that is not there', () => `redis://full:${encoded}@${at.redis}/99`, /no database of the number/],
    ['no right to scripts', () => `redis://noscripts:${encoded}@${at.redis}`, /lacks a right: to run the command eval/],
    ['no right to streams', () => `redis://nostreams:${encoded}@${at.redis}`, /lacks a right: .*streams/],
    ['no right to the keys', () => `redis://others:${encoded}@${at.redis}`, /lacks a right: .*REDIS_PREFIX/],
    ['nobody listens', () => `redis://:${encoded}@127.0.0.1:1`, /connection refused/],
    ['no such host', () => `redis://:${encoded}@nowhere.invalid`, /name of the host/],
    ['TLS to a port without', () => `rediss://:${encoded}@${at.stranger}`, /does not speak TLS on this port/],
    ['no TLS to a port with it', () => `redis://:${encoded}@127.0.0.1:${tlsPort}`, /TLS .*rediss:\/\//],
    [
      'a certificate of nobody known',
      () => `rediss://:${encoded}@localhost:${tlsPort}`,
      /certificate .*NODE_EXTRA_CA_CERTS/,
    ],
    ['another server', () => `redis://:${encoded}@${at.stranger}`, /no Redis/],
  ])('%s', async (_, url, cause) => {
    expect(redisUrlProblem(url())).toBeNull();
    const said = await redisSays(url());
    expect(said).toMatch(cause);
    expect(said).not.toContain('Connection is closed');
    expect(said).not.toMatch(PIECES);
  });

  test('one that is full is no reason not to start', async () => {
    const admin = new Redis(redis.url);
    await admin.config('SET', 'maxmemory', '1');
    try {
      expect(await redisSays(redis.url)).toBe('connected');
    } finally {
      await admin.config('SET', 'maxmemory', '0');
      admin.disconnect();
    }
  });

  test('a user of its own with the rights it needs is enough', async () => {
    expect(await redisSays(`redis://full:${encoded}@${at.redis}`)).toBe('connected');
  });
});

describe('Postgres', () => {
  const own = new URL(process.env.DATABASE_URL ?? '');
  test.each([
    ['a wrong password', `postgres://gonets:${encoded}@${own.host}/gonets`, /password of DATABASE_URL is wrong/],
    ['a wrong user', `postgres://someuser:${encoded}@${own.host}/gonets`, /password of DATABASE_URL is wrong/],
    ['no such host', `postgres://someuser:${encoded}@nowhere.invalid/x`, /name of the host/],
    ['nobody listens', `postgres://someuser:${encoded}@127.0.0.1:1/x`, /connection refused/],
    ['no password', `postgres://gonets@${own.host}/gonets`, /asks for a password, and DATABASE_URL gives none/],
    ['a server without TLS', `${own.href}?sslmode=require`, /offers no TLS/],
    ['no such database', new URL('/topsdatabase', own).href, /database that DATABASE_URL names/],
  ])('%s', async (_, url, cause) => {
    const client = new Client({ connectionString: url });
    const said = await client
      .connect()
      .then(() => 'connected', refusePostgres)
      .catch((error: Error) => error.message);
    await client.end().catch(() => undefined);
    expect(said).toMatch(cause);
    expect(said).not.toMatch(PIECES);
  });
});

const redisSays = (url: string) =>
  tryRedis(url, '{test}').then(
    () => 'connected',
    (error: Error) => error.message,
  );
