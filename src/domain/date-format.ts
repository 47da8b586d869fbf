import { Temporal } from 'temporal-polyfill';

type Zoned = Temporal.ZonedDateTime;

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
const hour12 = (d: Zoned) => d.hour % 12 || 12;

/** Each conversion: how wide it is padded, with what, and its value. */
const CONVERSIONS: Record<string, [width: number, pad: string, value: (d: Zoned) => string | number]> = {
  Y: [4, '0', (d) => d.year],
  y: [2, '0', (d) => d.year % 100],
  C: [2, '0', (d) => Math.floor(d.year / 100)],
  m: [2, '0', (d) => d.month],
  B: [0, ' ', (d) => MONTHS[d.month - 1]!],
  b: [0, ' ', (d) => MONTHS[d.month - 1]!.slice(0, 3)],
  d: [2, '0', (d) => d.day],
  e: [2, ' ', (d) => d.day],
  j: [3, '0', (d) => d.dayOfYear],
  A: [0, ' ', (d) => DAYS[d.dayOfWeek - 1]!],
  a: [0, ' ', (d) => DAYS[d.dayOfWeek - 1]!.slice(0, 3)],
  u: [0, ' ', (d) => d.dayOfWeek],
  w: [0, ' ', (d) => d.dayOfWeek % 7],
  V: [2, '0', (d) => d.weekOfYear ?? ''],
  G: [4, '0', (d) => d.yearOfWeek ?? ''],
  H: [2, '0', (d) => d.hour],
  k: [2, ' ', (d) => d.hour],
  I: [2, '0', hour12],
  l: [2, ' ', hour12],
  M: [2, '0', (d) => d.minute],
  S: [2, '0', (d) => d.second],
  L: [3, '0', (d) => d.millisecond],
  p: [0, ' ', (d) => (d.hour < 12 ? 'AM' : 'PM')],
  P: [0, ' ', (d) => (d.hour < 12 ? 'am' : 'pm')],
  s: [0, ' ', (d) => Math.floor(d.epochMilliseconds / 1000)],
  z: [0, ' ', (d) => d.offset.replace(':', '')],
  Z: [0, ' ', (d) => d.timeZoneId],
  n: [0, ' ', () => '\n'],
  t: [0, ' ', () => '\t'],
};
const SHORTHANDS: Record<string, string> = {
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  c: '%a %b %e %T %Y',
  h: '%b',
};

/** All letters of a run have the same date. */
let last: { iso: string; timeZone: string; date: Zoned | null } | undefined;

/**
 * Formats an ISO 8601 date or date-time like strftime(3), in English, as seen in `timeZone`; the time zone and the
 * locale of the process play no part. A date without a time is that calendar day in every zone. Flags: `-` no padding,
 * `_` spaces, `0` zeros, `^` upper case.
 * @returns null if `iso` is not a date, or `timeZone` no IANA zone
 */
export function formatDate(iso: string, format: string, timeZone: string): string | null {
  if (last?.iso !== iso || last.timeZone !== timeZone) last = { iso, timeZone, date: readDate(iso, timeZone) };
  const { date } = last;
  return date && expand(format, date);
}

function readDate(iso: string, timeZone: string): Zoned | null {
  try {
    if (/^\d{4}-\d\d-\d\d$/.test(iso)) return Temporal.PlainDate.from(iso).toZonedDateTime('UTC');
    return Temporal.Instant.from(iso).toZonedDateTimeISO(timeZone);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function expand(format: string, date: Zoned): string {
  return format.replace(/%([-_0^]?)([A-Za-z%])/g, (whole, flag: string, letter: string) => {
    if (letter === '%') return '%';
    const shorthand = SHORTHANDS[letter];
    if (shorthand) return expand(shorthand, date);
    const conversion = CONVERSIONS[letter];
    if (!conversion) return whole;
    const [width, pad, value] = conversion;
    const text = String(value(date));
    if (flag === '-') return text;
    if (flag === '^') return text.toUpperCase();
    return text.padStart(width, flag === '_' ? ' ' : flag === '0' ? '0' : pad);
  });
}
