import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real process of the product. */
export class Program {
  readonly exited: Promise<unknown>;

  constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    readonly logFile: string,
  ) {
    this.exited = once(child, 'exit');
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
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

  /** Waits until it has ended by itself. */
  async ends(timeoutMs = 20_000): Promise<void> {
    const late = sleep(timeoutMs, true, { ref: false });
    if ((await Promise.race([this.exited, late])) === true)
      throw new Error(`${this.name} did not end within ${timeoutMs} ms: ${this.log.slice(-2_000)}`);
  }

  /** Waits for a line; fails with the log's end if the process dies first or the time is over. */
  async says(pattern: RegExp, timeoutMs = 60_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(this.log);
      if (found) return found[1] ?? found[0];
      if (!this.alive || performance.now() > deadline)
        throw new Error(`${this.name} did not say ${pattern}: ${this.log.slice(-2_000)}`);
      await sleep(25);
    }
  }
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
