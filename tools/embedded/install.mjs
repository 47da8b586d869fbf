/** Steps before anything else can run: the packages of the lock file, and the Node that they bring. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** Where everything is kept that is made at run time. */
export const dataFolder = join(projectFolder, '.data');
const binaries = join(projectFolder, 'node_modules/.bin');

/**
 * Makes sure that this script runs on the project's own Node with the lock file's packages: installs them if they are
 * missing or others, and where the running Node is another one, runs the script again on the right one and ends with
 * its exit code.
 * @param {string} scriptUrl `import.meta.url`
 */
export async function prepare(scriptUrl) {
  if (!isInstalled()) {
    process.stderr.write('Installing packages (npm ci) …\n');
    // Warnings tell of engines that the bundled Node satisfies; errors are shown.
    const code = await runToEnd('npm', ['ci', '--include=dev', '--include=optional', '--loglevel=error']);
    if (code !== 0) process.exit(code);
  }
  keepDataPrivate();
  process.env.NODE_OPTIONS = nodeOptions();
  if (!process.env.PATH?.split(delimiter).includes(binaries)) {
    process.env.PATH = `${binaries}${delimiter}${process.env.PATH ?? ''}`;
  }
  const own = join(binaries, 'node');
  if (existsSync(own) && realpathSync(own) !== realpathSync(process.execPath)) {
    process.exit(await runToEnd(own, [fileURLToPath(scriptUrl), ...process.argv.slice(2)]));
  }
  if (!existsSync(own) && !isRecent(process.versions.node)) {
    process.stderr.write(`Node 24.9 or newer is needed here, for the packages bring none for this system.\n`);
    process.exit(1);
  }
}

/** `.data` is for its owner alone; the group that PostgreSQL's account has may pass through, where we are root (postgres.mjs). */
function keepDataPrivate() {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const { mode, uid, gid } = statSync(dataFolder);
  const wanted = gid === process.getgid?.() ? 0o700 : mode & 0o710;
  if ((mode & 0o777) !== wanted && uid === process.getuid?.()) chmodSync(dataFolder, wanted);
}

/**
 * Runs a command with our input and output, and returns its exit code, 128 + n where signal n ended it. SIGINT and
 * SIGTERM that reach us are the command's to act on; we end after it.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>}
 */
export function runToEnd(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: 'inherit', cwd: projectFolder, ...options });
    // Ctrl-C reaches the whole foreground group by itself; a signal to this process alone does not.
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    const ignore = () => undefined;
    process.on('SIGTERM', forward).on('SIGINT', process.stdin.isTTY ? ignore : forward);
    const end = (/** @type {number} */ code) => {
      process.off('SIGTERM', forward).off('SIGINT', ignore).off('SIGINT', forward);
      done(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      end(127);
    });
    child.once('exit', (code, signal) => end(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  });
}

/** True if node_modules holds just what the lock file names; optional packages of other systems may be absent. */
function isInstalled() {
  const [wanted, present] = ['package-lock.json', 'node_modules/.package-lock.json'].map(lockedPackages);
  if (!wanted || !present) return false;
  const same = (/** @type {string} */ path) => present[path]?.version === wanted[path].version;
  return (
    Object.keys(wanted).every((path) => !path || same(path) || (wanted[path].optional && !present[path])) &&
    Object.keys(present).every((path) => wanted[path])
  );
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function lockedPackages(file) {
  const path = join(projectFolder, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

/** `node-options` of .npmrc, which npm itself sets for what it runs, added to what is set already. */
function nodeOptions() {
  const [, wanted = ''] = /^node-options=(.*)$/m.exec(readFileSync(join(projectFolder, '.npmrc'), 'utf8')) ?? [];
  const given = process.env.NODE_OPTIONS ?? '';
  return wanted.split(' ').reduce((all, option) => (all.includes(option) ? all : `${all} ${option}`.trim()), given);
}

/** @param {string} version */
function isRecent(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 9);
}
