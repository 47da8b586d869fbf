import { Calendar } from '../../support/calendar';

/** LETTERS_PER_DAY as a tick keeps it. Two clients, and mailings to both of them that fall due at 09:00 UTC. */
describe('a tick with three letters a day for each user', () => {
  let calendar: Calendar;
  let clientIds: number[];
  beforeEach(async () => {
    calendar = await Calendar.open('2027-02-20T12:00:00Z', 1, { LETTERS_PER_DAY: '3' });
    clientIds = await calendar.clients(2);
  });
  afterEach(() => calendar.close());

  const started = async (period: 'once' | 'daily'): Promise<number> => {
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period, clientIds });
    await calendar.start(id);
    return id;
  };

  it('pauses what is too much, with the reason and its occurrence; resumed, that is missed and the next one goes out', async () => {
    const first = await started('once');
    const second = await started('daily');
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tickAndDeliver();
    expect(await calendar.story(first)).toEqual(['2027-02-21T09:00 done']);
    expect(await calendar.story(second)).toEqual([]);
    expect(await calendar.read(second)).toMatchObject({
      status: 'paused',
      statusCode: 'letters_per_day',
      statusText: '3 letters a day are allowed; 2 were started in the last 24 hours, this would be 2 more.',
      nextRunAt: new Date('2027-02-21T09:00:00Z'),
    });
    await calendar.resume(second);
    expect(await calendar.story(second)).toEqual(['2027-02-21T09:00 missed paused']);
    await calendar.set('2027-02-22T09:00:20Z');
    await calendar.tickAndDeliver();
    expect(await calendar.story(second)).toEqual(['2027-02-21T09:00 missed paused', '2027-02-22T09:00 done']);
  });

  it('keeps the only occurrence of a mailing that goes out once until it is resumed and there is room', async () => {
    await started('once');
    const second = await started('once');
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tickAndDeliver();
    await calendar.resume(second);
    await calendar.tickAndDeliver();
    expect(await calendar.read(second)).toMatchObject({ status: 'paused', statusCode: 'letters_per_day' });
    await calendar.set('2027-02-22T09:00:20Z');
    await calendar.resume(second);
    await calendar.tickAndDeliver();
    expect(await calendar.story(second)).toEqual(['2027-02-21T09:00 done']);
  });

  it('holds what is still being tried of a mailing that it pauses, and lets in a smaller one that fits', async () => {
    const daily = await started('daily');
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tick();
    await calendar.plan();
    await calendar.sql.affected('UPDATE deliveries SET tries = 1, attempts = 1');
    await calendar.sql.affected(`UPDATE deliveries SET status = 'deferred', next_attempt_at = '2027-03-01T00:00:00Z'`);
    const { id: small } = await calendar.mailing({ startAt: '2027-02-22T09:00:00Z', clientIds: clientIds.slice(0, 1) });
    await calendar.start(small);
    await calendar.set('2027-02-22T09:00:05Z');
    await calendar.tick();
    expect(await calendar.read(daily)).toMatchObject({ status: 'paused', statusCode: 'letters_per_day' });
    expect(await calendar.sql.rows('SELECT mailing_id, paused_at IS NOT NULL AS held FROM runs ORDER BY id')).toEqual([
      { mailingId: daily, held: true },
      { mailingId: small, held: false },
    ]);
  });

  it('counts for each user alone, and not at all for a manager', async () => {
    const mine = [await started('daily'), await started('daily')];
    const { userId } = calendar.viewer;
    const other = async (role: string): Promise<number[]> => {
      const ownerId = await calendar.make.user({ role });
      const rows = await calendar.sql.rows<{ id: number }>(
        `INSERT INTO mailings (owner_id, message_id, audience, selected_count, start_at, period, time_zone, status, next_run_at)
         SELECT $1, message_id, audience, selected_count, start_at, period, time_zone, status, next_run_at FROM mailings
          WHERE owner_id = $2 ORDER BY id RETURNING id`,
        [ownerId, userId],
      );
      return rows.map(({ id }) => id);
    };
    const managers = await other('manager');
    const users = await other('user');
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tick();
    const begun = await calendar.sql.rows<{ mailingId: number }>('SELECT mailing_id FROM runs ORDER BY mailing_id');
    expect(begun.map(({ mailingId }) => mailingId)).toEqual([mine[0], ...managers, users[0]]);
  });
});
