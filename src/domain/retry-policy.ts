/** A delay is changed at random by up to this share, so that letters deferred together are not tried again together. */
const JITTER = 0.2;

/**
 * How long a deferred delivery waits, in milliseconds, ± 20 %, after `tries` used tries (the one that has just failed
 * included, so 1 or more). Null when there is no delay left: the delivery has failed. `random01` is in [0, 1).
 */
export function nextDelayMs(input: { tries: number; delaysMs: readonly number[]; random01: number }): number | null {
  const delay = input.delaysMs[input.tries - 1];
  return delay === undefined ? null : Math.round(delay * (1 - JITTER + 2 * JITTER * input.random01));
}

/**
 * The delay that the server named, but at least the policy's first and at most its longest delay; made a little longer
 * at random, so that letters deferred together are not tried again together.
 */
export function withinPolicy(input: { namedMs: number; delaysMs: readonly number[]; random01?: number }): number {
  const { namedMs, delaysMs, random01 = 0 } = input;
  const first = delaysMs[0] ?? 0;
  return Math.round(Math.min(Math.max(namedMs * (1 + (JITTER / 2) * random01), first), Math.max(first, ...delaysMs)));
}

/** How long the account waits at breaker step 0, 1, 2, …; the last delay repeats for ever. No delays: no wait. */
export function breakerDelayMs(step: number, delaysMs: readonly number[]): number {
  return delaysMs[Math.min(Math.max(step, 0), delaysMs.length - 1)] ?? 0;
}
