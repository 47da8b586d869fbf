/**
 * A server that this project runs for itself: one directory, one process, the same port and password at every start.
 *
 * The directory belongs to one live owner process at a time (file `owner`). The server runs in a session of its own, so
 * that Ctrl-C reaches only the owner, which may still need the server while it drains. A guard process holds the other
 * end of a pipe: when the owner is gone, however it went, the guard stops the server.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, openSync, closeSync, readFileSync, statSync } from 'node:fs';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

/**
 * The path of the first of these commands that the PATH holds, or undefined.
 * @param {...string} commands
 */
export function which(...commands) {
  for (const command of commands) {
    for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
      const path = join(folder, command);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        continue;
      }
    }
  }
  return undefined;
}

/**
 * One line of progress, on stderr, so that what a command prints on stdout stays its own.
 * @param {string} sentence
 */
export function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

/**
 * Runs a command to its end and returns its stdout.
 * @param {string} command
 * @param {string[]} args
 * @param {Omit<import('node:child_process').SpawnSyncOptions, 'encoding'>} [options]
 * @throws Error with the command's own last words
 */
export function run(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    maxBuffer: 64 << 20,
    ...options,
    encoding: 'utf8',
  });
  if (error) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} failed (${status}): ${lastLines(stderr || stdout)}`);
  return stdout;
}

/**
 * True while this pid is a running process; a zombie is not.
 * @param {number} pid
 */
export function isAlive(pid) {
  return processStartedAt(pid) !== undefined;
}

/**
 * Kernel ticks since boot at which the process started: with the pid, an identity that survives reuse of the pid.
 * @param {number | string} pid
 */
function processStartedAt(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * Waits until the check gives a truthy value and returns it, or undefined after the time.
 * @template T
 * @param {() => T | Promise<T>} check
 * @param {{ timeoutMs?: number, everyMs?: number }} [options]
 */
export async function until(check, { timeoutMs = 10_000, everyMs = 20 } = {}) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) return undefined;
    await sleep(everyMs);
  }
}

/**
 * A directory that one live process owns: `release` gives it back, and the next owner may take over a dead one's.
 * @param {string} directory
 * @returns {{ release: () => void, heldBy?: undefined } | { release?: undefined, heldBy: number }}
 */
export function claimDirectory(directory) {
  const file = join(directory, 'owner');
  const identity = `${process.pid} ${processStartedAt(process.pid) ?? ''}`;
  try {
    mkdirSync(directory, { recursive: true });
    for (;;) {
      try {
        writeFileSync(file, identity, { flag: 'wx' });
        return { release: () => rmSync(file, { force: true }) };
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const [pid, startedAt] = readFileSync(file, 'utf8').split(' ');
      if (pid && processStartedAt(pid) === startedAt) return { heldBy: Number(pid) };
      rmSync(file, { force: true });
    }
  } catch (error) {
    if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
    throw new Error(`${directory} belongs to another user: run as that user, or remove it.`, { cause: error });
  }
}

/**
 * A file whose content is made once and kept, readable by its owner alone.
 * @param {string} file
 * @param {() => string | number} make
 */
export function remembered(file, make) {
  if (!existsSync(file)) {
    writeFileSync(file, String(make()), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return readFileSync(file, 'utf8').trim();
}

export const randomPassword = () => randomBytes(24).toString('base64url');

/**
 * The wanted port if it is free on loopback, else one that the system picks.
 * @returns {Promise<number>}
 */
export function freePort(wanted = 0) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted ? resolve(freePort()) : reject(error)));
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

/**
 * The port that the directory's server had last time, or a new one if that is taken; a `wanted` port or none.
 * @param {string} directory
 * @param {number} [wanted]
 */
export async function stablePort(directory, wanted) {
  const file = join(directory, 'port');
  const port = await freePort(wanted || Number(remembered(file, () => 0)));
  if (wanted && port !== wanted) throw new Error(`Port ${wanted} is taken.`);
  writeFileSync(file, String(port));
  return port;
}

const lastLines = (/** @type {string} */ text) => text.trim().split('\n').slice(-5).join('\n');

/**
 * @typedef {{ url: string, stop: () => Promise<void> }} Provided a server, ours or given
 *
 * @typedef {import('node:child_process').ChildProcess & { gone?: boolean, failure?: string }} Child
 * @typedef {{ command: string, args: string[], options?: import('node:child_process').SpawnOptions }} Command
 */

/**
 * @template {string} [StopMode=string]
 * @typedef {object} ServiceSpec
 * @property {string} name for messages
 * @property {string} directory owned while the server runs; holds `server.log`
 * @property {() => Promise<Command>} command prepares, and says what to run
 * @property {(pid: number) => Promise<boolean> | boolean} ready true once it serves
 * @property {() => number | undefined} orphan pid of a server that a dead owner left behind
 * @property {Record<StopMode, NodeJS.Signals>} stopModes first one is the default
 * @property {RegExp} [startAgain] a start that failed with this in the log is tried again for a while
 */

/**
 * A running server and where it is.
 * @template {string} StopMode
 * @typedef {Pick<Service<StopMode>, 'pid' | 'running' | 'logFile' | 'start' | 'stop' | 'kill' | 'restart'> & { url: string, port: number, dataDir: string }} Served
 */

/**
 * A server of our own; it is stopped when this process ends, however it ends.
 * @template {string} [StopMode=string]
 */
export class Service {
  #spec;
  /** @type {Child | undefined} */
  #child;
  /** @type {{ disarm: () => void } | undefined} */
  #guard;
  /** @type {{ release: () => void } | undefined} */
  #claim;

  /** @param {ServiceSpec<StopMode>} spec */
  constructor(spec) {
    this.#spec = spec;
  }

  /** Pid of the running server, undefined while it is down. */
  get pid() {
    return this.#child?.pid;
  }

  get running() {
    return this.#child !== undefined;
  }

  /** Path of the server's own log. */
  get logFile() {
    return join(this.#spec.directory, 'server.log');
  }

  /** Starts the server on its port and data, and returns once it serves. Does nothing if it is running. */
  async start() {
    if (this.running) return;
    const { name, directory } = this.#spec;
    const claim = claimDirectory(directory);
    if (!claim.release) {
      throw new Error(`${name} in ${directory} is in use by process ${claim.heldBy}: end that process first.`);
    }
    this.#claim = claim;
    try {
      await this.#stopOrphan();
      await this.#launch();
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  /**
   * Stops the server by one of its modes and returns once the process is gone. After 30 s it is killed.
   * @param {StopMode} [mode]
   */
  async stop(mode) {
    await this.signal((mode && this.#spec.stopModes[mode]) || this.#usualStop());
  }

  /** @returns {NodeJS.Signals} */
  #usualStop() {
    const [first = 'SIGTERM'] = /** @type {NodeJS.Signals[]} */ (Object.values(this.#spec.stopModes));
    return first;
  }

  /** kill -9, and waits until the process is gone. */
  async kill() {
    await this.signal('SIGKILL');
  }

  /** @param {StopMode} [mode] */
  async restart(mode) {
    await this.stop(mode);
    await this.start();
  }

  /**
   * Sends an ending signal and waits until the process is gone.
   * @param {NodeJS.Signals} signal
   */
  async signal(signal) {
    const child = this.#child;
    const pid = child?.pid;
    if (!pid) return;
    child.kill(signal);
    if (!(await until(() => !isAlive(pid), { timeoutMs: 30_000 }))) child.kill('SIGKILL');
    await until(() => this.#child !== child);
  }

  async #stopOrphan() {
    const pid = this.#spec.orphan();
    if (!pid) return;
    process.kill(pid, this.#usualStop());
    if (!(await until(() => !isAlive(pid), { timeoutMs: 10_000 }))) {
      process.kill(pid, 'SIGKILL');
      await until(() => !isAlive(pid));
    }
  }

  async #launch() {
    const { name, command, ready, startAgain } = this.#spec;
    const deadline = performance.now() + 30_000;
    for (;;) {
      const logStart = existsSync(this.logFile) ? statSync(this.logFile).size : 0;
      const child = this.#spawn(await command());
      const { pid = 0 } = child;
      const serves = await until(async () => child.gone || (await ready(pid)), { timeoutMs: 60_000 });
      if (serves && !child.gone) return;
      child.kill('SIGKILL');
      await until(() => child.gone);
      const log = readFileSync(this.logFile).subarray(logStart).toString();
      if (performance.now() > deadline || !startAgain?.test(log)) {
        throw new Error(`${name} did not start: ${child.failure ?? lastLines(log)} (${this.logFile})`);
      }
      await sleep(250);
    }
  }

  /** @param {Command} command */
  #spawn({ command, args, options }) {
    const log = openSync(this.logFile, 'a', 0o600);
    /** @type {Child} */
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    const gone = (/** @type {Error | undefined} */ failure) => {
      child.gone = true;
      child.failure = failure?.message;
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#guard?.disarm();
      this.#claim?.release();
    };
    child.once('exit', () => gone(undefined));
    child.once('error', gone);
    this.#child = child;
    this.#guard = child.pid ? guard(child.pid, this.#usualStop()) : undefined;
    return child;
  }
}

/**
 * A shell that signals `pid` as soon as this process is gone without having disarmed it.
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function guard(pid, signal) {
  const script = `read -r disarmed || kill -s ${signal.replace('SIG', '')} ${pid}`;
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  /** @type {import('node:net').Socket} */ (shell.stdin).unref();
  shell.stdin.on('error', () => undefined);
  return { disarm: () => shell.stdin.end('disarmed\n') };
}
