import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(__dirname, '../..');

export interface ProgramOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'> {
  /** For messages. */
  name?: string;
  /** Where its output goes; whoever names it removes it. Needed where others write on after this process has ended. */
  logFile?: string;
}

/** The one way in which tests start a process: what it says is read from its log, and whatever fails tells the log's end. */
export class Program {
  /** Its exit code and the signal that ended it. */
  readonly exited: Promise<unknown>;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly readLog: () => string,
  ) {
    this.exited = once(child, 'exit');
    // Whoever waits is told; a command that is not there is no reason to end the test's own process.
    this.exited.catch(() => undefined);
    programs.push(this);
  }

  /** In the project's folder unless told otherwise. */
  static start(command: string, args: string[], options: ProgramOptions = {}): Program {
    const { name = command, logFile, ...rest } = options;
    const file = logFile ?? join(tmpdir(), `gonets-log-${randomUUID()}`);
    const fd = openSync(file, 'a+');
    const child = spawn(command, args, { cwd: root, ...rest, stdio: ['ignore', fd, fd] });
    if (logFile) {
      closeSync(fd);
      return new Program(name, child, () => readFileSync(logFile, 'utf8'));
    }
    // Without a name from the start, so that nothing is left behind; the descriptor leads to it while the process lives.
    rmSync(file);
    let ended: string | undefined;
    const read = () => ended ?? readFileSync(`/proc/self/fd/${fd}`, 'utf8');
    const end = () => {
      if (ended !== undefined) return;
      ended = read();
      closeSync(fd);
    };
    child.once('exit', end).once('error', end);
    return new Program(name, child, read);
  }

  /** A process of the product, from the build. */
  static product(kind: 'api' | 'worker' | 'cli', options: ProgramOptions, args: string[] = []): Program {
    return Program.start(process.execPath, [join(root, `dist/main.${kind}.js`), ...args], { name: kind, ...options });
  }

  /** 0 if it could not be started. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** How it ended: its exit code, or the signal that ended it; null while it lives. */
  get ending(): number | NodeJS.Signals | null {
    return this.child.exitCode ?? this.child.signalCode;
  }

  get log(): string {
    return this.readLog();
  }

  /** The complete lines of its log. */
  get lines(): string[] {
    return this.log.split('\n').slice(0, -1);
  }

  /** What it has in memory, or (`VmHWM`) the most that it ever had. */
  memoryMb(what: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  }

  /** Whether a file with such a name is mapped into its memory, as libraries are. */
  hasLoaded(name: string): boolean {
    return readFileSync(`/proc/${this.pid}/maps`, 'utf8').includes(name);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.alive) return;
    this.child.kill(signal);
    if (signal === 'SIGKILL') this.child.kill('SIGCONT');
    await this.exited;
  }

  /** Ends it by SIGTERM, unless it has ended, and gives its exit code. */
  async stop(): Promise<number | null> {
    await this.kill('SIGTERM');
    return this.child.exitCode;
  }

  /** Waits until it has ended by itself. */
  async ends(timeoutMs = 60_000): Promise<void> {
    const late = sleep(timeoutMs, true, { ref: false });
    if ((await Promise.race([this.exited, late])) === true) throw this.failed(`did not end within ${timeoutMs} ms`);
  }

  /** Waits for a text; gives its first group. @throws if the process dies first or the time is over */
  async says(pattern: RegExp, timeoutMs = 120_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const { alive } = this;
      const found = pattern.exec(this.log);
      if (found) return found[1] ?? found[0];
      if (!alive || performance.now() > deadline) throw this.failed(`did not say ${pattern}`);
      await sleep(25);
    }
  }

  /** Waits for the line of this event in a log of the product. @throws as `says` */
  async said(event: string): Promise<Record<string, unknown>> {
    const line = await this.says(new RegExp(`^(.*"event":"${event}".*)\n`, 'm'));
    return JSON.parse(line) as Record<string, unknown>;
  }

  /** What it said last, under its name. */
  tail(): string {
    return `--- ${this.name} (${this.ending ?? 'alive'}) ---\n${this.log.slice(-2_000)}`;
  }

  private failed(what: string): Error {
    return new Error(`${this.name} ${what}:\n${this.tail()}`);
  }
}

/** All that this test file has started. */
const programs: Program[] = [];

/** The last words of all that are alive, for the report of a test that waits in vain. */
export function lastWords(): string {
  return programs
    .filter(({ alive }) => alive)
    .map((program) => program.tail())
    .join('\n');
}

export interface Result {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a process of the product to its end, however long that takes. */
export async function runProduct(
  kind: 'api' | 'worker' | 'cli',
  { env, args = [], input = '' }: { env: NodeJS.ProcessEnv; args?: string[]; input?: string },
): Promise<Result> {
  const child = spawn(process.execPath, [`dist/main.${kind}.js`, ...args], { cwd: root, env });
  const result: Result = { code: null, out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (result.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (result.err += chunk.toString()));
  child.stdin.end(input);
  [result.code] = (await once(child, 'close')) as [number | null];
  return result;
}

/** Small and seeded: the same seed, the same choices. */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
