import { Calendar } from '../../support/calendar';

/** A mailing that was started when nothing asked for a postal address, by an older version or under other settings. */
describe('a started mailing without a postal address', () => {
  let calendar: Calendar;
  let clientIds: number[];
  beforeEach(async () => {
    calendar = await Calendar.open('2027-02-20T12:00:00Z', 1, { SENDER_ADDRESS: '' });
    clientIds = await calendar.clients(2);
  });
  afterEach(() => calendar.close());

  const started = async (kind: 'marketing' | 'transactional') => {
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period: 'daily', clientIds });
    await calendar.sql.affected(
      `UPDATE mailings SET status = 'started', next_run_at = start_at, kind = $2,
              transactional_reason = CASE $2 WHEN 'transactional' THEN 'Invoices' END WHERE id = $1`,
      [id, kind],
    );
    return id;
  };

  it('is paused at its next occurrence, says why, and goes on when there is one; a transactional one goes out', async () => {
    const marketing = await started('marketing');
    const transactional = await started('transactional');
    expect(await calendar.preflight.startedWithoutAddress()).toEqual([marketing]);
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tickAndDeliver();
    expect(await calendar.read(marketing)).toMatchObject({ status: 'paused', statusCode: 'POSTAL_ADDRESS_MISSING' });
    expect(await calendar.story(marketing)).toEqual([]);
    expect(await calendar.story(transactional)).toEqual(['2027-02-21T09:00 done']);

    await calendar.sql.affected(
      `INSERT INTO senders (owner_id, postal_address) SELECT owner_id, 'High Street 1' FROM mailings WHERE id = $1`,
      [marketing],
    );
    expect(await calendar.preflight.startedWithoutAddress()).toEqual([]);
    await calendar.resume(marketing);
    await calendar.set('2027-02-22T09:00:10Z');
    await calendar.tickAndDeliver();
    expect((await calendar.story(marketing)).at(-1)).toBe('2027-02-22T09:00 done');
  });

  it('is paused too where an edit comes before the tick: what is due does not go out', async () => {
    const marketing = await started('marketing');
    const transactional = await started('transactional');
    await calendar.set('2027-02-21T09:00:10Z');
    for (const id of [marketing, transactional]) await calendar.update(id, { name: 'Renamed' });
    expect(await calendar.read(marketing)).toMatchObject({
      name: 'Renamed',
      status: 'paused',
      statusCode: 'POSTAL_ADDRESS_MISSING',
    });
    await calendar.deliver();
    expect(await calendar.story(marketing)).toEqual([]);
    expect(await calendar.story(transactional)).toEqual(['2027-02-21T09:00 done']);
  });

  it('goes out at its time if a manager or admin let it start so, and so does the next one', async () => {
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period: 'daily', clientIds });
    await calendar.lifecycle.start({ ...calendar.viewer, role: 'admin' }, id, 'The address is in the text');
    expect(await calendar.preflight.startedWithoutAddress()).toEqual([]);
    for (const day of [21, 22]) {
      await calendar.set(`2027-02-${day}T09:00:10Z`);
      await calendar.tickAndDeliver();
    }
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
    await calendar.pause(id);
    await expect(calendar.resume(id)).rejects.toMatchObject({ code: 'PREFLIGHT_BLOCKED' });
    await calendar.lifecycle.resume({ ...calendar.viewer, role: 'admin' }, id, 'As before');
    await calendar.set('2027-02-23T09:00:10Z');
    await calendar.tickAndDeliver();
    expect((await calendar.story(id)).at(-1)).toBe('2027-02-23T09:00 done');
  });

  it('is paused although somebody let one sending by hand go without', async () => {
    const id = await started('marketing');
    await calendar.sending.send({ ...calendar.viewer, role: 'admin' }, id, null, 'Just this one');
    await calendar.deliver();
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tick();
    expect(await calendar.read(id)).toMatchObject({ status: 'paused', statusCode: 'POSTAL_ADDRESS_MISSING' });
  });

  it('is not resumed while it has none', async () => {
    const marketing = await started('marketing');
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tick();
    await expect(calendar.resume(marketing)).rejects.toMatchObject({
      code: 'PREFLIGHT_BLOCKED',
      details: { findings: [{ code: 'POSTAL_ADDRESS_MISSING' }] },
    });
  });
});
