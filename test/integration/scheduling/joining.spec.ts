import { Client as Postgres } from 'pg';
import { NewClients } from '../../../src/features/clients/new-clients';
import { addUnconfirmed, takeSignedUp } from '../../../src/features/clients/signed-up';
import { Calendar } from '../../support/calendar';

let calendar: Calendar;
beforeEach(async () => {
  calendar = await Calendar.open('2027-02-20T12:00:00Z');
});
afterEach(() => calendar.close());

const add = (id: number, clientIds: number[]) => calendar.mailings.addClients(calendar.viewer, id, clientIds);

/** Somebody who signs up by a form, and confirms that later. */
const signUp = (email: string) =>
  calendar.sql.transaction((tx) => addUnconfirmed(tx, calendar.viewer.userId, email)) as Promise<number>;
const confirm = (email: string) =>
  calendar.sql.transaction((tx) =>
    takeSignedUp(tx, calendar.get(NewClients), {
      ...{ ownerId: calendar.viewer.userId, email, fullName: '', fields: {}, tagIds: [] },
    }),
  );

describe('a client who confirms a sign-up while a mailing to all is started', () => {
  it('gets the next occurrence; nobody else is planned again, and no run that is done reopens', async () => {
    const [before, after] = [await signUp('before@example.com'), await signUp('after@example.com')];
    const first = await calendar.client();
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await confirm('before@example.com');
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.set('2027-02-21T10:00:00Z');
    const runs = () => calendar.sql.rows('SELECT status, plan_cursor, planned_at, finished_at FROM runs ORDER BY id');
    const done = await runs();
    await confirm('after@example.com');
    await calendar.tickAndDeliver();
    expect(await runs()).toEqual(done);
    expect(await calendar.letters(id)).toEqual({ [before]: 1, [first]: 1 });
    await calendar.set('2027-02-22T09:00:05Z');
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [before]: 2, [first]: 2, [after]: 1 });
  });

  it('joins like any new client if the form asks for no confirmation', async () => {
    const first = await calendar.client();
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    const second = await confirm('new@example.com');
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [first]: 1, [second]: 1 });
  });
});

describe('a client who comes to a started mailing', () => {
  it.each(['selected', 'all'])(
    '%s: gets the current occurrence on the next tick, in its run, and later ones like all',
    async (audience) => {
      const [first] = await calendar.clients(1);
      const { id } = await calendar.mailing({
        startAt: '2027-02-21T09:00:00Z',
        ...(audience === 'selected' ? { clientIds: [first!] } : {}),
      });
      await calendar.start(id);
      await calendar.set('2027-02-21T09:00:05Z');
      await calendar.tickAndDeliver();
      await calendar.set('2027-02-21T11:00:00Z');
      const second = await calendar.client();
      if (audience === 'selected') await add(id, [second]);
      await calendar.tickAndDeliver();
      await calendar.tickAndDeliver();
      expect(await calendar.letters(id, '2027-02-21T09:00:00Z')).toEqual({ [first!]: 1, [second]: 1 });
      await calendar.set('2027-02-22T09:00:05Z');
      await calendar.tickAndDeliver();
      expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
      expect(await calendar.letters(id)).toEqual({ [first!]: 2, [second]: 2 });
    },
  );

  it('all: only within the grace; afterwards with the next occurrence', async () => {
    const [first] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.set('2027-02-21T21:00:01Z');
    const second = await calendar.client();
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [first!]: 1 });
    await calendar.set('2027-02-22T09:00:05Z');
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [first!]: 2, [second]: 1 });
  });

  it('while the run is going on, or is being planned, or in the moment of the next occurrence', async () => {
    const clients = await calendar.clients(3);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', clientIds: clients });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tick();
    const early = await calendar.client();
    await add(id, [early]);
    await calendar.tick();
    await calendar.deliver(2);
    const late = await calendar.client();
    await add(id, [late]);
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual(Object.fromEntries([...clients, early, late].map((c) => [c, 1])));
    await calendar.set('2027-02-22T09:00:00Z');
    const last = await calendar.client();
    await add(id, [last]);
    await calendar.tickAndDeliver();
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id, '2027-02-22T09:00:00Z')).toEqual(
      Object.fromEntries([...clients, early, late, last].map((c) => [c, 1])),
    );
    expect((await calendar.letters(id, '2027-02-21T09:00:00Z'))[last]).toBeUndefined();
  });

  it('taken out and put in again gets nothing twice', async () => {
    const clients = await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', clientIds: clients });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.mailings.removeClients(calendar.viewer, id, [clients[0]!]);
    await add(id, [clients[0]!]);
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual(Object.fromEntries(clients.map((c) => [c, 1])));
  });

  it('once: gets it as long as the mailing is not done', async () => {
    const clients = await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period: 'once' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tick();
    await calendar.deliver(1);
    await calendar.set('2027-04-21T09:00:05Z');
    const late = await calendar.client();
    await calendar.deliver();
    expect((await calendar.read(id)).status).toBe('started');
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual(Object.fromEntries([...clients, late].map((c) => [c, 1])));
    expect((await calendar.read(id)).status).toBe('done');
  });

  it.each(['selected', 'all'])(
    '%s: added while it is paused, gets the current occurrence when it is resumed',
    async (audience) => {
      const clients = await calendar.clients(2);
      const { id } = await calendar.mailing({
        startAt: '2027-02-21T09:00:00Z',
        ...(audience === 'selected' ? { clientIds: clients } : {}),
      });
      await calendar.start(id);
      await calendar.set('2027-02-21T09:00:05Z');
      await calendar.tick();
      await calendar.deliver(1);
      await calendar.pause(id);
      const late = await calendar.client();
      if (audience === 'selected') await add(id, [late]);
      await calendar.tickAndDeliver();
      expect(Object.keys(await calendar.letters(id))).toHaveLength(1);
      await calendar.resume(id);
      await calendar.tickAndDeliver();
      expect(await calendar.letters(id)).toEqual(Object.fromEntries([...clients, late].map((c) => [c, 1])));
    },
  );

  it('gets it, and later ones go out, although the last letters of its run were sent while the mailing was paused', async () => {
    const [first] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tick();
    await calendar.plan();
    // What the worker has claimed before the pause is still sent, and nothing is left then.
    await calendar.pause(id);
    await calendar.sql.affected(`UPDATE deliveries SET status = 'sent', attempts = 1 WHERE client_id = $1`, [first]);
    await calendar.deliver();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
    await calendar.resume(id);
    const late = await calendar.client();
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [late]: 1 });
    await calendar.set('2027-02-22T09:00:05Z');
    await calendar.tickAndDeliver();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
  });

  it('gets it, and later ones go out, after the end with which its run began, if that was moved since', async () => {
    const [first] = await calendar.clients(1);
    const weekly = { startAt: '2027-02-21T09:00:00Z', endAt: '2027-02-24T09:00:00Z', period: 'weekly' } as const;
    const { id } = await calendar.mailing({ ...weekly, clientIds: [first!] });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.update(id, { endAt: '2027-03-24T09:00:00Z' });
    await calendar.set('2027-02-25T09:00:00Z');
    const late = await calendar.client();
    await add(id, [late]);
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [first!]: 1, [late]: 1 });
    await calendar.set('2027-02-28T09:00:05Z');
    await calendar.tickAndDeliver();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-28T09:00 done']);
  });

  it('gets nothing of an occurrence from before a startAt that was moved into the future', async () => {
    const [first] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.update(id, { startAt: '2027-02-28T09:00:00Z' });
    await calendar.client();
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [first!]: 1 });
  });

  it('gets no letter of an occurrence that was missed after the last run', async () => {
    const [first] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z' });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:05Z');
    await calendar.tickAndDeliver();
    await calendar.set('2027-02-22T22:00:00Z');
    await calendar.client();
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [first!]: 1 });
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 missed down']);
  });

  it('is not lost if they are being added while the mailing is started', async () => {
    const [first] = await calendar.clients(1);
    const { id } = await calendar.mailing({ startAt: '2027-02-20T09:00:00Z' });
    const other = new Postgres({ connectionString: calendar.databaseUrl });
    await other.connect();
    try {
      await other.query('BEGIN');
      const { rows } = await other.query<{ id: string }>(
        `INSERT INTO clients (owner_id, email, full_name) VALUES ($1, 'slow@example.com', '') RETURNING id`,
        [calendar.viewer.userId],
      );
      const slow = Number(rows[0]?.id);
      // What `noteJoined` says, before the start is committed.
      await other.query(
        `UPDATE mailings SET joined_from = least(coalesce(joined_from, $2), $2)
          WHERE owner_id = $1 AND audience = 'all' AND status IN ('started', 'paused') AND deleted_at IS NULL`,
        [calendar.viewer.userId, slow],
      );
      const starting = calendar.start(id).then(() => calendar.deliver());
      await Promise.race([starting, new Promise((resolve) => setTimeout(resolve, 500))]);
      await other.query('COMMIT');
      await starting;
      await calendar.tickAndDeliver();
      expect(await calendar.letters(id)).toEqual({ [first!]: 1, [slow]: 1 });
    } finally {
      await other.end();
    }
  });
});
