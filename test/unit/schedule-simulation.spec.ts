import fc from 'fast-check';
import { PERIODS, type Schedule } from '../../src/domain/recurrence';
import {
  graceMs,
  decideDemandSend,
  decideEdit,
  decideFirstStart,
  decideResume,
  decideTick,
  type Decision,
} from '../../src/domain/schedule-decision';
import { occurrencesBetween } from '../support/occurrences';
import { cases } from '../support/cases';

/** A mailing's row as a service would keep it, with a ledger that refuses what must never happen. */
class Mailing {
  status: 'created' | 'started' | 'paused' | 'done' = 'created';
  nextRunAt: Date | null = null;
  waitedUntil: Date | null = null;
  lastRunAt: Date | null = null;
  lastOccurrenceAt: Date | null = null;
  scheduledRunOpen = false;
  demandRunOpen = false;
  readonly ran = new Set<number>();
  readonly missed = new Set<number>();

  constructor(public schedule: Schedule) {}

  start(now: Date): void {
    if (this.status !== 'created') return;
    this.status = 'started';
    this.write(decideFirstStart({ schedule: this.schedule, now }), now, 'scheduled');
  }

  tick(now: Date): void {
    if (this.status !== 'started') return;
    const decided = decideTick({ ...this, now });
    if (decided.run?.occurrenceAt) {
      const lateSince = Math.max(decided.run.occurrenceAt.getTime(), this.waitedUntil?.getTime() ?? -Infinity);
      expect(now.getTime() - lateSince).toBeLessThanOrEqual(graceMs(this.schedule.period));
      expect(decided.run.occurrenceAt.getTime()).toBeLessThanOrEqual(now.getTime());
    }
    if (this.scheduledRunOpen || this.demandRunOpen) expect(decided.run).toBeNull();
    if (this.scheduledRunOpen) expect(decided.wait).toBe(false);
    if (!decided.done && decided.nextRunAt && !decided.wait) expect(decided.nextRunAt > now).toBe(true);
    this.write(decided, now, 'scheduled');
  }

  send(now: Date): void {
    if ((this.status !== 'created' && this.status !== 'started') || this.scheduledRunOpen || this.demandRunOpen) return;
    const decided = decideDemandSend({ ...this, now, firstStart: this.status === 'created' });
    expect(decided.run === null).toBe(decided.done);
    this.status = 'started';
    const again = decided.run?.occurrenceAt && this.ran.has(decided.run.occurrenceAt.getTime());
    if (again) expect(this.schedule.period).toBe('once');
    this.write(again ? { ...decided, run: null } : decided, now, 'demand');
  }

  pause(): void {
    if (this.status === 'started') this.status = 'paused';
  }

  resume(now: Date): void {
    if (this.status !== 'paused') return;
    this.status = 'started';
    const decided = decideResume({ ...this, now });
    expect(decided.run).toBeNull();
    this.write(decided, now, 'scheduled');
  }

  moveEnd(now: Date, endAt: Date | null): void {
    if (this.status !== 'started' && this.status !== 'paused') return;
    const [previous, schedule] = [this.schedule, { ...this.schedule, endAt }];
    this.schedule = schedule;
    this.write(decideEdit({ ...this, previous, schedule, now, paused: this.status === 'paused' }), now, 'scheduled');
  }

  private write(decided: Decision, now: Date, trigger: 'scheduled' | 'demand'): void {
    for (const { occurrenceAt } of decided.missed) {
      expect(occurrenceAt.getTime()).toBeLessThanOrEqual(now.getTime());
      expect(this.isDecided(occurrenceAt)).toBe(false);
      this.missed.add(occurrenceAt.getTime());
    }
    if (decided.run) {
      const { startAt, endAt } = this.schedule;
      expect(!endAt || now < endAt).toBe(true);
      const occurrence = decided.run.occurrenceAt;
      if (occurrence) {
        expect(this.isDecided(occurrence)).toBe(false);
        expect(occurrence >= startAt && (!endAt || occurrence < endAt)).toBe(true);
        this.ran.add(occurrence.getTime());
        this.lastOccurrenceAt = occurrence;
      }
      this.lastRunAt = now;
      if (trigger === 'demand') this.demandRunOpen = true;
      else this.scheduledRunOpen = true;
    }
    if (decided.nextRunAt) expect(this.isDecided(decided.nextRunAt)).toBe(false);
    this.nextRunAt = decided.nextRunAt;
    this.waitedUntil = decided.wait ? now : null;
    if (decided.done) this.status = 'done';
  }

  private isDecided(at: Date): boolean {
    return this.ran.has(at.getTime()) || this.missed.has(at.getTime());
  }
}

const HOUR_MS = 3_600_000;
const instant = fc.date({ min: new Date('2027-01-01'), max: new Date('2028-01-01'), noInvalidDate: true });
const anySchedule = fc.record({
  startAt: instant,
  endAt: fc.constant(null),
  period: fc.constantFrom(...PERIODS),
  timeZone: fc.constantFrom('UTC', 'Europe/Athens', 'America/New_York', 'Australia/Lord_Howe'),
});
/** Usually a tick every few hours; now and then days of nothing. */
const step = fc.record({
  afterMs: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 8 * HOUR_MS }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 * 24 * HOUR_MS }) },
  ),
  does: fc.constantFrom('tick', 'tick', 'tick', 'tick', 'drain', 'drain', 'send', 'pause', 'resume', 'start'),
});
const steps = fc.array(step, { minLength: 5, maxLength: 80 });

function simulate(mailing: Mailing, from: Date, plot: { afterMs: number; does: string }[]): Date {
  let now = from;
  for (const { afterMs, does } of plot) {
    now = new Date(now.getTime() + afterMs);
    if (does === 'tick') mailing.tick(now);
    if (does === 'send') mailing.send(now);
    if (does === 'start') mailing.start(now);
    if (does === 'pause') mailing.pause();
    if (does === 'resume') mailing.resume(now);
    if (does === 'drain') mailing.scheduledRunOpen = mailing.demandRunOpen = false;
  }
  return now;
}

describe('whatever happens to a mailing', () => {
  test('each occurrence since its start is decided once: it ran or is on record as missed', () => {
    fc.assert(
      fc.property(
        anySchedule,
        fc.option(fc.integer({ min: 1, max: 90 * 24 * HOUR_MS })),
        fc.integer({ min: -30 * 24 * HOUR_MS, max: 30 * 24 * HOUR_MS }),
        steps,
        (given, windowMs, startsMs, plot) => {
          const endAt = windowMs ? new Date(given.startAt.getTime() + windowMs) : null;
          const mailing = new Mailing({ ...given, endAt });
          const from = new Date(given.startAt.getTime() + startsMs);
          mailing.start(from);
          const now = simulate(mailing, from, plot);
          mailing.resume(now);
          mailing.scheduledRunOpen = mailing.demandRunOpen = false;
          mailing.tick(now);

          const decided = [...mailing.ran, ...mailing.missed].sort((a, b) => a - b);
          const ended = endAt !== null && endAt <= now;
          expect(mailing.status).toBe(ended ? 'done' : 'started');
          const beganInTime = endAt === null || from < endAt;
          if (given.period === 'once') {
            expect(decided.length).toBeLessThanOrEqual(1);
            if (beganInTime && now >= given.startAt) expect(decided).toHaveLength(1);
            return;
          }
          const first = decided[0];
          const until = new Date(now.getTime() + 1);
          const expected =
            first === undefined ? [] : occurrencesBetween(mailing.schedule, new Date(first), until, 5000);
          expect(decided).toEqual(expected.map(({ at }) => at.getTime()));
          if (from >= given.startAt && beganInTime) expect(first).toBeLessThanOrEqual(from.getTime());
          if (from < given.startAt && given.startAt <= now) expect(first).toBe(given.startAt.getTime());
        },
      ),
      { numRuns: cases(1000, 66) },
    );
  });

  test('nothing runs twice, outside the window or too late, from a mailing that is sent before it is started', () => {
    fc.assert(
      fc.property(
        anySchedule,
        fc.integer({ min: -30 * 24 * HOUR_MS, max: 30 * 24 * HOUR_MS }),
        steps,
        (given, ms, plot) => {
          simulate(new Mailing(given), new Date(given.startAt.getTime() + ms), plot);
        },
      ),
      { numRuns: cases(500, 33) },
    );
  });

  test('an end that is moved about brings nothing back', () => {
    const edits = fc.array(fc.tuple(steps, fc.option(fc.integer({ min: 1, max: 120 * 24 * HOUR_MS }))), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(anySchedule, edits, (given, acts) => {
        const mailing = new Mailing(given);
        mailing.start(given.startAt);
        let now = given.startAt;
        for (const [plot, windowMs] of acts) {
          now = simulate(mailing, now, plot);
          mailing.moveEnd(now, windowMs ? new Date(given.startAt.getTime() + windowMs) : null);
        }
      }),
      { numRuns: cases(300, 20) },
    );
  });

  test('a new grid is not due within half a period after the last run', () => {
    fc.assert(
      fc.property(anySchedule, anySchedule, fc.nat(60 * 24 * HOUR_MS), (before, after, ms) => {
        fc.pre(before.startAt.getTime() !== after.startAt.getTime());
        const mailing = new Mailing(before);
        mailing.start(before.startAt);
        const now = new Date(before.startAt.getTime() + ms);
        for (let t = before.startAt.getTime(); t <= now.getTime(); t += 6 * HOUR_MS) {
          mailing.scheduledRunOpen = false;
          mailing.tick(new Date(t));
        }
        const { lastRunAt } = mailing;
        const decided = decideEdit({ ...mailing, previous: before, schedule: after, now, paused: false });
        expect(decided.run).toBeNull();
        if (!decided.nextRunAt || !lastRunAt || after.period === 'once') return;
        const half = { daily: 12, weekly: 84, monthly: 360 }[after.period] * HOUR_MS;
        expect(decided.nextRunAt.getTime() - lastRunAt.getTime()).toBeGreaterThanOrEqual(half);
      }),
      { numRuns: cases(300, 20) },
    );
  });
});
