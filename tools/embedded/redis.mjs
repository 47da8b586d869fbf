/** Redis from the PATH or from the distribution's package, as BullMQ needs it: noeviction, append-only file. */
import { mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { unpackProgram } from './debian.mjs';
import { isAlive, randomPassword, remembered, Service, stablePort, which } from './service.mjs';

/**
 * @typedef {object} RedisOptions
 * @property {string} dataDir owned by one live process at a time
 * @property {number} [port]
 * @property {boolean} [fresh] throws away what an earlier start left
 * @property {string[]} [extraArgs] redis-server's own, as in `['--appendfsync', 'always']`
 *
 * @typedef {import('./service.mjs').Served<'graceful'>} Redis
 */

/**
 * `REDIS_URL` if it is set (never stopped by us), else a server of our own in `dataDir`.
 * @param {RedisOptions} options
 * @returns {Promise<import('./service.mjs').Provided>}
 */
export async function provideRedis(options) {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, stop: () => Promise.resolve() };
  return startRedis(options);
}

/**
 * A Redis of our own, on loopback, with a generated password and an append-only file synced every second. The same
 * `dataDir` gives the same data, password and, while it is free, port.
 *
 * @param {RedisOptions} options
 * @returns {Promise<Redis>}
 */
export async function startRedis({ dataDir, port, fresh = false, extraArgs = [] }) {
  const directory = resolve(dataDir);
  const executable = await findRedisServer();
  mkdirSync(directory, { recursive: true });
  const pidFile = join(directory, 'redis.pid');
  let password = '';
  let listen = 0;
  /** @type {Service<'graceful'>} */
  const service = new Service({
    name: 'Redis',
    directory,
    command: async () => {
      password ||= remembered(join(directory, 'password'), randomPassword);
      listen ||= await stablePort(directory, port);
      if (fresh)
        for (const part of ['appendonlydir', 'dump.rdb'])
          rmSync(join(directory, part), { recursive: true, force: true });
      fresh = false;
      const file = join(directory, 'redis.conf');
      writeFileSync(file, configuration({ directory, pidFile, password, port: listen }), { mode: 0o600 });
      return { command: executable, args: [file, ...extraArgs], options: { cwd: directory } };
    },
    ready: () => answersPing(listen, password),
    orphan: () => orphan(pidFile, directory),
    stopModes: { graceful: 'SIGTERM' },
    startAgain: /Address already in use/,
  });
  await service.start();
  return Object.assign(service, { url: `redis://:${password}@127.0.0.1:${listen}`, port: listen, dataDir: directory });
}

/** Path of a `redis-server`: `REDIS_SERVER_PATH`, the PATH's, or one unpacked from the distribution's package. */
export async function findRedisServer() {
  const found = process.env.REDIS_SERVER_PATH || which('redis-server');
  if (found) return found;
  let reason = '';
  try {
    const unpacked = await unpackProgram({
      packages: ['redis-server', 'redis-tools'],
      program: 'usr/bin/redis-server',
    });
    if (unpacked) return unpacked;
  } catch (error) {
    reason = ` (the distribution's package could not be used: ${error.message})`;
  }
  throw new Error(`Redis is missing: install redis-server 6.2 or newer, or set REDIS_URL.${reason}`);
}

/** @param {{ directory: string, pidFile: string, password: string, port: number }} options */
const configuration = ({ directory, pidFile, password, port }) => `bind 127.0.0.1
port ${port}
requirepass ${password}
dir "${directory}"
pidfile "${pidFile}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
`;

/**
 * @param {number} port
 * @param {string} password
 * @returns {Promise<boolean>}
 */
function answersPing(port, password) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (data) => {
      answer += data.toString();
      if (answer.split('\r\n').length > 2) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(answer.includes('+PONG')));
  });
}

/**
 * @param {string} pidFile
 * @param {string} directory
 */
function orphan(pidFile, directory) {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    return isAlive(pid) && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory) ? pid : undefined;
  } catch {
    return undefined;
  }
}
