/**
 * What a mailing's calendar asks for, decided from its row and a few facts. Each function is called with the mailing's
 * row locked and with `now` read from the database in that transaction; its decision is written in the same
 * transaction.
 *
 * `nextRunAt` is the cursor: the first occurrence that nobody decided about. What lies before it has run, is on the
 * ledger as missed, or never existed for this mailing. It is kept while the mailing is paused; null means that none
 * will come.
 *
 * The stored instant is derived: it is the k-th occurrence by the zone's rules at the time of storing. Each function
 * first recomputes it by the present rules ({@link presentCursor}).
 */
import {
  latestBetween,
  nearestOccurrence,
  nextOccurrence,
  PERIOD_MS,
  DAY_MS,
  previousOccurrence,
  type Period,
  type Schedule,
} from './recurrence';

/** Why an occurrence did not run: nothing was running, the mailing was paused, or another run was in the way. */
export type MissedReason = 'down' | 'paused' | 'overlap';

export interface Missed {
  occurrenceAt: Date;
  reason: MissedReason;
}

/** The cursor by the present rules of its zone; null if they have moved it to `endAt` or later. */
export function presentCursor(schedule: Schedule, nextRunAt: Date | null): Date | null {
  if (!nextRunAt) return null;
  const at = nearestOccurrence(schedule, nextRunAt);
  return schedule.endAt !== null && schedule.endAt <= at && at > nextRunAt ? null : at;
}

/** What to write. All of it, in one transaction. */
export interface Decision {
  /** Start this run now; `occurrenceAt` null is an extra run on demand. */
  run: { occurrenceAt: Date | null } | null;
  /**
   * Record these as runs that are `missed`, oldest first; one that has a run already (an edited grid may meet it) is
   * left. Of very many only the latest {@link MISSED_LIMIT} are given.
   */
  missed: Missed[];
  nextRunAt: Date | null;
  /** `endAt` is reached: skip what is not claimed and finish the mailing. Never set for other reasons. */
  done: boolean;
  /** A due occurrence waits behind a run on demand: store `now` as the mailing's `waitedUntil`, else clear it. */
  wait: boolean;
}

/** No decision lists more missed occurrences than this; older ones are not recorded. */
export const MISSED_LIMIT = 1000;

/** How late an occurrence may still run after downtime: half a period, at most a day. `once` may run until `endAt`. */
export function graceMs(period: Period): number {
  return period === 'once' ? Infinity : Math.min(PERIOD_MS[period] / 2, DAY_MS);
}

/** The mailing's row and the database's clock. */
export interface MailingFacts {
  schedule: Schedule;
  nextRunAt: Date | null;
  now: Date;
}

export interface TickFacts extends MailingFacts {
  /** A run by schedule of this mailing has deliveries that were never tried. */
  scheduledRunOpen: boolean;
  /** The same for a run on demand or to those who failed. */
  demandRunOpen: boolean;
  /** When a tick last found the due occurrence waiting; lateness counts from there. */
  waitedUntil: Date | null;
}

/**
 * One tick for a `started` mailing; call it when `nextRunAt` or `endAt` is reached, at any other time it changes
 * nothing (for a paused mailing that reaches `endAt` see {@link decideResume}). Of the occurrences that came due since
 * the last tick only the latest may run; older ones are missed.
 */
export function decideTick(facts: TickFacts): Decision {
  const { schedule, now, scheduledRunOpen, demandRunOpen } = facts;
  const nextRunAt = presentCursor(schedule, facts.nextRunAt);
  const done = hasEnded(schedule, now);
  const due = dueOccurrence(schedule, nextRunAt, now);
  if (!due || !nextRunAt) return decision({ nextRunAt: done ? null : nextRunAt, done });

  const waited = (at: Date): boolean => facts.waitedUntil !== null && facts.waitedUntil >= at;
  const older = missedBetween(schedule, nextRunAt, due, (at) => (waited(at) ? 'overlap' : 'down'));
  if (demandRunOpen && !scheduledRunOpen && !done) return decision({ missed: older, nextRunAt: due, wait: true });

  const next = nextOccurrence(schedule, due)?.at ?? null;
  const lateSince = Math.max(due.getTime(), facts.waitedUntil?.getTime() ?? -Infinity);
  const tooLate = now.getTime() - lateSince > graceMs(schedule.period);
  if (done || scheduledRunOpen || tooLate) {
    const reason = scheduledRunOpen || demandRunOpen || waited(due) ? 'overlap' : 'down';
    return decision({ missed: latest([...older, { occurrenceAt: due, reason }]), nextRunAt: done ? null : next, done });
  }
  return decision({ run: { occurrenceAt: due }, missed: older, nextRunAt: next });
}

/**
 * The first start of a `created` mailing. If `startAt` has passed, a run for the latest occurrence so far starts at
 * once, and earlier occurrences are not counted as missed; else nothing is sent before `startAt`.
 */
export function decideFirstStart({ schedule, now }: { schedule: Schedule; now: Date }): Decision {
  if (hasEnded(schedule, now)) return decision({ done: true });
  const current = previousOccurrence(schedule, now);
  if (!current) return decision({ nextRunAt: schedule.startAt });
  return decision({ run: { occurrenceAt: current.at }, nextRunAt: nextOccurrence(schedule, current.at)?.at ?? null });
}

/**
 * A paused mailing is resumed: occurrences that fell due meanwhile are missed (`paused`), the next one is the first
 * after `now`. A `once` mailing that was paused over its `startAt` still has its only occurrence before it: the next
 * tick runs it.
 */
export function decideResume(facts: MailingFacts): Decision {
  const { schedule, now } = facts;
  const nextRunAt = presentCursor(schedule, facts.nextRunAt);
  const done = hasEnded(schedule, now);
  const due = dueOccurrence(schedule, nextRunAt, now);
  if (!due || !nextRunAt || (schedule.period === 'once' && !done)) {
    return decision({ nextRunAt: done ? null : nextRunAt, done });
  }
  const missed = missedBetween(schedule, nextRunAt, justAfter(now), () => 'paused');
  return decision({ missed, nextRunAt: done ? null : (nextOccurrence(schedule, due)?.at ?? null), done });
}

export interface DemandFacts extends MailingFacts {
  /** The mailing is `created`: this send starts it. */
  firstStart: boolean;
  /** The occurrence of the mailing's last run that had one; those that were missed don't count. */
  lastOccurrenceAt: Date | null;
}

/**
 * A send on demand, for a `created` or `started` mailing without never-tried deliveries. It is the run of the current
 * occurrence if that is due and undecided, else an extra run; grace does not matter. For `once` it is always the only
 * occurrence, whatever `startAt` says: if that has its run, the unique key makes the service answer with that one.
 * `run` is null only together with `done`.
 */
export function decideDemandSend(facts: DemandFacts): Decision {
  const { schedule, now, firstStart } = facts;
  const nextRunAt = presentCursor(schedule, facts.nextRunAt);
  if (hasEnded(schedule, now)) return firstStart ? decision({ done: true }) : decideTick({ ...facts, ...NOTHING_OPEN });
  if (schedule.period === 'once')
    return decision({ run: { occurrenceAt: nextRunAt ?? facts.lastOccurrenceAt ?? schedule.startAt } });
  if (firstStart) {
    const start = decideFirstStart(facts);
    return { ...start, run: start.run ?? { occurrenceAt: null } };
  }
  const due = dueOccurrence(schedule, nextRunAt, now);
  if (!due || !nextRunAt) return decision({ run: { occurrenceAt: null }, nextRunAt });
  return decision({
    run: { occurrenceAt: due },
    missed: missedBetween(schedule, nextRunAt, due, () => 'down'),
    nextRunAt: nextOccurrence(schedule, due)?.at ?? null,
  });
}

const NOTHING_OPEN = { scheduledRunOpen: false, demandRunOpen: false, waitedUntil: null };

export interface EditFacts extends MailingFacts {
  /** The schedule before the edit; `schedule` is the new one. */
  previous: Schedule;
  paused: boolean;
  /** When the last run by schedule or on demand began; one that was missed did not. */
  lastRunAt: Date | null;
  lastOccurrenceAt: Date | null;
}

/**
 * The schedule of a `started` or `paused` mailing was changed. Never starts a run: what is due by the old schedule
 * belongs to a {@link decideTick} just before; what is still undecided then is missed. A `created` mailing has no
 * cursor yet.
 * - Only `endAt` changed: the cursor stays, and comes back if there is an occurrence again.
 * - A new grid after a run: its first occurrence from now on, at least half a (new) period after that run.
 * - A new grid before any run: its latest occurrence if it is not too late to run, else the next.
 * - `once` that had its run gets no other one, however it is moved; another period turned into `once` gets a last run
 *   if
 * `startAt` lies after the last one. A `once` mailing without a cursor is done when its runs are.
 */
export function decideEdit(facts: EditFacts): Decision {
  const { previous, schedule, now } = facts;
  const nextRunAt = presentCursor(previous, facts.nextRunAt);
  const done = hasEnded(schedule, now);
  if (!done && sameGrid(previous, schedule)) return decision({ nextRunAt: keptCursor({ ...facts, nextRunAt }) });

  const merelyMoved = previous.period === 'once' && !done;
  const reason = facts.paused ? 'paused' : 'overlap';
  const missed = nextRunAt && !merelyMoved ? missedBetween(previous, nextRunAt, justAfter(now), () => reason) : [];
  return decision({ missed, nextRunAt: done ? null : movedCursor(facts), done });
}

function keptCursor({ schedule, nextRunAt, now, lastOccurrenceAt }: EditFacts): Date | null {
  if (schedule.period === 'once') return nextRunAt;
  const from = nextRunAt ?? new Date(Math.max(now.getTime(), lastOccurrenceAt?.getTime() ?? 0) + 1);
  return nextOccurrence(schedule, from, { inclusive: true })?.at ?? null;
}

function movedCursor({ previous, schedule, now, lastRunAt, lastOccurrenceAt }: EditFacts): Date | null {
  if (schedule.period === 'once') {
    const hadItsRun = previous.period === 'once' && lastOccurrenceAt !== null;
    return hadItsRun || (lastRunAt && schedule.startAt <= lastRunAt) ? null : schedule.startAt;
  }
  const earliest = lastRunAt
    ? Math.max(now.getTime(), lastRunAt.getTime() + PERIOD_MS[schedule.period] / 2)
    : now.getTime() - graceMs(schedule.period);
  const latestDue = lastRunAt ? null : previousOccurrence(schedule, now);
  if (latestDue && latestDue.at.getTime() >= earliest) return latestDue.at;
  return nextOccurrence(schedule, new Date(Math.max(earliest, now.getTime())), { inclusive: true })?.at ?? null;
}

/**
 * Until when (exclusive) a client who is added to a started mailing still gets this occurrence in its run: until the
 * next occurrence or `endAt`, and in an audience that `grows` no longer than the grace; null means as long as the
 * mailing is not done. If `startAt` was moved behind the occurrence, nobody joins it any more: nothing is sent before
 * `startAt`.
 */
export function lateJoinUntil(schedule: Schedule, occurrence: Date, { grows }: { grows: boolean }): Date | null {
  if (occurrence < schedule.startAt) return occurrence;
  const grace = grows ? occurrence.getTime() + graceMs(schedule.period) : Infinity;
  const next = nextOccurrence(schedule, occurrence)?.at ?? schedule.endAt;
  const until = Math.min(grace, next?.getTime() ?? Infinity);
  return until === Infinity ? null : new Date(until);
}

const decision = (given: Partial<Decision>): Decision => ({
  run: null,
  missed: [],
  nextRunAt: null,
  done: false,
  wait: false,
  ...given,
});

const hasEnded = (schedule: Schedule, now: Date): boolean => schedule.endAt !== null && schedule.endAt <= now;

/** The latest occurrence up to `now` that is not decided yet. */
function dueOccurrence(schedule: Schedule, nextRunAt: Date | null, now: Date): Date | null {
  if (!nextRunAt || nextRunAt > now) return null;
  const latestDue = previousOccurrence(schedule, now);
  return latestDue && latestDue.at >= nextRunAt ? latestDue.at : null;
}

function missedBetween(schedule: Schedule, from: Date, to: Date, reason: (at: Date) => MissedReason): Missed[] {
  return latestBetween(schedule, from, to, MISSED_LIMIT).map(({ at }) => ({ occurrenceAt: at, reason: reason(at) }));
}

const justAfter = (at: Date): Date => new Date(at.getTime() + 1);

const latest = (missed: Missed[]): Missed[] => missed.slice(-MISSED_LIMIT);

const sameGrid = (a: Schedule, b: Schedule): boolean =>
  a.startAt.getTime() === b.startAt.getTime() && a.period === b.period && a.timeZone === b.timeZone;
