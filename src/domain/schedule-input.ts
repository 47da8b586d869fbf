import { Temporal } from 'temporal-polyfill';
import { type FieldError } from './errors';
import { nextOccurrence, PERIODS, type Period, type Schedule } from './recurrence';
import { instantOf, timeZoneName } from './time-zone';

/** A schedule as a caller gave it: texts from a request, a form or a command line, or stored dates left as they are. */
export interface ScheduleInput {
  startAt: string | Date;
  endAt?: string | Date | null;
  period: string;
  timeZone: string;
}

/** Something worth telling that forbids nothing. */
export interface FieldWarning {
  field: string;
  message: string;
}

export type CheckedSchedule =
  { ok: true; schedule: Schedule; warnings: FieldWarning[] } | { ok: false; errors: FieldError[] };

/** Every problem of the input with its field, or the schedule, its zone spelled as the IANA database does. */
export function checkSchedule(input: ScheduleInput): CheckedSchedule {
  const errors: FieldError[] = [];
  const instant = (field: 'startAt' | 'endAt', given: string | Date): Date | null => {
    const parsed = given instanceof Date ? given : parseInstant(given);
    if (parsed instanceof Date) return parsed;
    errors.push({ field, message: parsed.problem });
    return null;
  };

  const startAt = instant('startAt', input.startAt);
  const endAt = input.endAt === null || input.endAt === undefined ? null : instant('endAt', input.endAt);
  if (startAt && endAt && endAt <= startAt) errors.push({ field: 'endAt', message: 'must be later than startAt' });
  const period = isPeriod(input.period) ? input.period : null;
  if (!period) errors.push({ field: 'period', message: `must be one of ${PERIODS.join(', ')}` });
  const timeZone = timeZoneName(input.timeZone);
  if (!timeZone) errors.push({ field: 'timeZone', message: 'must be an IANA time zone such as Europe/Athens or UTC' });

  if (errors.length > 0 || !startAt || !period || !timeZone) return { ok: false, errors };
  const schedule = { startAt, endAt, period, timeZone };
  return { ok: true, schedule, warnings: warningsFor(schedule) };
}

/** What is allowed but probably not meant. */
export function warningsFor(schedule: Schedule): FieldWarning[] {
  if (schedule.period === 'once' || nextOccurrence(schedule, schedule.startAt)) return [];
  return [{ field: 'period', message: `only the first ${schedule.period} sending comes before endAt` }];
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:[0-5]\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Strict ISO-8601: a date, `T`, a time with optional seconds and milliseconds, and `Z` or an offset. Days and times that
 * don't exist are refused, not rolled over. `problem` ends the sentence that begins with the field's name.
 */
export function parseInstant(text: string): Date | { problem: string } {
  if (!INSTANT.test(text)) {
    return { problem: 'must be ISO-8601 with an offset, such as 2027-03-28T09:00:00Z or 2027-03-28T09:00:00+03:00' };
  }
  const ms = parsed(() => Temporal.Instant.from(text).epochMilliseconds);
  return ms === null ? { problem: 'is no date and time of the calendar' } : new Date(ms);
}

const LOCAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:[0-5]\d)?$/;

/** What a `datetime-local` field gives, `2027-03-28T09:00`, as the instant when the zone's wall clock shows it. */
export function parseLocal(text: string, timeZone: string): Date | { problem: string } {
  const wall = LOCAL.test(text) ? parsed(() => Temporal.PlainDateTime.from(text)) : null;
  return wall ? new Date(instantOf(wall, timeZone)) : { problem: 'must be a date and time such as 2027-03-28T09:00' };
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
