import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { CALM, FAST, FaultRig, someOf } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';

jest.setTimeout(900_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number) => Array.from({ length: n }, () => 'ok-');
const LETTERS = long ? 3_000 : 1_000;
/** Longer than a limit of time below, shorter than a take-over. */
const A_WHILE_MS = long ? 8_000 : 3_000;

/** One way in which Postgres says no; resolves once it does, to what ends it. `settings` are the role's meanwhile. */
interface No {
  settings?: Record<string, string>;
  begin: (admin: Client, rig: FaultRig) => Promise<() => Promise<unknown>>;
}

const lockDeliveries: No['begin'] = async (admin) => {
  await admin.query('BEGIN');
  await admin.query('LOCK TABLE deliveries');
  return () => admin.query('ROLLBACK');
};

const again = (work: () => Promise<unknown>, everyMs: number): (() => Promise<void>) => {
  let over = false;
  const done = (async () => {
    while (!over) {
      await work();
      await sleep(everyMs);
    }
  })();
  return () => {
    over = true;
    return done;
  };
};

const OURS = `FROM pg_stat_activity WHERE datname = 'gonets' AND application_name = 'gonets'`;

const WAYS: Record<string, No> = {
  'it is read-only (25006)': {
    begin: async (admin) => {
      await readOnly(admin, true);
      return () => readOnly(admin, false);
    },
  },
  'deliveries are locked, and statements are limited in time (57014)': {
    settings: { statement_timeout: '700ms' },
    begin: lockDeliveries,
  },
  'deliveries are locked, and waits for locks are limited (55P03)': {
    settings: { lock_timeout: '300ms' },
    begin: lockDeliveries,
  },
  'deliveries are locked': { begin: lockDeliveries },
  'statements are cancelled again and again (57014)': {
    begin: (admin) => Promise.resolve(again(() => admin.query(`SELECT pg_cancel_backend(pid) ${OURS}`), 20)),
  },
  'it takes no connections to the database (55000)': {
    begin: async (admin) => {
      await admin.query('ALTER DATABASE gonets ALLOW_CONNECTIONS false');
      await admin.query(`SELECT pg_terminate_backend(pid) ${OURS}`);
      return () => admin.query('ALTER DATABASE gonets ALLOW_CONNECTIONS true');
    },
  },
  'no connection is left (53300)': {
    begin: async (admin, rig) => {
      const taken: Client[] = [];
      const take = async () => {
        await admin.query(`SELECT pg_terminate_backend(pid) ${OURS}`);
        const more = Array.from({ length: 210 - taken.length }, () => {
          const client = new Client({ connectionString: rig.postgres.url.replace(/gonets$/, 'postgres') });
          client.on('error', () => undefined);
          return client.connect().then(() => taken.push(client));
        });
        await Promise.allSettled(more);
      };
      await take();
      const stop = again(take, 500);
      return async () => {
        await stop();
        await Promise.all(taken.map((client) => client.end()));
      };
    },
  },
};

async function readOnly(admin: Client, on: boolean): Promise<void> {
  await admin.query(
    `ALTER SYSTEM ${on ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only'}`,
  );
  await admin.query('SELECT pg_reload_conf()');
}

describe('Postgres says no for a while', () => {
  let rig: FaultRig;
  let admin: Client;

  beforeAll(async () => {
    rig = await FaultRig.start();
    admin = new Client({ connectionString: rig.postgres.url.replace(/gonets$/, 'postgres') });
    await admin.connect();
    await admin.query('SET default_transaction_read_only = off');
  });

  afterAll(async () => {
    await admin?.end();
    await rig?.stop();
  });

  /** A session that does what the rig's own must not be stopped from. */
  async function master(): Promise<Client> {
    const client = new Client({ connectionString: rig.postgres.url });
    await client.connect();
    await client.query('SET default_transaction_read_only = off; SET statement_timeout = 0; SET lock_timeout = 0');
    return client;
  }

  /** Letters go out at full speed when it begins, so that workers have their hands full. */
  async function during(way: No, forMs: number, env: Record<string, string>): Promise<void> {
    await rig.reset({}, env);
    for (const [name, value] of Object.entries(way.settings ?? {}))
      await admin.query(`ALTER DATABASE gonets SET ${name} = '${value}'`);
    const own = await master();
    try {
      await rig.startWorkers(2, env);
      await rig.send(await rig.mailing(letters(LETTERS)));
      await rig.accepted(100);
      const end = await way.begin(way.begin === lockDeliveries ? own : admin, rig);
      await sleep(forMs);
      await end();
      await rig.quiet(60_000);
    } finally {
      await own.end();
      for (const name of Object.keys(way.settings ?? {})) await admin.query(`ALTER DATABASE gonets RESET ${name}`);
    }
    expect(rig.workers).toHaveLength(2);
    for (const { log } of [...rig.workers, rig.api]) {
      expect(log).not.toContain('"level":60');
      expect(log).not.toContain('ledger.refused');
    }
    // Where a limit ends statements that wait for a lock, the workers had results in hand that were not taken.
    if (way.settings) expect(rig.workers.map(({ log }) => log).join('')).toContain('ledger.unavailable');
  }

  it.each(someOf(Object.entries(WAYS), 3))('%s: results in hand are written when it answers', async (name, way) => {
    await during(way, A_WHILE_MS, CALM);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: LETTERS });
    rig.note(`7 Postgres says no: ${name}`, measured, 0);
    expect(measured.states).toEqual({ sent: LETTERS });
  });

  it('read-only for longer than TAKEOVER_MS: nobody gets a second copy', async () => {
    await during(WAYS['it is read-only (25006)'] as No, 3 * Number(FAST.TAKEOVER_MS), {});
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: LETTERS });
    rig.note('7 Postgres read-only for three take-overs', measured, 0);
    expect(measured.states).toEqual({ sent: LETTERS });
  });

  it('SIGTERM meanwhile: what is in hand is written before the worker ends', async () => {
    await rig.reset({}, CALM);
    const env = { ...CALM, SHUTDOWN_MS: '30000' };
    const worker = await rig.startWorker(env);
    await rig.send(await rig.mailing(letters(500)));
    await rig.accepted(50);
    await readOnly(admin, true);
    await worker.says(/ledger.unavailable/);
    worker.signal('SIGTERM');
    await sleep(2_000);
    expect(worker.alive).toBe(true);
    await readOnly(admin, false);
    await worker.ends(40_000);
    expect((await rig.counts()).sending).toBeUndefined();
    await rig.startWorker(env);
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 500 });
    expect(measured.states).toEqual({ sent: 500 });
  });

  it('processes that start meanwhile wait, say for what, and then are ready', async () => {
    await rig.reset({}, CALM);
    await readOnly(admin, true);
    const waiting = await rig.startWorker({}, false);
    await waiting.says(/waiting for Postgres at .*: the database is read-only/);
    await rig.startApi({}, /waiting for Postgres at .*: the database is read-only/);
    await readOnly(admin, false);
    await waiting.says(/Worker is ready/);
    await rig.api.says(/API is listening/);

    const own = await master();
    await own.query('BEGIN');
    await own.query('LOCK TABLE workers');
    await admin.query(`ALTER DATABASE gonets SET lock_timeout = '300ms'`);
    const registering = await rig.startWorker({}, false);
    await registering.says(/waiting for Postgres, to register this worker: canceling statement due to lock timeout/);
    await admin.query(`ALTER DATABASE gonets RESET lock_timeout`);
    await own.query('ROLLBACK');
    await own.end();
    await registering.says(/Worker is ready/);
    for (const { log } of rig.workers) expect(log).not.toContain('"level":60');
  });

  describe('the API', () => {
    beforeAll(() => rig.reset({}, CALM));

    const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${rig.api.url}${path}`, { method, redirect: 'manual', headers });
      return { path, status: response.status, retry: response.headers.get('retry-after') !== null };
    };
    const unavailable = (path: string) => ({ path, status: 503, retry: true });
    const cookie = { cookie: 'gonets=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };

    it('answers 503 with Retry-After on any route while it can reach nothing', async () => {
      const end = await (WAYS['it takes no connections to the database (55000)'] as No).begin(admin, rig);
      try {
        const bearer = rig.bearer();
        const asked: [string, string, Record<string, string>?][] = [
          ['GET', '/api/v1/health/ready'],
          ['GET', '/api/v1/metrics'],
          ['GET', '/api/v1/mailings', bearer],
          ['POST', '/api/v1/mailings/1/send', bearer],
          ['GET', '/api/v1/clients/export.csv', bearer],
          ['GET', '/api/v1/runs/1/deliveries.csv', bearer],
          ['GET', '/', cookie],
          ['GET', '/clients', cookie],
          ['GET', '/sign-in', form],
          ['GET', '/queues', cookie],
        ];
        for (const [method, path, headers] of asked) {
          expect(await ask(method, path, headers)).toEqual(unavailable(path));
        }
        const cli = spawnSync(process.execPath, [join(__dirname, '../../dist/main.cli.js'), 'status'], {
          encoding: 'utf8',
          env: { PATH: process.env.PATH, DATABASE_URL: rig.postgres.url, REDIS_URL: rig.redis.url },
        });
        expect(cli).toMatchObject({ status: 1, stdout: '' });
        expect(cli.stderr).toMatch(
          /^Postgres at \S+ was not ready within 3 s: .*not currently accepting connections\n$/,
        );
      } finally {
        await end();
      }
      expect((await ask('GET', '/api/v1/mailings', rig.bearer())).status).toBe(200);
    });

    it('answers 503 to what writes, and is not ready, while it is read-only', async () => {
      await readOnly(admin, true);
      try {
        const bearer = rig.bearer();
        await rig.eventually(async () => (await ask('GET', '/api/v1/health/ready')).status === 503);
        expect(await ask('GET', '/api/v1/health/ready')).toEqual(unavailable('/api/v1/health/ready'));
        expect(await ask('GET', '/api/v1/clients/export.csv', bearer)).toEqual(
          unavailable('/api/v1/clients/export.csv'),
        );
        expect((await rig.call('POST', '/clients', { email: 'new@client.example', fullName: 'New' })).status).toBe(503);
        const cli = spawnSync(
          process.execPath,
          [join(__dirname, '../../dist/main.cli.js'), 'create-user', '--email', 'x@example.com', '--role', 'user'],
          {
            encoding: 'utf8',
            env: { PATH: process.env.PATH, DATABASE_URL: rig.postgres.url, REDIS_URL: rig.redis.url },
          },
        );
        expect(cli).toMatchObject({ status: 1, stdout: '' });
        expect(cli.stderr).toMatch(/^The database is not available for now: .*read-only transaction\.\n$/);
      } finally {
        await readOnly(admin, false);
      }
      expect((await rig.call('POST', '/clients', { email: 'new@client.example', fullName: 'New' })).status).toBe(201);
    });
  });
});
