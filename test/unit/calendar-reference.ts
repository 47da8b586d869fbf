import { type Schedule } from '../../src/domain/recurrence';

/** A second way to the same calendar, by Intl.DateTimeFormat alone. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the wall clock shows, as the ms that UTC would have when showing the same. */
export function wallOf(at: Date, timeZone: string): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const ms = ((at.getTime() % 1000) + 1000) % 1000;
  return Date.UTC(part.year ?? 0, (part.month ?? 0) - 1, part.day, part.hour, part.minute, part.second, ms);
}

/** The k-th occurrence: the first instant whose wall clock fits, else the wall clock read with the offset before the gap. */
export function referenceOccurrence({ startAt, period, timeZone }: Schedule, k: number): Date {
  if (k === 0) return startAt;
  const wall = new Date(wallOf(startAt, timeZone));
  if (period === 'monthly') {
    const day = wall.getUTCDate();
    wall.setUTCMonth(wall.getUTCMonth() + k + 1, 0);
    wall.setUTCDate(Math.min(day, wall.getUTCDate()));
  } else {
    wall.setUTCDate(wall.getUTCDate() + k * (period === 'weekly' ? 7 : 1));
  }
  const offsetAround = (hours: number) => {
    const near = new Date(wall.getTime() + hours * 3_600_000);
    return wallOf(near, timeZone) - near.getTime();
  };
  const before = wall.getTime() - offsetAround(-36);
  const after = wall.getTime() - offsetAround(36);
  const fitting = [before, after].filter((ms) => wallOf(new Date(ms), timeZone) === wall.getTime());
  return new Date(fitting.length > 0 ? Math.min(...fitting) : before);
}
