/** The service's own processes, run side by side: started anew when they end by themselves, stopped together. */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, runToEnd } from '../tools/embedded/install.mjs';

const RESTART_MS = 1_000;

/** What Node gets for `npm run start:<name>`: how it keeps its memory, and the file. */
export function startArguments(name) {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
  return scripts[`start:${name}`]
    .replace(/^exec /, '')
    .split(' ')
    .slice(1);
}

/** Builds if there is no build, or `always`. */
export async function build({ always = false } = {}) {
  if (!always && existsSync(join(projectFolder, 'dist/main.api.js'))) return;
  if ((await runToEnd('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] })) !== 0) {
    throw new Error('The build failed.');
  }
}

/** Brings the schema up to date. */
export async function migrate(env) {
  if (
    (await runToEnd(process.execPath, ['dist/main.cli.js', 'migrate'], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })) !== 0
  ) {
    throw new Error('The migration failed.');
  }
}

/**
 * Starts `dist/main.<name>.js` and keeps it running.
 * @param {{ name: 'api' | 'worker', env: NodeJS.ProcessEnv, logFile?: string }} options without a log file its lines are
 * passed on
 */
export function keepRunning({ name, env, logFile }) {
  let child;
  let stopping = false;
  let out;
  if (logFile) {
    mkdirSync(join(logFile, '..'), { recursive: true });
    out = createWriteStream(logFile, { flags: existsSync(logFile) && statSync(logFile).size < 10e6 ? 'a' : 'w' });
  }
  /** @type {Promise<void>} */
  const exited = new Promise((done) => {
    const begin = () => {
      child = spawn(process.execPath, startArguments(name), {
        cwd: projectFolder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      child.stdout.pipe(out ?? process.stdout, { end: false });
      child.stderr.pipe(out ?? process.stderr, { end: false });
      child.once('exit', (code, signal) => {
        if (stopping) return done();
        process.stderr.write(
          `${name} ended (${signal ?? `exit code ${code}`}); it is started anew${logFile ? `, see ${logFile}` : ''}\n`,
        );
        setTimeout(() => (stopping ? done() : begin()), RESTART_MS);
      });
    };
    begin();
  });
  // Not in our process group, so that Ctrl-C reaches it once, in order; and never left behind.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    get pid() {
      return child.pid;
    },
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Waits until the API says that it is ready. */
export async function ready(url, timeoutMs = 60_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await fetch(`${url}/api/v1/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new Error(`The API at ${url} did not get ready within ${timeoutMs / 1000} s.`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** Resolves at Ctrl-C or SIGTERM; a second one does not cut short the clean stop that the first one began. */
export function interrupted() {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, done);
  });
}
