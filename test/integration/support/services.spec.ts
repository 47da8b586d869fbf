import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import {
  type Postgres,
  type Redis as RedisService,
  startPostgres,
  startRedis,
} from '../../../tools/embedded/index.mjs';
import { createTestDatabase } from '../../support/database';
import { createTestRedis } from '../../support/redis';

async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

describe('what tests share', () => {
  it('gives each caller a migrated database of its own, also many at once', async () => {
    const databases = await Promise.all(Array.from({ length: 4 }, () => createTestDatabase()));
    expect(new Set(databases.map(({ name }) => name)).size).toBe(4);
    for (const { url } of databases) {
      expect(await query(url, 'SELECT count(*)::int AS clients FROM clients')).toEqual([{ clients: 0 }]);
    }
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('tells of a connection that was left open, and drops the database all the same', async () => {
    const database = await createTestDatabase();
    const leaked = new Client({ connectionString: database.url, application_name: 'forgetful' });
    const ended = new Promise((resolve) => leaked.on('error', resolve));
    await leaked.connect();
    await expect(database.drop()).rejects.toThrow('left open (forgetful');
    await ended;
  });

  it('keeps the keys of two test files apart', async () => {
    const [mine, other] = [createTestRedis(), createTestRedis()];
    const redis = new Redis(mine.url);
    await redis.mset(`${mine.prefix}:a`, '1', `${other.prefix}:a`, '2');
    await mine.drop();
    expect(await mine.keys()).toEqual([]);
    expect(await other.keys()).toEqual([`${other.prefix}:a`]);
    await other.drop();
    redis.disconnect();
  });
});

describe('servers of our own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gonets-services-'));
  let postgres: Postgres | undefined;
  let redis: RedisService | undefined;

  afterAll(async () => {
    await Promise.all([postgres?.stop('immediate'), redis?.stop()]);
    rmSync(directory, { recursive: true, force: true });
  });

  it('PostgreSQL keeps committed rows, its port and its password through kill -9 and every way to stop', async () => {
    postgres = await startPostgres({ dataDir: join(directory, 'postgres') });
    const { url } = postgres;
    await query(url, 'CREATE TABLE kept (at int)');
    const ways = [
      () => postgres!.kill(),
      () => postgres!.stop('immediate'),
      () => postgres!.stop('fast'),
      () => postgres!.stop(),
    ];
    for (const [at, end] of ways.entries()) {
      await query(url, `INSERT INTO kept VALUES (${at})`);
      const before = postgres.pid;
      await end();
      expect(postgres.pid).toBeUndefined();
      await postgres.start();
      expect(postgres.pid).not.toBe(before);
      expect(await query(url, 'SELECT count(*)::int AS kept FROM kept')).toEqual([{ kept: at + 1 }]);
    }
  });

  it('a second server on the same data is refused by name', async () => {
    await expect(startPostgres({ dataDir: join(directory, 'postgres') })).rejects.toThrow(
      `in use by process ${process.pid}`,
    );
  });

  it('Redis keeps its keys, port and password when it is stopped, and starts after kill -9', async () => {
    redis = await startRedis({ dataDir: join(directory, 'redis'), extraArgs: ['--appendfsync', 'always'] });
    for (const end of [() => redis!.stop(), () => redis!.kill()]) {
      const client = new Redis(redis.url);
      const count = await client.incr('starts');
      client.disconnect();
      await end();
      await redis.start();
      const again = new Redis(redis.url);
      expect(await again.get('starts')).toBe(String(count));
      again.disconnect();
    }
  });
});
