import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, Pool } from 'pg';
import { type Postgres, startPostgres } from '../../tools/embedded/index.mjs';
import { FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import { type Old, TcpProxy } from '../support/tcp-proxy';

jest.setTimeout(600_000);

const LETTERS = 2_000;

/** How the address moves to the standby, and what becomes of the primary and of the connections to it. */
const WAYS: [name: string, old: Old, primary: 'killed' | 'lives on' | 'read-only'][] = [
  ['the primary is killed', 'break', 'killed'],
  ['the primary is gone without a word: nobody answers or refuses', 'hang', 'lives on'],
  ['the primary stays, read-only, and old connections with it', 'keep', 'read-only'],
];

describe('fail-over to a standby that has all that was acknowledged', () => {
  let rig: FaultRig;
  let primary: Postgres;
  let standby: Postgres | undefined;
  let proxy: TcpProxy;
  let folder = '';

  beforeEach(async () => {
    rig = await FaultRig.start();
    primary = rig.postgres;
    folder = mkdtempSync(join(tmpdir(), 'gonets-standby-'));
    standby = await startStandby(primary, folder);
    proxy = await TcpProxy.start(primary.port);
  });

  afterEach(async () => {
    await rig?.stop();
    await Promise.all([primary?.kill(), standby?.kill(), proxy?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(WAYS)('%s', async (name, old, end) => {
    // Limits of time are so many take-overs; what a slow machine takes over by mistake is corrected within the grace time.
    const env = { TAKEOVER_MS: '5000', UNKNOWN_GRACE_MS: '20000', DATABASE_URL: proxy.before(primary.url) };
    await rig.reset({}, env);
    await rig.startWorkers(2, env);
    await rig.send(await rig.mailing(Array.from({ length: LETTERS }, () => 'ok-')));
    await rig.accepted(200);

    const next = standby as Postgres;
    // Whatever the primary still does is acknowledged to nobody, or not at all.
    if (end === 'killed') await primary.kill();
    if (end === 'read-only') await demote(primary);
    if (old === 'hang') proxy.move(next.port, old);
    await promote(next);
    if (old !== 'hang') proxy.move(next.port, old);
    await rig.db.end();
    rig.db = new Pool({ connectionString: next.url, max: 4 });
    rig.db.on('error', () => undefined);
    rig.postgres = next;

    await rig.quiet(120_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: LETTERS });
    rig.note(`fail-over: ${name}`, measured, 0);
    expect(measured.states).toEqual({ sent: LETTERS });
    expect(rig.workers).toHaveLength(2);
    for (const { log } of rig.workers) expect(log).not.toContain('"level":60');
    // Each of its old connections may say no once.
    await rig.eventually(async () => (await rig.call('GET', '/mailings')).status === 200);
  });
});

/** A cold copy that follows the primary; from then on the primary acknowledges nothing that the standby does not have. */
async function startStandby(primary: Postgres, folder: string): Promise<Postgres> {
  await primary.stop('fast');
  const dataDir = join(folder, 'postgres');
  mkdirSync(dataDir);
  cpSync(primary.dataDir, join(dataDir, 'data'), { recursive: true, preserveTimestamps: true });
  copyFileSync(join(dirname(primary.dataDir), 'password'), join(dataDir, 'password'));
  const { port, username, password } = new URL(primary.url);
  const conninfo = `host=127.0.0.1 port=${port} user=${username} password=${password} application_name=standby`;
  writeFileSync(join(dataDir, 'data/standby.signal'), '');
  appendFileSync(join(dataDir, 'data/postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
  chmodSync(join(dataDir, 'data'), 0o700);
  await primary.start();
  const standby = await startPostgres({ dataDir });
  await onServer(primary, async (client) => {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`);
    await client.query('SELECT pg_reload_conf()');
  });
  return standby;
}

/** It takes part in nothing any more, but goes on to answer. */
const demote = (primary: Postgres) =>
  onServer(primary, async (client) => {
    await client.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await client.query('SELECT pg_reload_conf()');
    await client.query('SELECT pg_sleep(1)');
  });

const promote = (standby: Postgres) =>
  onServer(standby, async (client) => {
    await client.query('SELECT pg_promote()');
    await client.query('ALTER SYSTEM RESET ALL');
    await client.query('SELECT pg_reload_conf()');
  });

async function onServer(server: Postgres, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
