import { Temporal } from 'temporal-polyfill';

/** Names that ICU still lists under an older spelling than the IANA database does. */
const RENAMED: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Catamarca': 'America/Argentina/Catamarca',
  'America/Coral_Harbour': 'America/Atikokan',
  'America/Cordoba': 'America/Argentina/Cordoba',
  'America/Godthab': 'America/Nuuk',
  'America/Indianapolis': 'America/Indiana/Indianapolis',
  'America/Jujuy': 'America/Argentina/Jujuy',
  'America/Louisville': 'America/Kentucky/Louisville',
  'America/Mendoza': 'America/Argentina/Mendoza',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
};

/** Twice the longest name there is. */
const MAX_NAME = 64;

/** Zone names to suggest: `UTC` first, the others sorted, under their present names. Older names stay valid input. */
export const TIME_ZONES: readonly string[] = [
  'UTC',
  ...Intl.supportedValuesOf('timeZone')
    .map((name) => RENAMED[name] ?? name)
    .sort(),
];

/**
 * The name as the IANA database spells it (`europe/athens` → `Europe/Athens`), or null for what is no zone of it.
 * Offsets alone (`+03:00`) are refused: they have no summer time, and Postgres reads their sign the other way round.
 */
export function timeZoneName(name: string): string | null {
  if (name.length > MAX_NAME || !/^[A-Za-z][\w+/-]*$/.test(name)) return null;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * The zone that somebody means who types it: by its name, or by its city alone (`athens`, `New York`) where only one zone
 * is called so; else null.
 */
export function timeZoneMeant(text: string): string | null {
  const name = text.trim().replace(/\s+/g, '_');
  if (name.length > MAX_NAME) return null;
  const city = `/${name.toLowerCase()}`;
  const found = TIME_ZONES.filter((zone) => zone.toLowerCase().endsWith(city));
  return timeZoneName(name) ?? (found.length === 1 ? found[0]! : null);
}

/** Whether the name is a zone of the IANA database, old names and any case included. */
export function isTimeZone(name: string): boolean {
  return timeZoneName(name) !== null;
}

/**
 * The instant as ISO-8601 with the zone's offset, e.g. `2027-03-28T09:00:00+03:00`; milliseconds only if there are any.
 */
export function formatLocal(at: Date, timeZone: string): string {
  return zoned(at, timeZone).toString({ timeZoneName: 'never' });
}

/** The wall clock of a zone at an instant. */
export function wallClock(at: Date, timeZone: string): Temporal.PlainDateTime {
  return zoned(at, timeZone).toPlainDateTime();
}

/**
 * The instant in ms at which the wall clock shows that time (RFC 5545 3.3.5): in a gap by the offset before it, of two
 * the first.
 */
export function instantOf(wall: Temporal.PlainDateTime, timeZone: string): number {
  return wall.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds;
}

/** The day of a text such as `2027-03-14`, or null. Of the year 0, which Postgres does not have, there is none. */
export function plainDay(text: string): Temporal.PlainDate | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith('0000')) return null;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** When a day `2027-03-14` begins and ends on the wall clock of a zone; null for what is no day. */
export function dayIn(day: string, timeZone: string): { from: Date; to: Date } | null {
  const date = plainDay(day);
  if (!date) return null;
  const begins = (at: Temporal.PlainDate) => new Date(at.toZonedDateTime(timeZone).epochMilliseconds);
  return { from: begins(date), to: begins(date.add({ days: 1 })) };
}

function zoned(at: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone);
}
