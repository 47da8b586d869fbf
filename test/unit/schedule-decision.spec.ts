import fc from 'fast-check';
import { nextOccurrence, occurrenceAt, type Period, type Schedule } from '../../src/domain/recurrence';
import {
  graceMs,
  lateJoinUntil,
  MISSED_LIMIT,
  decideDemandSend,
  decideEdit,
  decideFirstStart,
  decideResume,
  decideTick,
  type DemandFacts,
  type EditFacts,
  type Decision,
  type TickFacts,
} from '../../src/domain/schedule-decision';
import { occurrencesBetween } from '../support/occurrences';
import { cases } from '../support/cases';

const at = (text: string) => new Date(text.length === 10 ? `${text}T09:00Z` : `${text}Z`);
const schedule = (period: Period, startAt = '2027-03-01', endAt?: string): Schedule => ({
  startAt: at(startAt),
  endAt: endAt ? at(endAt) : null,
  period,
  timeZone: 'UTC',
});
const decision = (given: Partial<Decision>): Decision => ({
  run: null,
  missed: [],
  nextRunAt: null,
  done: false,
  wait: false,
  ...given,
});
const run = (occurrence: string) => ({ occurrenceAt: at(occurrence) });
const extraRun = { occurrenceAt: null };
const missed = (reason: 'down' | 'paused' | 'overlap', ...days: string[]) =>
  days.map((day) => ({ occurrenceAt: at(day), reason }));

describe('a tick', () => {
  const tick = (now: string, given: Partial<TickFacts> = {}) =>
    decideTick({
      schedule: schedule('daily'),
      nextRunAt: at('2027-03-05'),
      now: at(now),
      scheduledRunOpen: false,
      demandRunOpen: false,
      waitedUntil: null,
      ...given,
    });

  test('before the next occurrence changes nothing', () => {
    expect(tick('2027-03-05T08:59:59.999')).toEqual(decision({ nextRunAt: at('2027-03-05') }));
    expect(tick('2027-03-05', { nextRunAt: null })).toEqual(decision({}));
  });

  test.each(['2027-03-05', '2027-03-05T09:00:14'])('at %s starts the run and moves on along the grid', (now) => {
    expect(tick(now)).toEqual(decision({ run: run('2027-03-05'), nextRunAt: at('2027-03-06') }));
  });

  test('after five days down, three hours late: one run, four missed, the next on time', () => {
    expect(tick('2027-03-09T12:00')).toEqual(
      decision({
        run: run('2027-03-09'),
        missed: missed('down', '2027-03-05', '2027-03-06', '2027-03-07', '2027-03-08'),
        nextRunAt: at('2027-03-10'),
      }),
    );
  });

  test.each([
    ['daily', '2027-03-01T21:00', '2027-03-01T21:00:00.001'],
    ['weekly', '2027-03-02T09:00', '2027-03-02T09:00:00.001'],
    ['monthly', '2027-03-02T09:00', '2027-03-02T09:00:00.001'],
  ] as const)('%s: the grace ends at half a period, at most a day', (period, lastMoment, tooLate) => {
    const given = { schedule: schedule(period), nextRunAt: at('2027-03-01') };
    const nextRunAt = occurrenceAt(given.schedule, 1);
    expect(tick(lastMoment, given)).toEqual(decision({ run: run('2027-03-01'), nextRunAt }));
    expect(tick(tooLate, given)).toEqual(decision({ missed: missed('down', '2027-03-01'), nextRunAt }));
  });

  test('once runs however late, until endAt', () => {
    const given = { schedule: schedule('once', '2027-03-01', '2028-03-01'), nextRunAt: at('2027-03-01') };
    expect(tick('2028-03-01T08:59', given)).toEqual(decision({ run: run('2027-03-01') }));
    expect(tick('2028-03-01', given)).toEqual(decision({ missed: missed('down', '2027-03-01'), done: true }));
  });

  test.each([true, false])(
    'behind an unfinished run by schedule it is missed (one on demand too: %p)',
    (demandRunOpen) => {
      expect(tick('2027-03-05T09:00:10', { scheduledRunOpen: true, demandRunOpen })).toEqual(
        decision({ missed: missed('overlap', '2027-03-05'), nextRunAt: at('2027-03-06') }),
      );
    },
  );

  test('behind a run on demand it waits, and then runs even beyond the grace', () => {
    expect(tick('2027-03-05T09:00:10', { demandRunOpen: true })).toEqual(
      decision({ nextRunAt: at('2027-03-05'), wait: true }),
    );
    const waited = { waitedUntil: at('2027-03-05T22:00') };
    expect(tick('2027-03-05T22:00:15', waited)).toEqual(
      decision({ run: run('2027-03-05'), nextRunAt: at('2027-03-06') }),
    );
    expect(tick('2027-03-06', { ...waited, demandRunOpen: true })).toEqual(
      decision({ missed: missed('overlap', '2027-03-05'), nextRunAt: at('2027-03-06'), wait: true }),
    );
  });

  test('what waited and then met a long downtime is missed', () => {
    const given = { schedule: schedule('weekly'), nextRunAt: at('2027-03-01'), waitedUntil: at('2027-03-01T10:00') };
    expect(tick('2027-03-02T10:00', given).run).toEqual(run('2027-03-01'));
    expect(tick('2027-03-02T10:01', given).missed).toEqual(missed('overlap', '2027-03-01'));
  });

  test('an occurrence at endAt does not run, and the mailing is done', () => {
    const given = { schedule: schedule('daily', '2027-03-01', '2027-03-06') };
    expect(tick('2027-03-05', given)).toEqual(decision({ run: run('2027-03-05') }));
    expect(tick('2027-03-05T23:00', { ...given, nextRunAt: null })).toEqual(decision({}));
    expect(tick('2027-03-06', { ...given, nextRunAt: null })).toEqual(decision({ done: true }));
    expect(tick('2027-03-06', { ...given, demandRunOpen: true })).toEqual(
      decision({ missed: missed('overlap', '2027-03-05'), done: true }),
    );
  });

  test.each([
    ['too late', undefined, '2037-03-05'],
    ['ended', '2037-03-05', '2037-03-04'],
  ])('of years of missed occurrences the latest are listed (%s)', (_, endAt, last) => {
    const decided = tick('2037-03-05T22:00', { schedule: schedule('daily', '2027-03-01', endAt) });
    expect(decided.missed).toHaveLength(MISSED_LIMIT);
    expect(decided.missed.at(-1)?.occurrenceAt).toEqual(at(last));
  });

  describe('whose cursor was stored by other rules of its zone', () => {
    const HOUR = 3_600_000;
    const off = (hours: number) => new Date(at('2027-03-05').getTime() + hours * HOUR);

    test('moved earlier, and past: the occurrence runs late, or is missed, and never vanishes', () => {
      const next = at('2027-03-06');
      for (const now of ['2027-03-05T09:30', '2027-03-05T10:00', '2027-03-05T20:59'])
        expect(tick(now, { nextRunAt: off(1) })).toEqual(decision({ run: run('2027-03-05'), nextRunAt: next }));
      expect(tick('2027-03-05T21:30', { nextRunAt: off(1) })).toEqual(
        decision({ missed: missed('down', '2027-03-05'), nextRunAt: next }),
      );
      expect(tick('2027-03-06', { nextRunAt: off(1) })).toEqual(
        decision({ run: run('2027-03-06'), missed: missed('down', '2027-03-05'), nextRunAt: at('2027-03-07') }),
      );
    });

    test('moved earlier, still to come: it is expected when it is due', () => {
      expect(tick('2027-03-05T08:30', { nextRunAt: off(1) })).toEqual(decision({ nextRunAt: at('2027-03-05') }));
    });

    test('moved later: nothing at the stale time, one run at the true one', () => {
      expect(tick('2027-03-05T08:30', { nextRunAt: off(-1) })).toEqual(decision({ nextRunAt: at('2027-03-05') }));
      expect(tick('2027-03-05T09:00:05', { nextRunAt: off(-1) })).toEqual(
        decision({ run: run('2027-03-05'), nextRunAt: at('2027-03-06') }),
      );
    });

    test('moved beyond the end: there is no such occurrence any more', () => {
      const ending = schedule('daily', '2027-03-01', '2027-03-05T08:45');
      expect(tick('2027-03-05T08:30', { schedule: ending, nextRunAt: off(-1) })).toEqual(decision({}));
    });

    test('a resumed mailing, a send and an edit know it, too', () => {
      const facts = { schedule: schedule('daily'), nextRunAt: off(1), now: at('2027-03-05T09:30') };
      const next = at('2027-03-06');
      expect(decideResume(facts)).toEqual(decision({ missed: missed('paused', '2027-03-05'), nextRunAt: next }));
      const more = { lastOccurrenceAt: at('2027-03-04'), lastRunAt: at('2027-03-04') };
      expect(decideDemandSend({ ...facts, ...more, firstStart: false })).toEqual(
        decision({ run: run('2027-03-05'), nextRunAt: next }),
      );
      const edit = { ...facts, ...more, previous: facts.schedule, paused: false };
      expect(decideEdit(edit)).toEqual(decision({ nextRunAt: at('2027-03-05') }));
    });

    test('no occurrence vanishes and none runs twice, in any zone, whichever way and whenever the rules moved it', () => {
      fc.assert(
        fc.property(
          fc.constantFrom<Period>('daily', 'weekly', 'monthly'),
          fc.constantFrom('UTC', 'Europe/Athens', 'America/Santiago', 'Pacific/Apia', 'Asia/Kathmandu'),
          fc.integer({ min: 1, max: 400 }),
          fc.integer({ min: -3 * 60, max: 3 * 60 }),
          fc.array(fc.integer({ min: 1, max: 26 * 60 }), { minLength: 1, maxLength: 20 }),
          (period, timeZone, k, movedMinutes, steps) => {
            const grid = { ...schedule(period), timeZone };
            let cursor: Date | null = new Date(occurrenceAt(grid, k).getTime() + movedMinutes * 60_000);
            const decided: number[] = [];
            let now = occurrenceAt(grid, k).getTime() - 5 * HOUR;
            for (const minutes of steps) {
              now += minutes * 60_000;
              const next: Decision = tick('2027-03-05', { schedule: grid, nextRunAt: cursor, now: new Date(now) });
              for (const { occurrenceAt: missedAt } of next.missed) decided.push(missedAt.getTime());
              if (next.run?.occurrenceAt) decided.push(next.run.occurrenceAt.getTime());
              cursor = next.nextRunAt;
            }
            const due = occurrencesBetween(grid, occurrenceAt(grid, k), new Date(now + 1), 100);
            expect(decided).toEqual(due.map((occurrence) => occurrence.at.getTime()));
          },
        ),
        { numRuns: cases(300, 60) },
      );
    });
  });

  test('a clock that steps back repeats nothing', () => {
    const { nextRunAt } = tick('2027-03-05');
    expect(tick('2027-03-04T12:00', { nextRunAt })).toEqual(decision({ nextRunAt: at('2027-03-06') }));
  });
});

describe('the first start', () => {
  const start = (s: Schedule, now: string) => decideFirstStart({ schedule: s, now: at(now) });

  test.each([
    ['before startAt nothing goes yet', schedule('daily'), '2027-02-28', { nextRunAt: at('2027-03-01') }],
    ['once before startAt', schedule('once'), '2027-02-28', { nextRunAt: at('2027-03-01') }],
    ['at startAt', schedule('daily'), '2027-03-01', { run: run('2027-03-01'), nextRunAt: at('2027-03-02') }],
    [
      'long after it: one run now, none is missed, later ones on the grid',
      schedule('weekly'),
      '2027-03-26T18:00',
      { run: run('2027-03-22'), nextRunAt: at('2027-03-29') },
    ],
    ['once long after it', schedule('once'), '2029-01-01', { run: run('2027-03-01') }],
    [
      'no occurrence left after this one',
      schedule('daily', '2027-03-01', '2027-03-02'),
      '2027-03-01T10:00',
      { run: run('2027-03-01') },
    ],
    ['at endAt', schedule('daily', '2027-03-01', '2027-03-02'), '2027-03-02', { done: true }],
  ])('%s', (_, s, now, expected) => {
    expect(start(s, now)).toEqual(decision(expected));
  });
});

describe('resuming', () => {
  const resume = (s: Schedule, nextRunAt: string | null, now: string) =>
    decideResume({ schedule: s, nextRunAt: nextRunAt ? at(nextRunAt) : null, now: at(now) });

  test.each([
    ['nothing fell due', schedule('daily'), '2027-03-05', '2027-03-04T10:00', { nextRunAt: at('2027-03-05') }],
    [
      'over three occurrences: no burst, all on record',
      schedule('daily'),
      '2027-03-05',
      '2027-03-07T09:00',
      { missed: missed('paused', '2027-03-05', '2027-03-06', '2027-03-07'), nextRunAt: at('2027-03-08') },
    ],
    ['nothing was left', schedule('daily', '2027-03-01', '2027-03-05'), null, '2027-03-04T10:00', {}],
    [
      'after the end',
      schedule('daily', '2027-03-01', '2027-03-06'),
      '2027-03-05',
      '2027-03-09',
      { missed: missed('paused', '2027-03-05'), done: true },
    ],
    ['once keeps its occurrence', schedule('once'), '2027-03-01', '2027-03-09', { nextRunAt: at('2027-03-01') }],
    [
      'once after the end',
      schedule('once', '2027-03-01', '2027-03-06'),
      '2027-03-01',
      '2027-03-09',
      { missed: missed('paused', '2027-03-01'), done: true },
    ],
  ])('%s', (_, s, nextRunAt, now, expected) => {
    expect(resume(s, nextRunAt, now)).toEqual(decision(expected));
  });
});

describe('a send on demand', () => {
  const send = (s: Schedule, now: string, given: Partial<DemandFacts> = {}) =>
    decideDemandSend({
      schedule: s,
      nextRunAt: null,
      now: at(now),
      firstStart: false,
      lastOccurrenceAt: null,
      ...given,
    });
  const first = { firstStart: true };
  const daily = schedule('daily');

  test.each([
    [
      'created, before startAt: an extra run',
      daily,
      '2027-02-28',
      first,
      { run: extraRun, nextRunAt: at('2027-03-01') },
    ],
    ['created, after it', daily, '2027-03-05T10:00', first, { run: run('2027-03-05'), nextRunAt: at('2027-03-06') }],
    ['created once, before startAt', schedule('once'), '2027-02-28', first, { run: run('2027-03-01') }],
    ['created once, after it', schedule('once'), '2027-03-28', first, { run: run('2027-03-01') }],
    ['created, ended', schedule('daily', '2027-03-01', '2027-03-05'), '2027-03-05', first, { done: true }],
    [
      'started once, still waiting for startAt',
      schedule('once'),
      '2027-02-28',
      { nextRunAt: at('2027-03-01') },
      { run: run('2027-03-01') },
    ],
    [
      'once that had its run names it again',
      schedule('once', '2027-04-01'),
      '2027-05-01',
      { lastOccurrenceAt: at('2027-03-01') },
      { run: run('2027-03-01') },
    ],
    [
      'the current occurrence is due and has no run',
      daily,
      '2027-03-06T22:00',
      { nextRunAt: at('2027-03-05') },
      { run: run('2027-03-06'), missed: missed('down', '2027-03-05'), nextRunAt: at('2027-03-07') },
    ],
    [
      'the current occurrence had its run',
      daily,
      '2027-03-05T10:00',
      { nextRunAt: at('2027-03-06'), lastOccurrenceAt: at('2027-03-05') },
      { run: extraRun, nextRunAt: at('2027-03-06') },
    ],
    [
      'no occurrence is left, but time is',
      schedule('daily', '2027-03-01', '2027-03-05'),
      '2027-03-04T10:00',
      { lastOccurrenceAt: at('2027-03-04') },
      { run: extraRun },
    ],
    [
      'ended',
      schedule('daily', '2027-03-01', '2027-03-05'),
      '2027-03-05',
      { nextRunAt: at('2027-03-04') },
      { missed: missed('down', '2027-03-04'), done: true },
    ],
  ])('%s', (_, s, now, given, expected) => {
    expect(send(s, now, given)).toEqual(decision(expected));
  });

  test('created once, sent on demand at startAt, then several ticks: one run', () => {
    const once = schedule('once');
    const { run: only, nextRunAt } = send(once, '2027-03-01', first);
    expect(only).toEqual(run('2027-03-01'));
    for (const now of ['2027-03-01', '2027-03-01T09:00:15', '2027-03-02']) {
      const open = { scheduledRunOpen: false, demandRunOpen: true, waitedUntil: null };
      expect(decideTick({ schedule: once, nextRunAt, now: at(now), ...open })).toEqual(decision({}));
    }
  });
});

describe('an edit', () => {
  const edit = (previous: Schedule, next: Schedule, now: string, given: Partial<EditFacts> = {}) =>
    decideEdit({
      previous,
      schedule: next,
      nextRunAt: null,
      now: at(now),
      paused: false,
      lastRunAt: null,
      lastOccurrenceAt: null,
      ...given,
    });
  const daily = schedule('daily');
  const ran = { nextRunAt: at('2027-03-06'), lastRunAt: at('2027-03-05'), lastOccurrenceAt: at('2027-03-05') };
  const onceRan = { lastRunAt: at('2027-03-01'), lastOccurrenceAt: at('2027-03-01') };

  test.each([
    [
      'only half a period later: the day after',
      schedule('daily', '2027-03-01T20:00'),
      '2027-03-05T10:00',
      ran,
      at('2027-03-06T20:00'),
    ],
    [
      'at half a period: the same day',
      schedule('daily', '2027-03-01T21:00'),
      '2027-03-05T10:00',
      ran,
      at('2027-03-05T21:00'),
    ],
    ['weekly, four days after the run', schedule('weekly', '2027-03-02'), '2027-03-05T10:00', ran, at('2027-03-09')],
    [
      'weekly, three days after the run: a week later',
      schedule('weekly', '2027-03-01'),
      '2027-03-05T10:00',
      ran,
      at('2027-03-15'),
    ],
    [
      'long after the run: never before now',
      schedule('daily', '2027-03-01T08:00'),
      '2027-04-05T10:00',
      { ...ran, nextRunAt: null },
      at('2027-04-06T08:00'),
    ],
    ['startAt moved far ahead', schedule('daily', '2028-01-01'), '2027-03-05T10:00', ran, at('2028-01-01')],
  ])('after a run: %s', (_, next, now, given, expected) => {
    expect(edit(daily, next, now, given)).toEqual(decision({ nextRunAt: expected }));
  });

  test.each([
    ['startAt ahead', schedule('daily', '2027-03-10'), '2027-03-05T10:00', at('2027-03-10')],
    ['startAt just passed', schedule('daily', '2027-03-05'), '2027-03-05T10:00', at('2027-03-05')],
    ['within the grace', schedule('daily', '2027-02-05'), '2027-03-05T21:00', at('2027-03-05')],
    ['too late for the latest', schedule('daily', '2027-02-05'), '2027-03-05T21:01', at('2027-03-06')],
    ['once in the past', schedule('once', '2027-02-05'), '2027-03-05T21:01', at('2027-02-05')],
  ])('before any run: %s', (_, next, now, expected) => {
    const previous = schedule('weekly', '2027-06-01');
    expect(edit(previous, next, now, { nextRunAt: at('2027-06-01') })).toEqual(decision({ nextRunAt: expected }));
  });

  test.each([
    ['once that ran has no other run', schedule('once'), schedule('once', '2027-05-01'), onceRan, null],
    [
      'once that waits is moved',
      schedule('once'),
      schedule('once', '2027-05-01'),
      { nextRunAt: at('2027-03-01') },
      at('2027-05-01'),
    ],
    ['daily gets a last run', daily, schedule('once', '2027-05-01'), ran, at('2027-05-01')],
    ['daily ends with the run it had', daily, schedule('once', '2027-03-05'), ran, null],
    ['once goes on daily', schedule('once'), daily, onceRan, at('2027-03-06')],
  ])('%s', (_, previous, next, given, expected) => {
    expect(edit(previous, next, '2027-03-05T10:00', given)).toEqual(decision({ nextRunAt: expected }));
  });

  test.each([
    ['later', '2027-03-20', ran, at('2027-03-06')],
    ['before the next occurrence', '2027-03-06', ran, null],
    ['later, after the last occurrence', '2027-03-20', { ...ran, nextRunAt: null }, at('2027-03-06')],
    ['later, while one is due', '2027-03-20', { ...ran, nextRunAt: at('2027-03-04') }, at('2027-03-04')],
  ])('of endAt alone: %s', (_, endAt, given, expected) => {
    const [previous, next] = [schedule('daily', '2027-03-01', '2027-03-10'), schedule('daily', '2027-03-01', endAt)];
    expect(edit(previous, next, '2027-03-05T10:00', given)).toEqual(decision({ nextRunAt: expected }));
  });

  test('of endAt alone at the very moment of the last run does not repeat it', () => {
    const [previous, next] = [schedule('daily', '2027-03-01', '2027-03-06'), schedule('daily', '2027-03-01')];
    expect(edit(previous, next, '2027-03-05', { ...ran, nextRunAt: null })).toEqual(
      decision({ nextRunAt: at('2027-03-06') }),
    );
  });

  test('of endAt alone never brings back the only occurrence of once', () => {
    const next = schedule('once', '2027-03-01', '2027-09-01');
    expect(edit(schedule('once'), next, '2027-03-05T10:00', onceRan)).toEqual(decision({}));
  });

  test.each([
    [true, 'paused'],
    [false, 'overlap'],
  ] as const)('what the old grid left undecided is on record (paused: %p)', (paused, reason) => {
    const given = { ...ran, nextRunAt: at('2027-03-06'), paused };
    expect(edit(daily, schedule('daily', '2027-03-01T12:00'), '2027-03-07T10:00', given)).toEqual(
      decision({ missed: missed(reason, '2027-03-06', '2027-03-07'), nextRunAt: at('2027-03-07T12:00') }),
    );
  });

  test('an end that has passed finishes the mailing', () => {
    const next = schedule('daily', '2027-03-01', '2027-03-06T12:00');
    expect(edit(daily, next, '2027-03-06T12:00', ran)).toEqual(
      decision({ missed: missed('overlap', '2027-03-06'), done: true }),
    );
  });
});

describe('joining late', () => {
  test.each([
    ['selected', false, schedule('daily'), at('2027-03-02')],
    ['all', true, schedule('daily'), at('2027-03-01T21:00')],
    ['selected', false, schedule('monthly'), at('2027-04-01')],
    ['all', true, schedule('monthly'), at('2027-03-02')],
    ['selected', false, schedule('weekly', '2027-03-01', '2027-03-04'), at('2027-03-04')],
    ['all', true, schedule('weekly', '2027-03-01', '2027-03-01T12:00'), at('2027-03-01T12:00')],
    ['selected', false, schedule('once'), null],
    ['all', true, schedule('once'), null],
    ['all', true, schedule('once', '2027-03-01', '2027-03-04'), at('2027-03-04')],
  ] as const)('%s (grows: %p), %p: until %p', (_audience, grows, s, expected) => {
    expect(lateJoinUntil(s, s.startAt, { grows })).toEqual(expected);
  });

  test('never into the time of the next occurrence', () => {
    const s = schedule('daily');
    for (const grows of [true, false]) {
      const until = lateJoinUntil(s, s.startAt, { grows })?.getTime();
      expect(until).toBeLessThanOrEqual(nextOccurrence(s, s.startAt)?.at.getTime() ?? 0);
    }
    expect(graceMs('daily')).toBe(12 * 3_600_000);
  });
});
