/**
 * Where a page of a keyset-paged list lies. A cursor only leads forward, so the address carries the way back: the
 * pages before this one, each with the number of its first row. All of it comes from the caller, and is only used to
 * make links; the list itself checks each cursor.
 */
export interface Place {
  /** The number of the page's first row, from 1; null if nobody knows. */
  first: number | null;
  /** Links to the page before and the next one, without the list's address; null if there is none. */
  previous: string | null;
  next: string | null;
  /** The link back to the first page; null on it. */
  start: string | null;
}

/** What in an address says which page of a list it is. */
export const PAGE_PARAMETERS = ['cursor', 'row', 'trail'];

/** A page before: the number of its first row, and its cursor, empty for the first page. */
type Step = [row: number, cursor: string];

const STEPS_MAX = 60;
/** Addresses of more than some 8,000 characters are refused by many servers. */
const TRAIL_MAX = 3_000;
const STEP = /^([1-9]\d{0,8})\*([\w-]{0,500})$/;

/** @param shown how many rows the page has @param nextCursor the next page's */
export function placeOf(query: URLSearchParams, shown: number, nextCursor: string | null): Place {
  const cursor = query.get('cursor') ?? '';
  const row = query.get('row') ?? '';
  const first = cursor === '' ? 1 : /^[1-9]\d{0,8}$/.test(row) ? Number(row) : null;
  const trail = cursor === '' ? [] : stepsOf(query.get('trail') ?? '');
  const before = trail.at(-1);
  const here: Step[] = first === null ? [] : [...trail, [first, cursor]];
  return {
    first,
    previous: before ? linkTo(query, before, trail.slice(0, -1)) : null,
    next: nextCursor === null ? null : linkTo(query, [first === null ? null : first + shown, nextCursor], here),
    start: cursor === '' ? null : linkTo(query, [null, ''], []),
  };
}

/** The steps of a trail; none, if any part of it is malformed. */
function stepsOf(text: string): Step[] {
  if (text === '' || text.length > TRAIL_MAX) return [];
  const steps = text.split('.').map((step) => STEP.exec(step));
  return steps.every((step) => step !== null) ? steps.map((step) => [Number(step[1]), step[2] ?? '']) : [];
}

/** The steps as a text; the earliest are left out if it would be too long. */
function trailText(steps: Step[]): string {
  let text = '';
  for (const [row, cursor] of steps.slice(-STEPS_MAX).reverse()) {
    const longer = `${row}*${cursor}${text && '.'}${text}`;
    if (longer.length > TRAIL_MAX) break;
    text = longer;
  }
  return text;
}

function linkTo(query: URLSearchParams, [row, cursor]: [number | null, string], trail: Step[]): string {
  const link = new URLSearchParams(query);
  for (const name of PAGE_PARAMETERS) link.delete(name);
  if (cursor !== '') {
    link.set('cursor', cursor);
    if (row !== null) link.set('row', String(row));
    const way = trailText(trail);
    if (way) link.set('trail', way);
  }
  const text = link.toString();
  return text && `?${text}`;
}
