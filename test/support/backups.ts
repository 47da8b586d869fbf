import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Client } from 'pg';
import type { FaultRig } from './fault-rig';

/** Ends every process of the product: workers cleanly, so that no letter is cut in the middle. */
export async function stopAll(rig: FaultRig): Promise<void> {
  await Promise.all(rig.workers.map((worker) => worker.kill('SIGTERM')));
  await rig.api.kill();
}

/** A logical backup: another database with the same rows, as a dump that is restored. Nobody may be connected. */
export async function dump(rig: FaultRig): Promise<void> {
  await asOwner(rig, (name) => ['DROP DATABASE IF EXISTS backup', `CREATE DATABASE backup TEMPLATE ${name}`]);
}

/** The database is gone; the backup takes its place. */
export async function restoreDump(rig: FaultRig): Promise<void> {
  await asOwner(rig, (name) => [`DROP DATABASE ${name}`, `ALTER DATABASE backup RENAME TO ${name}`]);
}

/** A physical backup: the server's files, as they are while it is down. */
export async function copyFiles(rig: FaultRig): Promise<void> {
  const { dataDir } = rig.postgres;
  await rig.postgres.stop('fast');
  rmSync(`${dataDir}-copy`, { recursive: true, force: true });
  execFileSync('cp', ['-a', dataDir, `${dataDir}-copy`]);
  await rig.postgres.start();
}

export async function restoreFiles(rig: FaultRig): Promise<void> {
  const { dataDir } = rig.postgres;
  await rig.postgres.stop('fast');
  rmSync(dataDir, { recursive: true, force: true });
  execFileSync('mv', [`${dataDir}-copy`, dataDir]);
  await rig.postgres.start();
}

async function asOwner(rig: FaultRig, statements: (name: string) => string[]): Promise<void> {
  const url = new URL(rig.postgres.url);
  const name = url.pathname.slice(1);
  url.pathname = '/template1';
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    for (const statement of statements(name)) await client.query(statement);
  } finally {
    await client.end();
  }
}
