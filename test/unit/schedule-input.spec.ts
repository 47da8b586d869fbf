import fc from 'fast-check';
import { checkSchedule, parseInstant, parseLocal, type ScheduleInput } from '../../src/domain/schedule-input';
import { problem } from '../../src/domain/problems';

const input = (given: Partial<ScheduleInput> = {}): ScheduleInput => ({
  startAt: '2027-03-28T09:00:00+03:00',
  period: 'daily',
  timeZone: 'Europe/Athens',
  ...given,
});
const fieldsAtFault = (given: Partial<ScheduleInput>) => {
  const checked = checkSchedule(input(given));
  return checked.ok ? [] : checked.errors.map(({ field }) => field);
};

describe('an instant', () => {
  test.each([
    ['2027-03-28T09:00:00Z', '2027-03-28T09:00:00.000Z'],
    ['2027-03-28T09:00Z', '2027-03-28T09:00:00.000Z'],
    ['2027-03-28T09:00:00+03:00', '2027-03-28T06:00:00.000Z'],
    ['2027-03-28T09:00-05:30', '2027-03-28T14:30:00.000Z'],
    ['2027-03-28T09:00:00.1Z', '2027-03-28T09:00:00.100Z'],
    ['2027-03-28T09:00:00.123+14:00', '2027-03-27T19:00:00.123Z'],
    ['2028-02-29T23:59:59.999Z', '2028-02-29T23:59:59.999Z'],
    ['2027-03-28t09:00:00z', '2027-03-28T09:00:00.000Z'],
    ['2027-03-28T09:00:00.123456Z', '2027-03-28T09:00:00.123Z'],
    [`2027-03-28T09:00:00.9${'0'.repeat(50)}Z`, '2027-03-28T09:00:00.900Z'],
  ])('%s', (text, expected) => {
    expect(parseInstant(text)).toEqual(new Date(expected));
  });

  test.each([
    '',
    '2027-03-28',
    '2027-03-28T09:00:00',
    '2027-03-28 09:00:00Z',
    '2027-03-28T09Z',
    '2027-03-28T09:00:00+0300',
    '2027-03-28T09:00:00+03',
    '2027-03-28T09:00:00.Z',
    '2027-03-28T09:00:00,5Z',
    '2027-03-28T09:00:00Z\n',
    ' 2027-03-28T09:00:00Z',
    '2027-03-28T09:00:00+03:00[Europe/Athens]',
    '20270328T090000Z',
    '+002027-03-28T09:00:00Z',
    '28.03.2027 09:00',
    '1806000000000',
    'tomorrow',
  ])('%j is refused with what is allowed', (text) => {
    expect(parseInstant(text)).toEqual(problem('date_time', { fault: 'form' }));
  });

  test.each(['9999-12-31T23:59:59-00:01', '0000-01-01T00:00:00+00:01', '2027-02-29T00:00:00Z'])(
    '%j is not in the calendar',
    (text) => {
      expect(parseInstant(text)).toEqual(problem('date_time', { fault: 'calendar' }));
    },
  );

  test.each(['2027-03-28T09:00:60Z', '2016-12-31T23:59:60Z', '2027-01-01T02:59:60+03:00'])(
    '%j is a leap second',
    (text) => {
      expect(parseInstant(text)).toEqual(problem('date_time', { fault: 'leap_second' }));
    },
  );

  test.each([
    '2027-02-29T09:00Z',
    '2027-13-01T09:00Z',
    '2027-04-31T09:00Z',
    '2027-00-10T09:00Z',
    '2027-03-28T24:00Z',
    '2027-03-28T09:60Z',
    '2027-03-28T09:00+24:00',
  ])('%s does not exist', (text) => {
    expect(parseInstant(text)).toEqual(problem('date_time', { fault: 'calendar' }));
  });

  test('every date survives its own text', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(fc.property(date, (at) => expect(parseInstant(at.toISOString())).toEqual(at)));
  });
});

describe('a time on a zone’s clock', () => {
  test.each([
    ['2027-03-28T09:00', '2027-03-28T06:00Z'],
    ['2027-03-28T03:30', '2027-03-28T01:30Z'],
    ['2027-10-31T03:30', '2027-10-31T00:30Z'],
    ['2027-03-28T09:00:30', '2027-03-28T06:00:30Z'],
  ])('%s in Athens is %s', (text, expected) => {
    expect(parseLocal(text, 'Europe/Athens')).toEqual(new Date(expected));
  });

  test.each(['', '2027-03-28', '2027-02-30T09:00', '2027-03-28T09:00Z', '2027-03-28T25:00', '0000-01-01T00:00'])(
    '%j is refused',
    (text) => {
      expect(parseLocal(text, 'Europe/Athens')).toEqual(problem('date_time', { fault: 'local' }));
    },
  );

  test('a zone moves none out of the years that there are', () => {
    expect(parseLocal('9999-12-31T23:59', 'Pacific/Honolulu')).toEqual(problem('date_time', { fault: 'local' }));
    expect(parseLocal('9999-12-31T23:59', 'Europe/Athens')).toEqual(new Date('9999-12-31T21:59Z'));
  });
});

describe('a schedule', () => {
  test('is given with its zone spelled right', () => {
    expect(checkSchedule(input({ endAt: new Date('2027-06-01T00:00Z'), timeZone: 'europe/athens' }))).toEqual({
      ok: true,
      schedule: {
        startAt: new Date('2027-03-28T06:00Z'),
        endAt: new Date('2027-06-01T00:00Z'),
        period: 'daily',
        timeZone: 'Europe/Athens',
      },
      warnings: [],
    });
    expect(checkSchedule(input({ endAt: null }))).toMatchObject({ ok: true, schedule: { endAt: null } });
  });

  test.each([
    [{ timeZone: 'Europe/Atlantis' }, ['timeZone']],
    [{ timeZone: '+03:00' }, ['timeZone']],
    [{ period: 'hourly' }, ['period']],
    [{ period: 'toString' }, ['period']],
    [{ startAt: '2027-03-28' }, ['startAt']],
    [{ endAt: '' }, ['endAt']],
    [{ endAt: '2027-03-28T06:00Z' }, ['endAt']],
    [{ endAt: '2027-03-28T05:59Z' }, ['endAt']],
    [{ endAt: '2027-03-28T06:00:00.001Z' }, []],
    [{ startAt: 'x', endAt: 'y', period: 'z', timeZone: '' }, ['startAt', 'endAt', 'period', 'timeZone']],
  ])('%j: fault in %j', (given, fields) => {
    expect(fieldsAtFault(given)).toEqual(fields);
  });

  test.each([
    ['weekly', '2027-04-04T06:00Z', 1],
    ['weekly', '2027-04-04T06:00:00.001Z', 0],
    ['daily', '2027-03-28T12:00Z', 1],
    ['once', '2027-03-28T12:00Z', 0],
    ['monthly', null, 0],
  ])('%s until %s: %i warnings', (period, endAt, count) => {
    const checked = checkSchedule(input({ period, endAt }));
    expect(checked.ok && checked.warnings.map(({ field }) => field)).toEqual(Array(count).fill('period'));
  });
});
