import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries `connect` until it succeeds, saying what it waits for, first at once and then every five seconds.
 * @throws the last error when `timeoutMs` is over
 */
export async function waitFor(
  what: string,
  connect: () => Promise<void>,
  timeoutMs: number,
  say: (message: string) => void,
): Promise<void> {
  const startedAt = performance.now();
  for (let saidAt = -Infinity; ; await sleep(250)) {
    try {
      return await connect();
    } catch (error) {
      const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : (error as Error).message;
      const waitedMs = performance.now() - startedAt;
      if (waitedMs > timeoutMs) throw new Error(`${what} did not answer within ${timeoutMs / 1000} s: ${reason}`);
      if (performance.now() - saidAt > 5_000) {
        say(`waiting for ${what}: ${reason}`);
        saidAt = performance.now();
      }
    }
  }
}
