/**
 * When a mailing is due. The k-th occurrence is `startAt + k · period`, counted on the wall clock of the schedule's
 * zone and always from the anchor: 31 Jan → 28 Feb → 31 Mar. Occurrence 0 is `startAt` itself, to the millisecond. A
 * wall-clock time that does not exist takes the offset before the gap, one that exists twice is the first (RFC 5545
 * 3.3.5). Occurrences that coincide, where a zone skipped a whole day, are one: the one with the least k.
 */
import { instantOf, wallClock } from './time-zone';

export const PERIODS = ['once', 'daily', 'weekly', 'monthly'] as const;
export type Period = (typeof PERIODS)[number];

/** `endAt` is exclusive; null is never. `timeZone` is an IANA name. */
export interface Schedule {
  startAt: Date;
  endAt: Date | null;
  period: Period;
  timeZone: string;
}

export interface Occurrence {
  k: number;
  at: Date;
}

export const DAY_MS = 86_400_000;

/** Nominal length: here a day is 24 h and a month 30 days; `once` does not repeat. */
export const PERIOD_MS: Record<Period, number> = {
  once: Infinity,
  daily: DAY_MS,
  weekly: 7 * DAY_MS,
  monthly: 30 * DAY_MS,
};

/**
 * The k-th instant of the grid, whether or not `endAt` lies before it. k is a whole number from 0.
 * @throws RangeError where there is none: `once` has only k = 0.
 */
export function occurrenceAt(schedule: Schedule, k: number): Date {
  const ms = Number.isInteger(k) && k >= 0 ? grid(schedule)(k) : Infinity;
  if (ms === Infinity) throw new RangeError(`A ${schedule.period} schedule has no occurrence ${k}.`);
  return new Date(ms);
}

/** The first occurrence after `after` (with `inclusive`: at or after it) and before `endAt`; null if there is none. */
export function nextOccurrence(
  schedule: Schedule,
  after: Date,
  { inclusive = false }: { inclusive?: boolean } = {},
): Occurrence | null {
  const from = inclusive ? after.getTime() : after.getTime() + 1;
  for (const occurrence of occurrencesFrom(schedule, from)) return occurrence;
  return null;
}

/** The last occurrence at or before `atOrBefore` and before `endAt`; null if there is none yet. */
export function previousOccurrence(schedule: Schedule, atOrBefore: Date): Occurrence | null {
  for (const occurrence of occurrencesBackFrom(schedule, atOrBefore.getTime())) return occurrence;
  return null;
}

/**
 * The occurrence nearest to an instant, whether or not `endAt` lies before it. Finds where a stored occurrence is after
 * the rules of its zone were changed, which moves it by much less than half a period.
 */
export function nearestOccurrence(schedule: Schedule, at: Date): Date {
  const endless = { ...schedule, endAt: null };
  const before = previousOccurrence(endless, at)?.at ?? schedule.startAt;
  const after = nextOccurrence(endless, at)?.at ?? before;
  return Math.abs(at.getTime() - before.getTime()) <= after.getTime() - at.getTime() ? before : after;
}

/** The last `limit` occurrences in `[from, to)`, oldest first. */
export function latestBetween(schedule: Schedule, from: Date, to: Date, limit: number): Occurrence[] {
  return take(limit, occurrencesBackFrom(schedule, to.getTime() - 1), ({ at }) => at >= from).reverse();
}

/** The next `count` occurrences after `after`; fewer if the schedule ends. */
export function upcoming(schedule: Schedule, after: Date, count: number): Occurrence[] {
  return take(count, occurrencesFrom(schedule, after.getTime() + 1), () => true);
}

/** RFC 3339 has years of four digits: a later instant could not be written. */
export const CALENDAR_END = Date.UTC(10_000, 0, 1);

/** k → ms of the k-th occurrence, never falling; Infinity where there is none. About 6 µs a call. */
function grid({ startAt, period, timeZone }: Schedule): (k: number) => number {
  const start = startAt.getTime();
  if (period === 'once') return (k) => (k === 0 ? start : Infinity);
  const anchor = wallClock(startAt, timeZone);
  const steps = {
    daily: (k: number) => ({ days: k }),
    weekly: (k: number) => ({ weeks: k }),
    monthly: (k: number) => ({ months: k }),
  };
  return (k) => (k === 0 ? start : instantOf(anchor.add(steps[period](k)), timeZone));
}

function* occurrencesFrom(schedule: Schedule, fromMs: number): Generator<Occurrence> {
  const at = grid(schedule);
  const end = Math.min(schedule.endAt?.getTime() ?? Infinity, CALENDAR_END);
  let last = -Infinity;
  for (let k = firstIndexFrom(schedule, at, fromMs); ; k++) {
    const ms = at(k);
    if (ms >= end || ms === Infinity) return;
    if (ms !== last) yield { k, at: new Date(ms) };
    last = ms;
  }
}

function* occurrencesBackFrom(schedule: Schedule, toMs: number): Generator<Occurrence> {
  const at = grid(schedule);
  const last = Math.min(toMs, (schedule.endAt?.getTime() ?? Infinity) - 1);
  for (let k = firstIndexFrom(schedule, at, last + 1) - 1; k >= 0; k--) {
    const ms = at(k);
    while (k > 0 && at(k - 1) === ms) k--;
    yield { k, at: new Date(ms) };
  }
}

/** The least k whose occurrence is not before `ms`: an estimate that is off by two at most, then put right. */
function firstIndexFrom(schedule: Schedule, at: (k: number) => number, ms: number): number {
  let k = Math.max(0, estimate(schedule, new Date(ms)));
  while (k > 0 && at(k - 1) >= ms) k--;
  while (at(k) < ms) k++;
  return k;
}

function estimate({ startAt, period }: Schedule, at: Date): number {
  if (period === 'once') return 0;
  if (period !== 'monthly') return Math.ceil((at.getTime() - startAt.getTime()) / PERIOD_MS[period]);
  return (at.getUTCFullYear() - startAt.getUTCFullYear()) * 12 + at.getUTCMonth() - startAt.getUTCMonth();
}

function take(limit: number, occurrences: Iterable<Occurrence>, wanted: (o: Occurrence) => boolean): Occurrence[] {
  const taken: Occurrence[] = [];
  if (limit <= 0) return taken;
  for (const occurrence of occurrences) {
    if (!wanted(occurrence)) break;
    taken.push(occurrence);
    if (taken.length >= limit) break;
  }
  return taken;
}
