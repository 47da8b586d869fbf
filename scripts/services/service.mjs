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

/** The path of the first of these commands that the PATH holds, or undefined. */
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

/** One line of progress, on stderr, so that what a command prints on stdout stays its own. */
export function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

/** Runs a command to its end and returns its stdout. @throws Error with the command's own last words. */
export function run(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    ...options,
  });
  if (error) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} failed (${status}): ${lastLines(stderr || stdout)}`);
  return stdout;
}

/** True while this pid is a running process; a zombie is not. */
export function isAlive(pid) {
  return processStartedAt(pid) !== undefined;
}

/** Kernel ticks since boot at which the process started: with the pid, an identity that survives reuse of the pid. */
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

/** Waits until the check gives a truthy value and returns it, or undefined after the time. */
export async function until(check, { timeoutMs = 10_000, everyMs = 20 } = {}) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) return undefined;
    await sleep(everyMs);
  }
}

/** A directory that one live process owns: `release` gives it back, and the next owner may take over a dead one's. */
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

/** A file whose content is made once and kept, readable by its owner alone. */
export function remembered(file, make) {
  if (!existsSync(file)) {
    writeFileSync(file, String(make()), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return readFileSync(file, 'utf8').trim();
}

export const randomPassword = () => randomBytes(24).toString('base64url');

/** The wanted port if it is free on loopback, else one that the system picks. */
export function freePort(wanted = 0) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted ? resolve(freePort()) : reject(error)));
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The port that the directory's server had last time, or a new one if that is taken; a `wanted` port or none. */
export async function stablePort(directory, wanted) {
  const file = join(directory, 'port');
  const port = await freePort(wanted || Number(remembered(file, () => 0)));
  if (wanted && port !== wanted) throw new Error(`Port ${wanted} is taken.`);
  writeFileSync(file, String(port));
  return port;
}

const lastLines = (text) => text.trim().split('\n').slice(-5).join('\n');

/**
 * @typedef {object} ServiceSpec
 * @property {string} name for messages
 * @property {string} directory owned while the server runs; holds `server.log`
 * @property {() => Promise<{ command: string, args: string[], options?: object }>} command prepares, and says what to run
 * @property {(pid: number) => Promise<boolean> | boolean} ready true once it serves
 * @property {() => number | undefined} orphan pid of a server that a dead owner left behind
 * @property {Record<string, NodeJS.Signals>} stopModes first one is the default
 * @property {RegExp} [startAgain] a start that failed with this in the log is tried again for a while
 */
export class Service {
  #spec;
  #child;
  #guard;
  #claim;

  /** @param {ServiceSpec} spec */
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
    if (claim.heldBy) {
      throw new Error(`${name} in ${directory} is in use by process ${claim.heldBy}: end that process first.`);
    }
    this.#claim = claim;
    try {
      await this.#stopOrphan();
      await this.#launch();
    } catch (error) {
      this.#claim.release();
      throw error;
    }
  }

  /** Stops the server by one of its modes and returns once the process is gone. After 30 s it is killed. */
  async stop(mode) {
    const { stopModes } = this.#spec;
    await this.signal(stopModes[mode] ?? Object.values(stopModes)[0]);
  }

  /** kill -9, and waits until the process is gone. */
  async kill() {
    await this.signal('SIGKILL');
  }

  async restart(mode) {
    await this.stop(mode);
    await this.start();
  }

  /** Sends an ending signal and waits until the process is gone. */
  async signal(signal) {
    const child = this.#child;
    if (!child) return;
    child.kill(signal);
    if (!(await until(() => !isAlive(child.pid), { timeoutMs: 30_000 }))) child.kill('SIGKILL');
    await until(() => this.#child !== child);
  }

  async #stopOrphan() {
    const { orphan, stopModes } = this.#spec;
    const pid = orphan();
    if (!pid) return;
    process.kill(pid, Object.values(stopModes)[0]);
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
      const serves = await until(async () => child.gone || (await ready(child.pid)), { timeoutMs: 60_000 });
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

  #spawn({ command, args, options }) {
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    const gone = (failure) => {
      child.gone = true;
      child.failure = failure?.message;
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#guard?.disarm();
      this.#claim.release();
    };
    child.once('exit', () => gone());
    child.once('error', gone);
    this.#child = child;
    this.#guard = child.pid ? guard(child.pid, Object.values(this.#spec.stopModes)[0]) : undefined;
    return child;
  }
}

/** A shell that signals `pid` as soon as this process is gone without having disarmed it. */
function guard(pid, signal) {
  const script = `read -r disarmed || kill -s ${signal.replace('SIG', '')} ${pid}`;
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  shell.stdin.unref();
  shell.stdin.on('error', () => undefined);
  return { disarm: () => shell.stdin.end('disarmed\n') };
}
