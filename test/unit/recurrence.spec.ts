import fc from 'fast-check';
import {
  latestBetween,
  nextOccurrence,
  occurrenceAt,
  PERIODS,
  previousOccurrence,
  upcoming,
  type Occurrence,
  type Schedule,
} from '../../src/domain/recurrence';
import { formatLocal, isTimeZone, TIME_ZONES, timeZoneMeant, timeZoneName } from '../../src/domain/time-zone';
import { referenceOccurrence, wallOf } from './calendar-reference';
import { occurrencesBetween } from '../support/occurrences';
import { cases } from '../support/cases';

const schedule = (startAt: string, period: Schedule['period'], timeZone: string, endAt?: string): Schedule => ({
  startAt: new Date(startAt),
  endAt: endAt ? new Date(endAt) : null,
  period,
  timeZone,
});
const minutes = (occurrences: Occurrence[]) => occurrences.map(({ at }) => at.toISOString().slice(0, 16) + 'Z');

/** Zones that once went from one side of the date line to the other. */
const SKIPPED_A_DAY = new Set([
  'Pacific/Apia',
  'Pacific/Enderbury',
  'Pacific/Fakaofo',
  'Pacific/Kanton',
  'Pacific/Kiritimati',
  'Pacific/Kwajalein',
]);

describe('the k-th occurrence', () => {
  test.each([
    [
      'gap',
      'Europe/Athens',
      'daily',
      '2027-03-26T01:30Z',
      ['2027-03-27T01:30Z', '2027-03-28T01:30Z', '2027-03-29T00:30Z'],
    ],
    [
      'overlap',
      'Europe/Athens',
      'daily',
      '2027-10-29T00:30Z',
      ['2027-10-30T00:30Z', '2027-10-31T00:30Z', '2027-11-01T01:30Z'],
    ],
    ['summer time', 'Europe/Athens', 'daily', '2027-03-26T07:00Z', ['2027-03-27T07:00Z', '2027-03-28T06:00Z']],
    [
      'month end',
      'Europe/Athens',
      'monthly',
      '2027-01-31T07:00Z',
      ['2027-02-28T07:00Z', '2027-03-31T06:00Z', '2027-04-30T06:00Z'],
    ],
    [
      'leap year',
      'UTC',
      'monthly',
      '2027-12-30T12:00Z',
      ['2028-01-30T12:00Z', '2028-02-29T12:00Z', '2028-03-30T12:00Z'],
    ],
    ['weekly', 'Europe/Athens', 'weekly', '2027-10-18T06:00Z', ['2027-10-25T06:00Z', '2027-11-01T07:00Z']],
    [
      'a skipped day',
      'Pacific/Apia',
      'daily',
      '2011-12-28T20:00Z',
      ['2011-12-29T20:00Z', '2011-12-30T20:00Z', '2011-12-31T20:00Z'],
    ],
    [
      'half-hour shift',
      'Australia/Lord_Howe',
      'daily',
      '2027-10-01T15:45Z',
      ['2027-10-02T15:45Z', '2027-10-03T15:15Z'],
    ],
    ['gap at midnight', 'Africa/Cairo', 'daily', '2027-04-28T22:00Z', ['2027-04-29T22:00Z', '2027-04-30T21:00Z']],
  ] as const)('%s: %s %s from %s', (_, timeZone, period, startAt, expected) => {
    const s = schedule(startAt, period, timeZone);
    expect(minutes(upcoming(s, s.startAt, expected.length))).toEqual(expected);
  });

  test('a zone without summer time keeps its UTC time all year', () => {
    const s = schedule('2027-01-01T06:00:00Z', 'daily', 'Europe/Moscow');
    const year = occurrencesBetween(s, s.startAt, new Date('2028-01-01T00:00Z'), 1000);
    expect(year).toHaveLength(365);
    expect(new Set(year.map(({ at }) => at.toISOString().slice(11)))).toEqual(new Set(['06:00:00.000Z']));
  });

  test('startAt at the second of two equal local times stays there, and only there', () => {
    const s = schedule('2027-10-31T01:30:00.123Z', 'weekly', 'Europe/Athens');
    expect(occurrenceAt(s, 0)).toEqual(s.startAt);
    expect(occurrenceAt(s, 52).toISOString()).toBe('2028-10-29T00:30:00.123Z');
  });

  test('days that a zone skipped are one occurrence, whichever way it is asked for', () => {
    const s = schedule('2011-12-28T20:00Z', 'daily', 'Pacific/Apia');
    const skipped = { k: 2, at: new Date('2011-12-30T20:00Z') };
    expect(occurrenceAt(s, 3)).toEqual(occurrenceAt(s, 2));
    expect(nextOccurrence(s, new Date('2011-12-30T00:00Z'))).toEqual(skipped);
    expect(nextOccurrence(s, skipped.at, { inclusive: true })).toEqual(skipped);
    expect(previousOccurrence(s, new Date('2011-12-31T00:00Z'))).toEqual(skipped);
    expect(nextOccurrence(s, skipped.at)?.k).toBe(4);
    const around = [new Date('2011-12-29T00:00Z'), new Date('2012-01-01T00:00Z'), 10] as const;
    expect(occurrencesBetween(s, ...around).map(({ k }) => k)).toEqual([1, 2, 4]);
    expect(latestBetween(s, ...around).map(({ k }) => k)).toEqual([1, 2, 4]);
  });

  test('once has one', () => {
    const s = schedule('2027-01-31T07:00:00.001Z', 'once', 'Europe/Athens');
    expect(occurrenceAt(s, 0)).toEqual(s.startAt);
    expect(() => occurrenceAt(s, 1)).toThrow(RangeError);
    expect(nextOccurrence(s, s.startAt)).toBeNull();
    expect(nextOccurrence(s, s.startAt, { inclusive: true })).toEqual({ k: 0, at: s.startAt });
    expect(previousOccurrence(s, new Date('2099-01-01T00:00Z'))).toEqual({ k: 0, at: s.startAt });
    expect(previousOccurrence(s, new Date(s.startAt.getTime() - 1))).toBeNull();
  });

  test.each([-1, 0.5, NaN, Infinity])('there is no occurrence %p', (k) => {
    expect(() => occurrenceAt(schedule('2027-01-31T07:00Z', 'daily', 'UTC'), k)).toThrow(RangeError);
  });

  test('endAt is exclusive', () => {
    const s = schedule('2027-01-01T09:00Z', 'daily', 'UTC', '2027-01-03T09:00Z');
    expect(minutes(upcoming(s, new Date(0), 10))).toEqual(['2027-01-01T09:00Z', '2027-01-02T09:00Z']);
    expect(nextOccurrence(s, new Date('2027-01-02T09:00Z'))).toBeNull();
    expect(previousOccurrence(s, new Date('2030-01-01T00:00Z'))?.k).toBe(1);
  });

  test('nothing comes after the years of four digits', () => {
    const s = schedule('9999-12-30T09:00Z', 'daily', 'UTC');
    expect(minutes(upcoming(s, new Date('9999-12-30T00:00Z'), 10))).toEqual(['9999-12-30T09:00Z', '9999-12-31T09:00Z']);
  });

  test('limits', () => {
    const s = schedule('2027-01-01T09:00Z', 'daily', 'UTC');
    const [from, to] = [new Date('2027-01-02T09:00Z'), new Date('2027-01-05T09:00Z')];
    expect(occurrencesBetween(s, from, to, 9).map(({ k }) => k)).toEqual([1, 2, 3]);
    expect(occurrencesBetween(s, from, to, 2).map(({ k }) => k)).toEqual([1, 2]);
    expect(latestBetween(s, from, to, 2).map(({ k }) => k)).toEqual([2, 3]);
    expect(latestBetween(s, from, to, 0)).toEqual([]);
    expect(upcoming(s, from, 0)).toEqual([]);
    expect(occurrencesBetween(s, to, from, 9)).toEqual([]);
  });

  test('two hundred years out', () => {
    const s = schedule('2027-01-31T07:00Z', 'monthly', 'Europe/Athens');
    expect(nextOccurrence(s, new Date('2227-02-01T00:00Z'))).toEqual({ k: 2401, at: new Date('2227-02-28T07:00Z') });
    expect(previousOccurrence(s, new Date('2227-02-01T00:00Z'))).toEqual({
      k: 2400,
      at: new Date('2227-01-31T07:00Z'),
    });
  });
});

const DAY_MS = 86_400_000;
const zone = fc.constantFrom(...TIME_ZONES);
const instant = fc.date({ min: new Date('1975-01-01'), max: new Date('2225-01-01'), noInvalidDate: true });
/** Half of the instants within hours of a change of clocks, where the rules matter. */
const tricky = fc
  .tuple(
    fc.constantFrom(
      '2027-03-28',
      '2027-10-31',
      '2011-12-30',
      '1993-08-21',
      '2026-03-08',
      '2026-11-01',
      '2050-03-27',
      '2027-04-04',
    ),
    fc.integer({ min: -40 * 60, max: 40 * 60 }),
  )
  .map(([day, minute]) => new Date(Date.parse(day) + minute * 60_000));
const anySchedule = fc.record({
  startAt: fc.oneof(instant, tricky),
  endAt: fc.constant(null),
  period: fc.constantFrom(...PERIODS.filter((p) => p !== 'once')),
  timeZone: fc.oneof(
    zone,
    fc.constantFrom(
      'Europe/Athens',
      'Pacific/Apia',
      'Pacific/Kwajalein',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
    ),
  ),
});
const index = fc.oneof(fc.nat(70), fc.nat(2000));

describe('for any schedule in any zone', () => {
  test('the k-th occurrence is what the wall clock of Intl says', () => {
    fc.assert(
      fc.property(anySchedule, index, (s, k) => {
        expect(occurrenceAt(s, k)).toEqual(referenceOccurrence(s, k));
      }),
      { numRuns: cases(1500, 375) },
    );
  });

  test('occurrences never go back, and k = 0 is startAt', () => {
    fc.assert(
      fc.property(anySchedule, index, (s, k) => {
        expect(occurrenceAt(s, 0)).toEqual(s.startAt);
        expect(occurrenceAt(s, k + 1).getTime()).toBeGreaterThanOrEqual(occurrenceAt(s, k).getTime());
      }),
      { numRuns: cases(500, 125) },
    );
  });

  test('the wall clock shows the time of startAt, unless it skips it, and the day never drifts', () => {
    fc.assert(
      fc.property(anySchedule, index, (s, k) => {
        const [start, wall] = [wallOf(s.startAt, s.timeZone), wallOf(occurrenceAt(s, k), s.timeZone)];
        if (wall % DAY_MS !== start % DAY_MS) {
          expect(wallOf(new Date(occurrenceAt(s, k).getTime() - DAY_MS), s.timeZone)).not.toBe(wall - DAY_MS);
          return;
        }
        if (s.period === 'monthly') {
          const lastDay = new Date(new Date(wall).setUTCMonth(new Date(wall).getUTCMonth() + 1, 0)).getUTCDate();
          expect([new Date(start).getUTCDate(), lastDay]).toContain(new Date(wall).getUTCDate());
        } else if (!SKIPPED_A_DAY.has(s.timeZone)) {
          expect(wall - start).toBe(k * DAY_MS * (s.period === 'weekly' ? 7 : 1));
        }
      }),
      { numRuns: cases(500, 125) },
    );
  });

  test('next and previous are what a search from the anchor finds', () => {
    fc.assert(
      fc.property(
        anySchedule,
        fc.nat(60),
        fc.integer({ min: -1, max: 1 }),
        fc.integer(),
        fc.boolean(),
        (s, n, by, jitter, onGrid) => {
          const grid = Array.from({ length: 70 }, (_, k) => ({ k, at: occurrenceAt(s, k) })).filter(
            ({ at }, i, all) => i === 0 || all[i - 1]?.at.getTime() !== at.getTime(),
          );
          const t = new Date(occurrenceAt(s, n).getTime() + (onGrid ? by : jitter % (40 * DAY_MS)));
          const end = new Date(occurrenceAt(s, 50));
          for (const ending of [s, { ...s, endAt: end }]) {
            const valid = grid.filter(({ at }) => !ending.endAt || at < ending.endAt);
            const first = (o: Occurrence | undefined) => o ?? null;
            if (!ending.endAt && t >= occurrenceAt(s, 68)) return;
            expect(nextOccurrence(ending, t)).toEqual(first(valid.find(({ at }) => at > t)));
            expect(nextOccurrence(ending, t, { inclusive: true })).toEqual(first(valid.find(({ at }) => at >= t)));
            expect(previousOccurrence(ending, t)).toEqual(first(valid.findLast(({ at }) => at <= t)));
            expect(occurrencesBetween(ending, s.startAt, t, 5)).toEqual(valid.filter(({ at }) => at < t).slice(0, 5));
            expect(latestBetween(ending, s.startAt, t, 5)).toEqual(valid.filter(({ at }) => at < t).slice(-5));
          }
        },
      ),
      { numRuns: cases(200, 50) },
    );
  });

  test('distance does not matter: next after any instant is right and adjacent', () => {
    fc.assert(
      fc.property(anySchedule, instant, (s, t) => {
        const next = nextOccurrence(s, t);
        const previous = previousOccurrence(s, t);
        expect(next?.at.getTime()).toBeGreaterThan(t.getTime());
        if (!previous) return expect(next).toEqual({ k: 0, at: s.startAt });
        expect(previous.at.getTime()).toBeLessThanOrEqual(t.getTime());
        expect(nextOccurrence(s, previous.at)).toEqual(next);
      }),
      { numRuns: cases(500, 125) },
    );
  });
});

describe('time zones', () => {
  test.each([
    ['Europe/Athens', 'Europe/Athens'],
    ['europe/kyiv', 'Europe/Kyiv'],
    ['utc', 'UTC'],
    ['Etc/GMT+3', 'Etc/GMT+3'],
    ['+03:00', null],
    ['', null],
    ['Mars/Olympus', null],
    ['2027-01-01T00:00[Europe/Athens]', null],
    ['Europe/Athens ', null],
    ['T0000Z', null],
    ['Europe/'.repeat(140_000), null],
  ])('%.40p is %p', (name, expected) => {
    expect(timeZoneName(name)).toBe(expected);
    expect(isTimeZone(name)).toBe(expected !== null);
  });

  test.each([
    ['Europe/Athens', 'Europe/Athens'],
    [' europe/athens ', 'Europe/Athens'],
    ['athens', 'Europe/Athens'],
    ['New York', 'America/New_York'],
    ['buenos  aires', 'America/Argentina/Buenos_Aires'],
    ['asia/calcutta', 'Asia/Calcutta'],
    ['York', null],
    ['Athens, Greece', null],
    ['', null],
    ['+03:00', null],
    ['/'.repeat(140_000), null],
  ])('%.40p means %p', (text, expected) => {
    expect(timeZoneMeant(text)).toBe(expected);
  });

  test('pickers list valid present names, UTC first, none twice', () => {
    expect(TIME_ZONES[0]).toBe('UTC');
    expect(new Set(TIME_ZONES).size).toBe(TIME_ZONES.length);
    expect(TIME_ZONES).toEqual(expect.arrayContaining(['Europe/Kyiv', 'Asia/Kolkata', 'Europe/Moscow']));
    for (const name of TIME_ZONES) expect(timeZoneName(name)).toBe(name);
  });

  test.each([
    ['2027-03-28T06:00Z', 'Europe/Athens', '2027-03-28T09:00:00+03:00'],
    ['2027-03-27T07:00Z', 'Europe/Athens', '2027-03-27T09:00:00+02:00'],
    ['2027-03-27T07:00:00.120Z', 'Asia/Kathmandu', '2027-03-27T12:45:00.12+05:45'],
    ['2027-03-27T07:00Z', 'UTC', '2027-03-27T07:00:00+00:00'],
    ['2027-03-27T01:00Z', 'America/New_York', '2027-03-26T21:00:00-04:00'],
  ])('%s in %s is %s', (at, timeZone, expected) => {
    expect(formatLocal(new Date(at), timeZone)).toBe(expected);
    expect(Date.parse(expected)).toBe(Date.parse(at));
  });
});
