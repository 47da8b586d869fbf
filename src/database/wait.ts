import { setTimeout as sleep } from 'node:timers/promises';
import { isUnavailable } from './database';

export interface Waiting {
  timeoutMs: number;
  say: (message: string) => void;
  /** Whether an error is worth waiting; if absent, every error is. */
  worth?: (error: unknown) => boolean;
}

/**
 * Tries `work` until it succeeds, saying what it waits for, first at once and then every five seconds.
 * @throws the last error when the time is over, or one that is not worth waiting
 */
export async function waitFor<T>(what: string, work: () => Promise<T>, waiting: Waiting): Promise<T> {
  const { timeoutMs, say, worth = () => true } = waiting;
  const startedAt = performance.now();
  for (let saidAt = -Infinity; ; await sleep(250)) {
    try {
      return await work();
    } catch (error) {
      if (!worth(error)) throw error;
      const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : (error as Error).message;
      const waitedMs = performance.now() - startedAt;
      if (waitedMs > timeoutMs) throw new Error(`${what} was not ready within ${timeoutMs / 1000} s: ${reason}`);
      if (performance.now() - saidAt > 5_000) {
        say(`waiting for ${what}: ${reason}`);
        saidAt = performance.now();
      }
    }
  }
}

/**
 * Repeats `work` until Postgres answers: for results that only this process knows. Repeating it must be harmless.
 * @throws what Postgres answers
 */
export async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await sleep(500);
    }
  }
}
