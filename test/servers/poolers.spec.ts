import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { CALM, FAST, FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import { PgBouncer } from '../support/pgbouncer';

jest.setTimeout(600_000);

const root = join(__dirname, '..', '..');
const letters = (n: number) => Array.from({ length: n }, () => 'ok-');
/** What PgBouncer is told to let pass unread; without, it refuses a client that sends such a thing. */
const IGNORED = 'extra_float_digits,options,idle_in_transaction_session_timeout';

describe.each([
  ['session', ''],
  ['session', IGNORED],
  ['transaction', ''],
  ['transaction', IGNORED],
])('PgBouncer in %s mode, ignoring "%s"', (mode, ignored) => {
  let rig: FaultRig;
  let bouncer: PgBouncer;
  let behind: Record<string, string>;

  beforeAll(async () => {
    rig = await FaultRig.start();
    bouncer = await PgBouncer.start(rig.postgres.url, {
      pool_mode: mode,
      ...(ignored && { ignore_startup_parameters: ignored }),
      // Fewer server connections than a few processes have client connections, where they can be shared.
      default_pool_size: mode === 'transaction' ? 10 : 60,
      query_wait_timeout: 3,
    });
    behind = { DATABASE_URL: bouncer.url };
  });

  afterAll(async () => {
    await rig?.stop();
    await bouncer?.remove();
  });

  /** A command of the product's, behind the pooler. */
  const command = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'dist/main.cli.js'), ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'test',
        REDIS_URL: rig.redis.url,
        SENDER_ADDRESS: 'Test street 1, Testtown',
        ...FAST,
        ...behind,
      },
    });

  it('migrates, imports, plans, sends, pauses, commands: nobody twice, nobody lost', async () => {
    await rig.query('DROP SCHEMA public CASCADE');
    await rig.query('CREATE SCHEMA public');
    expect(command('migrate')).toMatchObject({ status: 0, stderr: '' });
    expect(command('migrate').stdout).toBe('The schema is up to date.\n');
    await rig.people();
    await rig.reset({}, behind);
    await rig.startWorkers(3, { ...behind, ...CALM, RATE_LIMIT_PER_SECOND: '150' });

    const lines = Array.from({ length: 3_000 }, (_, i) => `import-${i}@client.example,Client ${i},`);
    const importId = await rig.import(['email,full_name,comment', ...lines].join('\n'));
    await rig.eventually(async () => {
      const { body } = await rig.call<{ status: string }>('GET', `/imports/${importId}`);
      return body.status === 'done';
    });
    expect((await rig.call<{ total: number }>('GET', '/clients?withTotal=true&limit=1')).body.total).toBe(3_000);

    const mailing = await rig.mailing(letters(600));
    const run = await rig.send(mailing);
    await rig.accepted(100, 60_000);
    expect((await rig.call('POST', `/mailings/${mailing}/pause`)).status).toBe(200);
    await rig.eventually(async () => !(await rig.counts(run)).sending);
    const paused = await rig.counts(run);
    await sleep(1_000);
    expect(await rig.counts(run)).toEqual(paused);
    expect((await rig.call('POST', `/mailings/${mailing}/resume`)).status).toBe(200);

    const other = await rig.mailing(letters(50));
    const waited = command('send-mailing', String(other), '--wait', '--json');
    expect({ status: waited.status, stderr: waited.stderr.includes('Error') }).toEqual({ status: 0, stderr: false });
    expect(command('status')).toMatchObject({ status: 0, stderr: '' });
    await rig.quiet(120_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 650 });
    expect(measured.states).toEqual({ sent: 650 });
    expect(rig.workers).toHaveLength(3);
    for (const worker of rig.workers) expect(worker.log).toContain('database.shared');
  });

  it('the pooler is restarted, paused, and out of server connections', async () => {
    await rig.reset({}, behind);
    const env = { ...behind, ...CALM, RATE_LIMIT_PER_SECOND: '150' };
    await rig.startWorkers(3, env);
    const run = await rig.send(await rig.mailing(letters(1_200)));
    await rig.accepted(100, 60_000);

    await bouncer.stop();
    expect((await rig.call('GET', '/mailings')).status).toBe(503);
    await sleep(1_500);
    await bouncer.start();
    await rig.accepted(300, 60_000);

    // In session mode it waits for clients to leave, and says nothing when it is called off.
    void bouncer.admin('PAUSE gonets').catch(() => undefined);
    await sleep(2_000);
    await bouncer.admin('RESUME gonets');
    await rig.accepted(600, 60_000);

    // One server connection for all, and that one is taken: PgBouncer breaks off who waits for query_wait_timeout.
    const [size] = (await bouncer.admin('SHOW CONFIG')).filter(
      (row) => (row as { key: string }).key === 'default_pool_size',
    ) as { value: string }[];
    await bouncer.admin('SET default_pool_size = 1');
    await bouncer.admin('KILL gonets');
    await bouncer.admin('RESUME gonets');
    const holder = new Client({ connectionString: bouncer.url });
    holder.on('error', () => undefined);
    await holder
      .connect()
      .then(() => holder.query('BEGIN'))
      .catch(() => undefined);
    await sleep(5_000);
    await holder.end().catch(() => undefined);
    await bouncer.admin(`SET default_pool_size = ${size?.value}`);

    await rig.quiet(120_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 1_200 });
    rig.note(`PgBouncer, ${mode}${ignored && ', ignoring'}`, measured, 0);
    expect(await rig.counts(run)).toEqual({ sent: 1_200 });
    expect(rig.workers).toHaveLength(3);
    for (const worker of rig.workers) expect(worker.log).not.toContain('"level":60');
    expect(rig.workers.map(({ log }) => log).join('')).toContain('query_wait_timeout');
  });

  it('the pooler is killed, and all sessions of the server behind it, in mid-run', async () => {
    await rig.reset({}, behind);
    const env = { ...behind, ...CALM, RATE_LIMIT_PER_SECOND: '150' };
    await rig.startWorkers(3, env);
    const run = await rig.send(await rig.mailing(letters(900)));
    for (const accepted of [100, 300, 500]) {
      await rig.accepted(accepted, 60_000);
      await rig.terminateSessions();
      await rig.accepted(accepted + 50, 60_000);
      await bouncer.stop('SIGKILL');
      expect((await rig.call('GET', '/mailings')).status).toBe(503);
      await bouncer.start();
    }
    await rig.quiet(120_000);
    // Tells a machine that stood still for a take-over from a result that was lost.
    for (const { log } of rig.workers) expect(log).not.toMatch(/worker.fenced|worker.lost|sweep.taken_over/);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 900 });
    rig.note(`PgBouncer killed, ${mode}${ignored && ', ignoring'}`, measured, 0);
    expect(await rig.counts(run)).toEqual({ sent: 900 });
    expect(rig.workers).toHaveLength(3);
    expect(rig.fatal()).toEqual([]);
  });

  it('workers are killed behind it', async () => {
    await rig.reset({}, behind);
    const env = { ...behind, RATE_LIMIT_PER_SECOND: '150' };
    const workers = await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(letters(400)));
    for (const [i, worker] of workers.entries()) {
      await rig.accepted(100 * (i + 1), 60_000);
      await worker.kill();
      await rig.startWorker(env);
    }
    await rig.quiet(120_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 400, killedWorkers: 2 });
    expect(measured.states).toEqual({ sent: 400 });
  });
});
