import { Database } from '../../../src/database/database';
import type { SegmentFilter } from '../../../src/domain/segment-filter';
import { SegmentsService } from '../../../src/features/audiences/segments.service';
import { PlannerService } from '../../../src/features/runs/planner.service';
import { Calendar } from '../../support/calendar';

/** Runs of mailings to segments: who is planned, when, and by which filter. */
describe('mailings to a segment', () => {
  let calendar: Calendar;
  beforeEach(async () => {
    calendar = await Calendar.open('2027-02-20T12:00:00Z');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await calendar.close();
  });

  const COMMENT = { field: 'comment', op: 'is', value: 'in' };
  let made = 0;
  const segment = async (filter: unknown): Promise<number> =>
    (await calendar.get(SegmentsService).create(calendar.viewer, { name: `Segment ${++made}`, filter })).id;
  const setComment = (comment: string, ...ids: number[]) =>
    calendar.sql.affected('UPDATE clients SET comment = $1 WHERE id = ANY($2)', [comment, ids]);
  const emails = async (runId: number): Promise<number[]> =>
    (
      await calendar.sql.rows<{ clientId: number }>('SELECT client_id FROM deliveries WHERE run_id = $1 ORDER BY id', [
        runId,
      ])
    ).map(({ clientId }) => clientId);

  it('who comes to belong to it while an occurrence goes out gets the next one', async () => {
    const [anna, boris, clara] = (await calendar.clients(3)) as [number, number, number];
    await setComment('in', anna, boris);
    const { id } = await calendar.mailing({
      startAt: '2027-02-21T09:00:00Z',
      audience: 'segment',
      segmentId: await segment(COMMENT),
    });
    await calendar.start(id);
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tickAndDeliver();
    await setComment('in', clara);
    await setComment('', anna);
    const dora = await calendar.client();
    await setComment('in', dora);
    await calendar.set('2027-02-21T09:10:00Z');
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [anna]: 1, [boris]: 1 });
    await calendar.set('2027-02-22T09:00:10Z');
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [anna]: 1, [boris]: 2, [clara]: 1, [dora]: 1 });
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done', '2027-02-22T09:00 done']);
  });

  it('an edit in the middle of planning changes nothing of this run', async () => {
    await calendar.make.clients(
      calendar.viewer.userId,
      Array.from({ length: 10_200 }, (_, i) => `many${i}@example.com`),
    );
    await calendar.sql.affected(`UPDATE clients SET comment = 'in' WHERE id % 100 = 0`);
    const id = await segment(COMMENT);
    const everybody = await segment({ field: 'email', op: 'contains', value: '@' });
    const { id: mailingId } = await calendar.mailing({
      startAt: '2027-02-21T09:00:00Z',
      audience: 'segment',
      segmentId: id,
    });
    const { runId } = await calendar.send(mailingId);
    const database = calendar.get(Database);
    const transaction = database.transaction.bind(database);
    let pages = 0;
    jest.spyOn(database, 'transaction').mockImplementation(async (work) => {
      const result = await transaction(work);
      if (++pages === 1) {
        await database.affected('UPDATE segments SET filter = $2 WHERE id = $1', [
          id,
          JSON.stringify({ field: 'comment', op: 'isNot', value: 'in' } satisfies SegmentFilter),
        ]);
        await database.affected('UPDATE mailings SET exclude_segment_id = $2 WHERE id = $1', [mailingId, everybody]);
      }
      return result;
    });
    expect(await calendar.get(PlannerService).plan(runId)).toBe(true);
    expect(pages).toBe(2);
    const expected = await calendar.sql.rows<{ id: number }>(`SELECT id FROM clients WHERE comment = 'in' ORDER BY id`);
    expect(expected.length).toBeGreaterThan(100);
    expect(await emails(runId)).toEqual(expected.map((client) => client.id));
  });

  it('days are counted from the moment at which the run began, in the zone of the owner', async () => {
    const [old, young] = (await calendar.clients(2)) as [number, number];
    await calendar.sql.affected(`UPDATE clients SET created_at = '2027-02-19T11:59:59Z' WHERE id = $1`, [old]);
    await calendar.sql.affected(`UPDATE clients SET created_at = '2027-02-19T12:00:01Z' WHERE id = $1`, [young]);
    const { id } = await calendar.mailing({
      startAt: '2027-02-20T12:00:00Z',
      audience: 'segment',
      segmentId: await segment({ field: 'createdAt', op: 'inLastDays', value: 1 }),
    });
    const { runId } = await calendar.send(id);
    await calendar.set('2027-02-20T18:00:00Z');
    await calendar.plan();
    expect(await emails(runId)).toEqual([young]);
  });

  it('whoever joins a mailing to selected clients is left out by the run’s exclusion', async () => {
    const [anna] = (await calendar.clients(1)) as [number];
    const { id } = await calendar.mailing({
      startAt: '2027-02-20T12:00:00Z',
      clientIds: [anna],
      excludeSegmentId: await segment(COMMENT),
    });
    await calendar.start(id);
    await calendar.tickAndDeliver();
    const [boris, clara] = (await calendar.clients(2)) as [number, number];
    await setComment('in', boris);
    await calendar.mailings.addClients(calendar.viewer, id, [boris, clara]);
    await calendar.tickAndDeliver();
    expect(await calendar.letters(id)).toEqual({ [anna]: 1, [clara]: 1 });
  });

  it('those who failed get it again, whatever has become of the segment', async () => {
    const [anna] = (await calendar.clients(1)) as [number];
    await setComment('in', anna);
    const { id } = await calendar.mailing({
      startAt: '2027-02-20T12:00:00Z',
      audience: 'segment',
      segmentId: await segment(COMMENT),
    });
    const { runId } = await calendar.send(id);
    await calendar.plan();
    await calendar.sql.affected(`UPDATE deliveries SET status = 'failed' WHERE run_id = $1`, [runId]);
    await calendar.sql.affected(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
    await setComment('', anna);
    const again = await calendar.sending.resendFailed(calendar.viewer, runId);
    await calendar.plan();
    expect(await emails(again.runId)).toEqual([anna]);
  });

  it('a page that takes too long is planned as smaller ones', async () => {
    await calendar.make.clients(
      calendar.viewer.userId,
      Array.from({ length: 2_500 }, (_, i) => `many${i}@example.com`),
    );
    await calendar.sql.affected(
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.003); RETURN NEW; END'`,
    );
    const { id } = await calendar.mailing({
      startAt: '2027-02-20T12:00:00Z',
      audience: 'segment',
      segmentId: await segment({ field: 'comment', op: 'isNotSet' }),
    });
    const { runId } = await calendar.send(id);
    await calendar.sql.affected('CREATE TRIGGER slow BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION slow()');
    await calendar.plan();
    expect((await emails(runId)).length).toBe(2_500);
  }, 60_000);
});

/** LETTERS_PER_DAY counts whom a segment finds, not all clients. */
it('a segment of few fits where all clients would be too many', async () => {
  const calendar = await Calendar.open('2027-02-20T12:00:00Z', 1, { LETTERS_PER_DAY: '3' });
  try {
    const [anna] = (await calendar.clients(10)) as [number];
    await calendar.sql.affected(`UPDATE clients SET comment = 'in' WHERE id < $1`, [anna + 2]);
    const segments = calendar.get(SegmentsService);
    const { id: segmentId } = await segments.create(calendar.viewer, {
      name: 'Few',
      filter: { field: 'comment', op: 'isSet' },
    });
    const mailing = { startAt: '2027-02-20T12:00:00Z', audience: 'segment', segmentId };
    await calendar.send((await calendar.mailing(mailing)).id);
    // The first run is not planned yet, and counts all the same.
    await expect(calendar.send((await calendar.mailing(mailing)).id)).rejects.toMatchObject({
      code: 'LETTERS_PER_DAY',
    });
  } finally {
    await calendar.close();
  }
});
