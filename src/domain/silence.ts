/** What this process has observed of another one: the last heartbeat seen, and for how long it has not changed. */
export interface Watched {
  beat: string;
  silentMs: number;
}

/**
 * How much of the time between two observations counts as silence of the others. A process that did not look for longer
 * (it was frozen, or the database was away) can't tell whether the others were silent or only could not be observed.
 */
export function watchedMs(sinceLastLookMs: number, heartbeatMs: number): number {
  return Math.max(0, Math.min(sinceLastLookMs, 2 * heartbeatMs));
}

/**
 * The state after one more observation: a process whose heartbeat changed, or that is new, has been silent for 0 ms;
 * one that is no longer there is removed.
 */
export function watch(
  before: ReadonlyMap<number, Watched>,
  seen: readonly { id: number; beat: string }[],
  watched: number,
): Map<number, Watched> {
  return new Map(
    seen.map(({ id, beat }) => {
      const known = before.get(id);
      return [id, { beat, silentMs: known?.beat === beat ? known.silentMs + watched : 0 }];
    }),
  );
}
