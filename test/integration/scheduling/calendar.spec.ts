import { loadConfig } from '../../../src/config/config';
import { RedisConnection } from '../../../src/queue/redis.module';
import { StatisticsService } from '../../../src/features/statistics/statistics.service';
import { Calendar } from '../../support/calendar';

const DAY = 86_400_000;
const HOUR = 3_600_000;

let calendar: Calendar;
beforeEach(async () => {
  calendar = await Calendar.open('2027-02-20T12:00:00Z');
});
afterEach(() => calendar.close());

/** Ticks at each of these times and delivers what it starts. */
async function live(times: string[]): Promise<void> {
  for (const at of times) {
    await calendar.set(at);
    await calendar.tickAndDeliver();
  }
}

describe('zones and months', () => {
  const cases: [string, string, string, string, string, string[]][] = [
    [
      'gap of spring',
      'Europe/Athens',
      'daily',
      '2027-03-27T03:30+02:00',
      '2027-03-30T00:00:00Z',
      ['2027-03-27T01:30', '2027-03-28T01:30', '2027-03-29T00:30'],
    ],
    [
      'overlap of autumn',
      'Europe/Athens',
      'daily',
      '2027-10-30T03:30+03:00',
      '2027-11-02T00:00:00Z',
      ['2027-10-30T00:30', '2027-10-31T00:30', '2027-11-01T01:30'],
    ],
    [
      'nine in the morning',
      'Europe/Athens',
      'daily',
      '2027-03-27T09:00+02:00',
      '2027-03-29T00:00:00Z',
      ['2027-03-27T07:00', '2027-03-28T06:00'],
    ],
    [
      'month ends',
      'Europe/Athens',
      'monthly',
      '2027-01-31T09:00+02:00',
      '2027-05-01T00:00:00Z',
      ['2027-01-31T07:00', '2027-02-28T07:00', '2027-03-31T06:00', '2027-04-30T06:00'],
    ],
    [
      'weeks',
      'Europe/Athens',
      'weekly',
      '2027-10-25T09:00+03:00',
      '2027-11-02T00:00:00Z',
      ['2027-10-25T06:00', '2027-11-01T07:00'],
    ],
    [
      'a zone without summer time',
      'Europe/Moscow',
      'daily',
      '2027-03-26T09:00+03:00',
      '2027-03-30T00:00:00Z',
      ['2027-03-26T06:00', '2027-03-27T06:00', '2027-03-28T06:00', '2027-03-29T06:00'],
    ],
  ];

  it.each(cases)(
    '%s: each occurrence runs at its time, once, and not a second before',
    async (_, timeZone, period, startAt, until, expected) => {
      const [client] = await calendar.clients(1);
      const { id } = await calendar.mailing({ startAt, period, timeZone, clientIds: [client!] });
      await calendar.set(new Date(Date.parse(startAt) - DAY));
      await calendar.start(id);
      for (const at of expected) {
        const due = Date.parse(`${at}:00Z`);
        await calendar.set(new Date(due - 1000));
        await calendar.tickAndDeliver();
        expect((await calendar.runs(id)).map((run) => run.occurrenceAt)).not.toContain(new Date(due).toISOString());
        await calendar.set(new Date(due));
        await calendar.tickAndDeliver();
        await calendar.tickAndDeliver();
      }
      await calendar.set(until);
      await calendar.tickAndDeliver();
      expect((await calendar.story(id)).slice(0, expected.length)).toEqual(expected.map((at) => `${at} done`));
      expect(await calendar.letters(id)).toEqual({ [client!]: (await calendar.runs(id)).length });
      expect((await calendar.runs(id)).length).toBe(expected.length);
    },
  );
});

describe('beginning and end', () => {
  it('startAt in the past at the first start: one run now, later ones on the grid', async () => {
    await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-10T09:00:00Z' });
    await calendar.start(id);
    await calendar.deliver();
    await live(['2027-02-20T13:00:00Z', '2027-02-21T08:59:59Z', '2027-02-21T09:00:00Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-20T09:00 done', '2027-02-21T09:00 done']);
  });

  it('before startAt nothing goes out by schedule, also not to somebody who is added', async () => {
    await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-03-01T09:00:00Z' });
    await calendar.start(id);
    await calendar.client();
    await live(['2027-02-25T09:00:00Z', '2027-03-01T08:59:59Z']);
    expect(await calendar.story(id)).toEqual([]);
    expect((await calendar.read(id)).joinedFrom).toBeNull();
  });

  it('endAt equal to an occurrence: that one does not run, and the mailing is done', async () => {
    await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-23T09:00:00Z' });
    await calendar.start(id);
    await live(['2027-02-21T09:00:05Z', '2027-02-22T09:00:05Z', '2027-02-23T09:00:05Z', '2027-02-24T09:00:05Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
    expect(await calendar.read(id)).toMatchObject({ status: 'done', statusCode: 'ended', nextRunAt: null });
  });

  it('what is not claimed at endAt is skipped (ended); what was sent stays sent', async () => {
    await calendar.clients(5);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-21T10:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:00Z');
    await calendar.tick();
    await calendar.deliver(2);
    await calendar.set('2027-02-21T10:00:00Z');
    await calendar.deliver();
    await calendar.tick();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 cancelled ended']);
    const states = await calendar.sql.rows(
      `SELECT status, reason, count(*) AS n FROM deliveries GROUP BY 1, 2 ORDER BY 1`,
    );
    expect(states).toEqual([
      { status: 'sent', reason: null, n: 2 },
      { status: 'skipped', reason: 'ended', n: 3 },
    ]);
  });

  it('a run that was sent out completely is done, not cancelled, when the end comes first', async () => {
    await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-21T10:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:00Z');
    await calendar.tickAndDeliver();
    await calendar.sql.affected(`UPDATE runs SET status = 'sending', finished_at = NULL`);
    await calendar.set('2027-02-21T10:00:00Z');
    await calendar.tick();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
  });

  it('a paused mailing that reaches its end is done', async () => {
    await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-23T00:00:00Z' });
    await calendar.start(id);
    await calendar.pause(id);
    await live(['2027-02-21T09:00:05Z', '2027-02-24T00:00:00Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 missed paused', '2027-02-22T09:00 missed paused']);
    expect((await calendar.read(id)).status).toBe('done');
  });

  it('once is done when its run is', async () => {
    await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period: 'once' });
    await calendar.start(id);
    await calendar.set('2027-03-21T09:00:00Z');
    await calendar.tick();
    await calendar.deliver(1);
    expect((await calendar.read(id)).status).toBe('started');
    await calendar.deliver();
    expect((await calendar.read(id)).status).toBe('done');
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
  });
});

describe('late and missed', () => {
  it('down 5 days, back 3 h after the last occurrence: one run, 4 missed, the next on time', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await live(['2027-02-21T09:00:05Z', '2027-02-26T12:00:00Z', '2027-02-26T12:00:15Z', '2027-02-27T09:00:05Z']);
    expect(await calendar.story(id)).toEqual([
      '2027-02-21T09:00 done',
      '2027-02-22T09:00 missed down',
      '2027-02-23T09:00 missed down',
      '2027-02-24T09:00 missed down',
      '2027-02-25T09:00 missed down',
      '2027-02-26T09:00 done',
      '2027-02-27T09:00 done',
    ]);
    expect(await calendar.letters(id)).toEqual({ [client!]: 3 });
  });

  it.each([
    ['12 h late', 12 * HOUR, 'done'],
    ['a millisecond later', 12 * HOUR + 1, 'missed down'],
  ])('the grace of a daily mailing is 12 h: %s', async (_, late, expected) => {
    await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set(new Date(Date.parse('2027-02-21T09:00:00Z') + late));
    await calendar.tickAndDeliver();
    expect(await calendar.story(id)).toEqual([`2027-02-21T09:00 ${expected}`]);
  });

  it('an occurrence that falls due while a scheduled run has letters never tried is missed (overlap)', async () => {
    await calendar.clients(3);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tick();
    await calendar.deliver(2);
    await live(['2027-02-22T09:00:05Z', '2027-02-23T09:00:05Z']);
    expect(await calendar.story(id)).toEqual([
      '2027-02-21T09:00 done',
      '2027-02-22T09:00 missed overlap',
      '2027-02-23T09:00 done',
    ]);
  });

  it('deferred leftovers block nothing', async () => {
    await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tick();
    await calendar.plan();
    await calendar.sql.affected(
      `UPDATE deliveries SET status = 'deferred', attempts = 1, tries = 1, next_attempt_at = '2027-02-25'`,
    );
    await live(['2027-02-22T09:00:05Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 sending', '2027-02-22T09:00 done']);
  });

  it('behind a run on demand an occurrence waits, and runs when that is out of the way', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T08:59:00Z');
    await calendar.send(id);
    for (const at of ['2027-02-21T09:00:05Z', '2027-02-21T15:00:00Z', '2027-02-21T23:00:00Z']) {
      await calendar.set(at);
      await calendar.tick();
    }
    await calendar.deliver();
    await live(['2027-02-21T23:00:15Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', 'extra done']);
    expect(await calendar.letters(id)).toEqual({ [client!]: 2 });
  });

  it('an empty audience is a run of nobody', async () => {
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await live(['2027-02-21T09:00:05Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
  });
});

describe('pause and resume', () => {
  it('paused over 3 occurrences, resumed: no burst, the skipped ones recorded', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await live(['2027-02-21T09:00:05Z']);
    await calendar.pause(id);
    await live(['2027-02-22T09:00:05Z', '2027-02-23T09:00:05Z', '2027-02-24T09:00:05Z']);
    await calendar.set('2027-02-24T10:00:00Z');
    expect((await calendar.resume(id)).nextRunAt).toEqual(new Date('2027-02-25T09:00:00Z'));
    await live(['2027-02-24T10:00:15Z', '2027-02-25T09:00:05Z']);
    expect(await calendar.story(id)).toEqual([
      '2027-02-21T09:00 done',
      '2027-02-22T09:00 missed paused',
      '2027-02-23T09:00 missed paused',
      '2027-02-24T09:00 missed paused',
      '2027-02-25T09:00 done',
    ]);
    expect(await calendar.letters(id)).toEqual({ [client!]: 2 });
  });

  it('a once mailing that was paused over its time runs after it is resumed, once', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period: 'once' });
    await calendar.start(id);
    await calendar.pause(id);
    await live(['2027-02-21T09:00:05Z']);
    await calendar.set('2027-02-28T00:00:00Z');
    await calendar.resume(id);
    await live(['2027-02-28T00:00:15Z', '2027-02-28T00:00:30Z']);
    expect(await calendar.letters(id)).toEqual({ [client!]: 1 });
    expect((await calendar.read(id)).status).toBe('done');
  });

  it('paused in the middle of a run: the rest goes out after it is resumed, nobody twice', async () => {
    const clients = await calendar.clients(4);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tick();
    await calendar.deliver(2);
    await calendar.pause(id);
    await calendar.deliver();
    expect(Object.keys(await calendar.letters(id))).toHaveLength(2);
    await calendar.set('2027-02-21T11:00:00Z');
    await calendar.resume(id);
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual(Object.fromEntries(clients.map((client) => [client, 1])));
  });
});

describe('a mailing that is done, while it is sent again to those who failed', () => {
  it('is paused when its sender is refused, tells so, stays done, and goes on when it is resumed', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-20T09:00:00Z', period: 'once' });
    await calendar.start(id);
    await calendar.plan();
    await calendar.sql.affected(`UPDATE deliveries SET status = 'failed', attempts = 1, reason = 'content_refused'`);
    await calendar.deliver();
    const [first] = await calendar.runs(id);
    expect((await calendar.read(id)).status).toBe('done');
    const { runId } = await calendar.sending.resendFailed(calendar.viewer, first!.id);
    await calendar.plan();
    // What was seen of it before it was done is no reason.
    await calendar.lifecycle.park(id, 'sender_refused', '550 we do not know you', new Date('2027-02-20T09:00:00Z'));
    expect(await calendar.read(id)).toMatchObject({ status: 'done', statusCode: null });
    await calendar.lifecycle.park(id, 'sender_refused', '550 we do not know you');
    await calendar.deliver();
    expect(await calendar.letters(id)).toEqual({});
    expect(await calendar.read(id)).toMatchObject({ status: 'done', statusCode: 'sender_refused' });
    const home = new StatisticsService(calendar.sql, calendar.get(RedisConnection), loadConfig({}));
    expect((await home.present(calendar.viewer)).stopped).toMatchObject([{ id }]);
    await calendar.resume(id);
    await calendar.deliver();
    expect(await calendar.letters(id)).toEqual({ [client!]: 1 });
    expect(await calendar.read(id)).toMatchObject({ status: 'done', statusCode: null });
    expect((await calendar.runs(id)).find((run) => run.id === runId)).toMatchObject({ status: 'done' });
    // Nothing is under way: nothing changes.
    await calendar.lifecycle.park(id, 'sender_refused', '550 we do not know you');
    expect(await calendar.read(id)).toMatchObject({ status: 'done', statusCode: null });
  });
});

describe('editing a started mailing', () => {
  const started = async (input: Parameters<Calendar['mailing']>[0]) => {
    await calendar.clients(1);
    const { id } = await calendar.mailing(input);
    await calendar.start(id);
    return id;
  };

  it.each([
    ['another period', { period: 'weekly' }, '2027-02-28T09:00:00Z'],
    ['another zone that moves nothing today', { timeZone: 'Europe/Athens' }, '2027-02-22T09:00:00Z'],
    ['a start later today', { startAt: '2027-02-21T15:00:00Z' }, '2027-02-22T15:00:00Z'],
    ['a start in the future', { startAt: '2027-03-05T10:00:00Z' }, '2027-03-05T10:00:00Z'],
    ['a start in the past', { startAt: '2027-01-01T08:00:00Z' }, '2027-02-22T08:00:00Z'],
  ])('%s: the next occurrence lies at least half a period after the last run', async (_, change, next) => {
    const id = await started({ startAt: '2027-02-21T09:00:00Z' });
    await live(['2027-02-21T09:00:05Z']);
    await calendar.set('2027-02-21T10:00:00Z');
    expect((await calendar.update(id, change)).nextRunAt).toEqual(new Date(next));
    await live(['2027-02-21T10:00:15Z', '2027-02-21T15:00:15Z', new Date(Date.parse(next) - 1000).toISOString()]);
    expect((await calendar.story(id)).filter((line) => line.endsWith('done'))).toEqual(['2027-02-21T09:00 done']);
    await live([next, next]);
    expect((await calendar.story(id)).filter((line) => line.endsWith('done'))).toEqual([
      '2027-02-21T09:00 done',
      `${next.slice(0, 16)} done`,
    ]);
  });

  it('a new end binds at once: in the past it ends the mailing, later it lets it go on', async () => {
    const id = await started({ startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-22T00:00:00Z' });
    await live(['2027-02-21T09:00:05Z']);
    expect((await calendar.read(id)).nextRunAt).toBeNull();
    expect((await calendar.update(id, { endAt: null })).nextRunAt).toEqual(new Date('2027-02-22T09:00:00Z'));
    await live(['2027-02-22T09:00:05Z']);
    expect(await calendar.update(id, { endAt: '2027-02-22T09:00:01Z' })).toMatchObject({
      status: 'done',
      nextRunAt: null,
    });
    await live(['2027-02-23T09:00:05Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
  });

  it.each(['started', 'paused'])(
    'a %s mailing whose end has passed is done, whether or not a tick saw it: no edit',
    async (status) => {
      const id = await started({ startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-21T12:00:00Z' });
      if (status === 'paused') await calendar.pause(id);
      await calendar.set('2027-02-21T13:00:00Z');
      await expect(calendar.update(id, { endAt: '2027-03-01T00:00:00Z' })).rejects.toMatchObject({
        code: 'MAILING_ENDED',
      });
      await live(['2027-02-21T13:00:00Z', '2027-02-22T09:00:05Z']);
      expect(await calendar.read(id)).toMatchObject({ status: 'done', nextRunAt: null });
    },
  );

  it('an edit a moment after an occurrence does not lose it', async () => {
    const id = await started({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.set('2027-02-21T09:00:03Z');
    expect((await calendar.update(id, { startAt: '2027-02-21T10:00:00Z' })).nextRunAt).toEqual(
      new Date('2027-02-22T10:00:00Z'),
    );
    await live(['2027-02-21T09:00:15Z', '2027-02-21T10:00:15Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
  });

  it('turned into once after its run, it is done at once', async () => {
    const id = await started({ startAt: '2027-02-21T09:00:00Z' });
    await live(['2027-02-21T09:00:05Z']);
    await calendar.set('2027-02-21T10:00:00Z');
    expect((await calendar.update(id, { period: 'once' })).status).toBe('done');
  });

  describe('before its first run, when its first occurrence was missed already', () => {
    /** A daily mailing whose first day went by, paused or too late for a run. */
    async function begun({ paused }: { paused: boolean }) {
      const [client] = await calendar.clients(1);
      const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
      await calendar.start(id);
      if (paused) await calendar.pause(id);
      await calendar.set('2027-02-21T22:00:00Z');
      await calendar.tick();
      return { id, client: client! };
    }

    it('turned into once while it is paused, it goes out when it is resumed', async () => {
      const { id, client } = await begun({ paused: true });
      await calendar.update(id, { period: 'once' });
      await calendar.resume(id);
      await calendar.tickAndDeliver();
      expect(await calendar.letters(id)).toEqual({ [client]: 1 });
      expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
      await calendar.tickAndDeliver();
      expect((await calendar.read(id)).status).toBe('done');
    });

    it.each(['once', 'weekly'] as const)('turned into %s, it goes out by the next tick', async (period) => {
      const { id, client } = await begun({ paused: false });
      expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 missed down']);
      await calendar.update(id, { period });
      await calendar.tickAndDeliver();
      await calendar.tickAndDeliver();
      expect(await calendar.letters(id)).toEqual({ [client]: 1 });
      expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
    });

    it.each(['once', 'weekly'] as const)('turned into %s, it is sent on demand', async (period) => {
      const { id, client } = await begun({ paused: false });
      await calendar.update(id, { period });
      const { runId } = await calendar.send(id);
      await calendar.deliver();
      expect(await calendar.letters(id)).toEqual({ [client]: 1 });
      expect(await calendar.runs(id)).toMatchObject([{ id: runId, status: 'done' }]);
    });
  });

  it('edited while paused, resumed: nothing is made up or repeated', async () => {
    const id = await started({ startAt: '2027-02-21T09:00:00Z' });
    await live(['2027-02-21T09:00:05Z']);
    await calendar.pause(id);
    await calendar.set('2027-02-23T12:00:00Z');
    await calendar.update(id, { startAt: '2027-02-21T11:00:00Z' });
    await calendar.set('2027-02-23T13:00:00Z');
    await calendar.resume(id);
    await live(['2027-02-23T13:00:15Z', '2027-02-24T11:00:05Z']);
    expect(await calendar.story(id)).toEqual([
      '2027-02-21T09:00 done',
      '2027-02-22T09:00 missed paused',
      '2027-02-23T09:00 missed paused',
      '2027-02-24T11:00 done',
    ]);
  });
});

describe('a send on demand', () => {
  it('created once mailing, startAt now, sent on demand, then several ticks: one run, nobody twice', async () => {
    const clients = await calendar.clients(3);
    const { id } = await calendar.mailing({ startAt: '2027-02-20T12:00:00Z', period: 'once' });
    const { runId } = await calendar.send(id);
    await Promise.all([calendar.tick(), calendar.tick()]);
    await calendar.deliver();
    await live(['2027-02-20T12:00:15Z', '2027-02-20T12:00:30Z']);
    expect(await calendar.runs(id)).toMatchObject([{ id: runId, trigger: 'demand', status: 'done' }]);
    expect(await calendar.letters(id)).toEqual(Object.fromEntries(clients.map((client) => [client, 1])));
  });

  it('once, long before its time: that was its only occurrence', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-03-20T12:00:00Z', period: 'once' });
    await calendar.send(id);
    await calendar.deliver();
    expect((await calendar.read(id)).status).toBe('done');
    await live(['2027-03-20T12:00:05Z']);
    expect(await calendar.letters(id)).toEqual({ [client!]: 1 });
  });

  it('takes the place of an occurrence that is due and has not run', async () => {
    const [client] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.send(id);
    await live(['2027-02-21T09:00:15Z', '2027-02-22T09:00:05Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
    expect(await calendar.letters(id)).toEqual({ [client!]: 2 });
  });

  it('at any other time is an extra run that moves nothing', async () => {
    await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.send(id);
    await calendar.deliver();
    expect((await calendar.read(id)).nextRunAt).toEqual(new Date('2027-02-21T09:00:00Z'));
    await live(['2027-02-21T09:00:05Z']);
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', 'extra done']);
  });

  it('20 sends and 5 ticks at once of a due mailing: one run', async () => {
    const clients = await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    const calls = await Promise.allSettled([
      ...Array.from({ length: 20 }, () => calendar.send(id)),
      ...Array.from({ length: 5 }, () => calendar.tick()),
    ]);
    for (const call of calls)
      if (call.status === 'rejected') expect(call.reason).toMatchObject({ code: 'MAILING_SENDING' });
    await calendar.deliver();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
    expect(await calendar.letters(id)).toEqual(Object.fromEntries(clients.map((client) => [client, 1])));
  });

  it('after the end is refused', async () => {
    await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-01T09:00:00Z', endAt: '2027-02-10T09:00:00Z' });
    await expect(calendar.send(id)).rejects.toMatchObject({ code: 'MAILING_ENDED' });
    expect((await calendar.sending.preview(calendar.viewer, id)).refusal).toMatchObject({
      code: 'MAILING_ENDED',
    });
  });

  it('of a once mailing whose letters wait for another try: says who is left out, and starts nothing new', async () => {
    await calendar.clients(3);
    const { id } = await calendar.mailing({ startAt: '2027-02-20T12:00:00Z', period: 'once' });
    const { runId } = await calendar.send(id);
    await calendar.deliver(1);
    await calendar.sql.affected(
      `UPDATE deliveries SET status = 'deferred', attempts = 1, tries = 1, next_attempt_at = '2027-02-21' WHERE status = 'pending'`,
    );
    expect(await calendar.sending.preview(calendar.viewer, id)).toEqual({
      recipients: 0,
      leftOut: [
        { status: 'deferred', count: 2, emails: ['client2@example.com', 'client3@example.com'] },
        { status: 'sent', count: 1, emails: ['client1@example.com'] },
      ],
      refusal: null,
      start: null,
      now: new Date('2027-02-20T12:00:00Z'),
      check: { findings: [], chosen: 3, eligible: 3, excluded: {} },
    });
    expect(await calendar.send(id)).toEqual({ runId });
  });
});
