import fc from 'fast-check';
import { mailingStages, nextStep, stageOf, type StageRun } from '../../src/domain/mailing-stage';
import { isLive } from '../../src/domain/outcome';
import { PERIODS } from '../../src/domain/recurrence';
import { mailingStatuses, mailingVerbs, runStatuses } from '../../src/domain/states';

const NOW = new Date('2026-11-29T12:00:00Z');
const LATER = new Date('2026-11-30T09:00:00Z');
const EARLIER = new Date('2026-11-28T09:00:00Z');

const run = (status: StageRun['status'], more: Partial<StageRun> = {}): StageRun => ({
  status,
  paused: false,
  cutOff: status === 'cancelled',
  ...more,
});

describe('the stage of a mailing', () => {
  it.each([
    ['draft', 'created', null, null],
    ['scheduled', 'started', LATER, null],
    ['scheduled', 'started', LATER, run('done')],
    ['scheduled', 'started', LATER, run('cancelled')],
    ['sending', 'started', null, run('planning')],
    ['sending', 'started', LATER, run('sending')],
    ['onHold', 'paused', LATER, null],
    ['onHold', 'paused', null, run('sending', { paused: true })],
    ['sent', 'started', null, run('done')],
    ['sent', 'done', null, run('done')],
    ['stopped', 'done', null, run('cancelled')],
    ['stopped', 'done', null, run('done', { cutOff: true })],
    ['stopped', 'done', null, null],
    ['sending', 'done', null, run('sending')],
    ['onHold', 'done', null, run('sending', { paused: true })],
  ] as const)('is %s of one that is %s, goes out next at %s, with the run %j', (stage, status, nextRunAt, last) => {
    expect(stageOf({ status, nextRunAt, run: last })).toBe(stage);
  });
});

const facts = fc.record({
  status: fc.constantFrom(...mailingStatuses),
  nextRunAt: fc.constantFrom(null, LATER),
  run: fc.option(fc.record({ status: fc.constantFrom(...runStatuses), paused: fc.boolean(), cutOff: fc.boolean() }), {
    nil: null,
  }),
});
const schedule = fc.record({
  startAt: fc.constantFrom(EARLIER, LATER),
  endAt: fc.constantFrom(null, new Date(EARLIER.getTime() + 3_600_000), new Date(LATER.getTime() + 3_600_000)),
  period: fc.constantFrom(...PERIODS),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
});
const refused = fc.record({ schedule: fc.boolean(), send: fc.boolean(), resume: fc.boolean() });

/** What each step does to a mailing, and so in which states it is allowed. */
const ALLOWED = { schedule: mailingVerbs.started, send: mailingVerbs.sent, resume: mailingVerbs.resumed } as const;

test('every combination of facts has one stage, and what was cut off or is under way never counts as sent', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const stage = stageOf(given);
      expect(mailingStages).toContain(stage);
      if (stage === 'sent') expect(given.run && !given.run.cutOff && !isLive(given.run.status)).toBe(true);
      if (stage === 'sending') expect(given.run && isLive(given.run.status) && !given.run.paused).toBe(true);
      expect(stage === 'draft').toBe(given.status === 'created');
    }),
  );
});

test('the next step is never one that would be refused', () => {
  fc.assert(
    fc.property(facts, schedule, refused, fc.constantFrom(null, 0, 3), (given, when, no, resendable) => {
      const step = nextStep({
        stage: stageOf(given),
        status: given.status,
        schedule: when,
        now: NOW,
        refused: no,
        resendable,
      });
      if (!step) return;
      if (step.verb === 'resend') return expect(resendable).not.toBe(0);
      expect(no[step.verb]).toBe(false);
      // A mailing that is done resumes only its run.
      if (given.status !== 'done') expect(ALLOWED[step.verb]).toContain(given.status);
      if (step.verb === 'schedule') {
        expect(step.firstAt.getTime()).toBeGreaterThan(NOW.getTime());
        expect(step.firstAt.getTime()).toBeLessThan(when.endAt?.getTime() ?? Infinity);
      }
      if (step.verb === 'send') expect(when.startAt <= NOW && (when.endAt === null || when.endAt > NOW)).toBe(true);
    }),
  );
});

test.each([
  ['once', LATER, null, { verb: 'schedule', firstAt: LATER }],
  ['weekly', LATER, null, { verb: 'schedule', firstAt: LATER }],
  ['once', EARLIER, null, { verb: 'send' }],
  ['weekly', EARLIER, null, { verb: 'send' }],
  ['once', EARLIER, EARLIER, null],
] as const)('a draft that is sent %s from %s until %s', (period, startAt, endAt, step) => {
  const given = {
    stage: 'draft',
    status: 'created',
    schedule: { startAt, endAt, period, timeZone: 'UTC' },
    now: NOW,
  } as const;
  expect(nextStep({ ...given, refused: { schedule: false, send: false, resume: false }, resendable: 0 })).toEqual(step);
  expect(nextStep({ ...given, refused: { schedule: true, send: true, resume: true }, resendable: 0 })).toBeNull();
});
