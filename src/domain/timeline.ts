import { decodeCursor, encodeCursor, type Page } from './paging';

/**
 * One page of entries from several sources, newest first: at least `limit` of them, if there are so many, and all others
 * of the last one's instant, so that the next page begins at another one. Entries of the same instant keep their order.
 *
 * @param entries of each source all that come before `before`, or all of its newest `limit + 1` instants. Later ones are
 *   left out.
 */
export function timelinePage<T extends { at: Date }>(
  entries: readonly T[],
  { before, limit }: { before: Date | null; limit: number },
): Page<T> {
  const earlier = entries
    .filter(({ at }) => before === null || at.getTime() < before.getTime())
    .sort((a, b) => b.at.getTime() - a.at.getTime());
  const last = earlier[limit - 1]?.at.getTime();
  if (last === undefined) return { items: earlier, nextCursor: null };
  const items = earlier.filter(({ at }) => at.getTime() >= last);
  return { items, nextCursor: items.length < earlier.length ? encodeCursor([last]) : null };
}

const LAST_INSTANT = 8_640_000_000_000_000; // ECMA-262 21.4.1.1

/** The instant before which a page of a timeline begins; undefined if the text is no cursor of one. */
export function timelineCursor(cursor: string): Date | undefined {
  const at = decodeCursor(cursor, 1)?.[0];
  return typeof at === 'number' && Number.isInteger(at) && Math.abs(at) <= LAST_INSTANT ? new Date(at) : undefined;
}
