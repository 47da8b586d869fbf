import { Temporal } from 'temporal-polyfill';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import { CALENDAR_END, nextOccurrence, PERIODS, type Period, type Schedule } from './recurrence';
import { instantOf, timeZoneName } from './time-zone';

/**
 * A schedule as the caller gave it: texts from a request, a form or a command line, or stored dates that stay
 * unchanged.
 */
export interface ScheduleInput {
  startAt: string | Date;
  endAt?: string | Date | null;
  period: string;
  timeZone: string;
}

/** `warnings` are shown but do not prevent anything. */
export type CheckedSchedule =
  { ok: true; schedule: Schedule; warnings: readonly FieldProblem[] } | { ok: false; errors: FieldProblem[] };

/** Every problem of the input with its field, or the schedule, its zone spelled as the IANA database does. */
export function checkSchedule(input: ScheduleInput): CheckedSchedule {
  const errors: FieldProblem[] = [];
  const instant = (field: 'startAt' | 'endAt', given: string | Date): Date | null => {
    const parsed = given instanceof Date ? given : parseInstant(given);
    if (parsed instanceof Date) return parsed;
    errors.push({ field, ...parsed });
    return null;
  };

  const startAt = instant('startAt', input.startAt);
  const endAt = input.endAt === null || input.endAt === undefined ? null : instant('endAt', input.endAt);
  if (startAt && endAt && endAt <= startAt) errors.push(...at('endAt', problem('end_before_start')));
  const period = isPeriod(input.period) ? input.period : null;
  if (!period) errors.push(...at('period', problem('one_of', { options: PERIODS })));
  const timeZone = timeZoneName(input.timeZone);
  if (!timeZone) errors.push(...at('timeZone', problem('time_zone')));

  if (errors.length > 0 || !startAt || !period || !timeZone) return { ok: false, errors };
  const schedule = { startAt, endAt, period, timeZone };
  return { ok: true, schedule, warnings: warningsFor(schedule) };
}

/** What is allowed but probably not meant. */
export function warningsFor(schedule: Schedule): readonly FieldProblem[] {
  if (schedule.period === 'once' || nextOccurrence(schedule, schedule.startAt)) return [];
  return at('period', problem('only_first', { period: schedule.period }));
}

const CALENDAR_BEGIN = Date.parse('0000-01-01T00:00:00Z');
const isInCalendar = (ms: number) => ms >= CALENDAR_BEGIN && ms < CALENDAR_END;
const INSTANT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::([0-5]\d|60)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)$/i;

/**
 * RFC 3339, with the seconds left out if wished: a date, `T`, a time, and `Z` or an offset. Of a fraction the
 * milliseconds count. Days and times that don't exist are refused, not rolled over, and so are leap seconds, which
 * neither Postgres nor JavaScript can tell from the next second.
 */
export function parseInstant(text: string): Date | CodedProblem<'date_time'> {
  const [, day, minute, second = '00', fraction = '0', offset] = INSTANT.exec(text) ?? [];
  if (day === undefined) return problem('date_time', { fault: 'form' });
  if (second === '60') return problem('date_time', { fault: 'leap_second' });
  const exact = `${day}T${minute}:${second}.${fraction.slice(0, 3)}${offset?.toUpperCase()}`;
  const ms = parsed(() => Temporal.Instant.from(exact).epochMilliseconds);
  // The offset may move the instant out of the years with four digits.
  if (ms === null || !isInCalendar(ms)) return problem('date_time', { fault: 'calendar' });
  return new Date(ms);
}

const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:[0-5]\d)?$/;

/**
 * Parses the value of a `datetime-local` field, `2027-03-28T09:00`: the instant at which the zone's wall clock shows
 * it.
 */
export function parseLocal(text: string, timeZone: string): Date | CodedProblem<'date_time'> {
  const wall = LOCAL.test(text) ? parsed(() => Temporal.PlainDateTime.from(text)) : null;
  const ms = wall && instantOf(wall, timeZone);
  return ms !== null && isInCalendar(ms) ? new Date(ms) : problem('date_time', { fault: 'local' });
}

function parsed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const isPeriod = (text: string): text is Period => (PERIODS as readonly string[]).includes(text);
