import { Calendar } from '../../support/calendar';

/**
 * Next occurrences that were stored by other time zone rules: an hour earlier or later than what the rules of this process
 * say, 09:00 in Athens, which is 07:00 UTC.
 */
describe('when time zone rules have changed since the next occurrence was stored', () => {
  let calendar: Calendar;
  let id: number;

  /** A process that starts now, on a mailing whose next occurrence was stored by the old rules. */
  async function startWith(
    stored: string,
    now: string,
    more: { endAt?: string; paused?: boolean } = {},
  ): Promise<void> {
    calendar = await Calendar.open('2027-02-20T12:00:00Z', 2);
    await calendar.clients(1);
    const mailing = await calendar.mailing({
      startAt: '2027-02-20T07:00:00Z',
      timeZone: 'Europe/Athens',
      ...(more.endAt && { endAt: more.endAt }),
    });
    ({ id } = mailing);
    await calendar.start(id);
    await calendar.deliver();
    if (more.paused) await calendar.pause(id);
    await calendar.sql.affected('UPDATE mailings SET next_run_at = $2 WHERE id = $1', [id, stored]);
    await calendar.set(now);
  }
  const next = async () => (await calendar.read(id)).nextRunAt?.toISOString() ?? null;
  const story = async () => (await calendar.story(id)).slice(1);

  afterEach(() => calendar.close());

  it('moved earlier, and past already: it runs late, once', async () => {
    await startWith('2027-02-21T08:00:00Z', '2027-02-21T07:20:00Z');
    await calendar.tick(1);
    await calendar.deliver();
    expect(await story()).toEqual(['2027-02-21T07:00 done']);
    expect(await next()).toBe('2027-02-22T07:00:00.000Z');
    await calendar.set('2027-02-21T08:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.tick(1);
    expect(await story()).toEqual(['2027-02-21T07:00 done']);
  });

  it('moved earlier, and past for longer than the grace: it is missed', async () => {
    await startWith('2027-02-21T08:00:00Z', '2027-02-21T19:30:00Z');
    await calendar.tick(1);
    expect(await story()).toEqual(['2027-02-21T07:00 missed down']);
    expect(await next()).toBe('2027-02-22T07:00:00.000Z');
  });

  it('moved earlier, still to come: it is stored anew at the start', async () => {
    await startWith('2027-02-21T08:00:00Z', '2027-02-21T06:00:00Z');
    await calendar.tick(1);
    expect(await next()).toBe('2027-02-21T07:00:00.000Z');
    expect(await story()).toEqual([]);
  });

  it('moved later: nothing at the stale time, one run at the true one', async () => {
    await startWith('2027-02-21T06:00:00Z', '2027-02-21T06:00:05Z');
    await calendar.tick(1);
    await calendar.tick();
    expect(await story()).toEqual([]);
    expect(await next()).toBe('2027-02-21T07:00:00.000Z');
    await calendar.set('2027-02-21T07:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.tick(1);
    expect(await story()).toEqual(['2027-02-21T07:00 done']);
  });

  it('while it is paused: what fell due is missed when it is resumed', async () => {
    await startWith('2027-02-21T08:00:00Z', '2027-02-21T07:20:00Z', { paused: true });
    await calendar.tick(1);
    expect(await next()).toBe('2027-02-21T07:00:00.000Z');
    await calendar.resume(id);
    expect(await story()).toEqual(['2027-02-21T07:00 missed paused']);
    expect(await next()).toBe('2027-02-22T07:00:00.000Z');
  });

  it('moved beyond its end: there is no such occurrence', async () => {
    await startWith('2027-02-21T06:00:00Z', '2027-02-21T06:20:00Z', { endAt: '2027-02-21T06:45:00Z' });
    await calendar.tick(1);
    expect(await next()).toBeNull();
    await calendar.set('2027-02-21T07:00:05Z');
    await calendar.tick(1);
    expect(await story()).toEqual([]);
    expect((await calendar.read(id)).status).toBe('done');
  });

  it('is looked at once by each process, for any number of mailings, and leaves what agrees', async () => {
    await startWith('2027-02-21T08:00:00Z', '2027-02-21T06:00:00Z');
    await calendar.sql.affected(
      `INSERT INTO mailings (owner_id, message_id, audience, start_at, period, time_zone, status, next_run_at)
       SELECT owner_id, message_id, audience, start_at, period, time_zone, 'started', next_run_at - (n % 2) * interval '1 hour'
         FROM mailings, generate_series(1, 1200) n WHERE id = $1`,
      [id],
    );
    // One whose zone nobody knows any more keeps nobody from it.
    await calendar.sql.affected(
      `UPDATE mailings SET time_zone = 'Nowhere/Land' WHERE id = (SELECT min(id) + 1 FROM mailings)`,
    );
    await calendar.tick(1);
    await calendar.sql.affected(`DELETE FROM mailings WHERE time_zone = 'Nowhere/Land'`);
    expect(await calendar.sql.rows('SELECT DISTINCT next_run_at FROM mailings')).toEqual([
      { nextRunAt: new Date('2027-02-21T07:00:00Z') },
    ]);
    expect(await calendar.sql.rows('SELECT FROM runs')).toHaveLength(1);
  });
});
