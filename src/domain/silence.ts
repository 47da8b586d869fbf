/** Another process, as far as this one has watched it: the last sign of life that was seen, and for how long it has stayed. */
export interface Watched {
  beat: string;
  silentMs: number;
}

/**
 * How much of the time between two looks may count as the others' silence. Who did not look for longer (it was frozen, or the
 * database was away) can't tell whether the others were silent or could not be heard.
 */
export function watchedMs(sinceLastLookMs: number, heartbeatMs: number): number {
  return Math.max(0, Math.min(sinceLastLookMs, 2 * heartbeatMs));
}

/** What is known after one more look: who has moved, or is new, is silent from now on; who is not there is forgotten. */
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
