import { Queue } from 'bullmq';
import { BulkJobs, type NewBulkJob } from '../../src/features/clients/bulk-jobs.service';
import { segmentsUsing } from '../../src/features/clients/segment-context';
import { PLAN_QUEUE, type PlanJob } from '../../src/queue/queues';
import { redisOptions } from '../../src/queue/redis-options';
import { Ledger, silent } from '../support/ledger';
import { eventually } from '../support/service';

/** What is done to many clients at once goes on in the background, and is neither lost nor done twice. */

const OWNER = { userId: 1, role: 'user' } as const;

let ledger: Ledger;
let queue: Queue<PlanJob>;
let stranger: { userId: number; role: 'user' };

/** As another process would. */
const process = () => new BulkJobs(ledger.database, queue, silent);

beforeAll(async () => {
  ledger = await Ledger.start();
  queue = new Queue(PLAN_QUEUE, {
    connection: redisOptions(ledger.config.redisUrl),
    prefix: ledger.config.redisPrefix,
  });
  stranger = { userId: await ledger.make.user(), role: 'user' };
});
afterAll(async () => {
  await queue?.close();
  await ledger?.stop();
});

let made = 0;
/** So many clients whose addresses have a word in common that no others have. */
async function people(count: number): Promise<{ word: string; ids: number[] }> {
  const word = `group${++made}x`;
  const ids = await ledger.make.clients(
    1,
    Array.from({ length: count }, (_, i) => `${word}-${i}@example.com`),
  );
  return { word, ids };
}
const begin = async (input: NewBulkJob) => (await process().begin(OWNER, input)).jobId;
/** A job of which only its first page is done, because its process was killed then. */
async function killed(input: NewBulkJob): Promise<number> {
  const now = jest.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(Infinity);
  try {
    return await begin(input);
  } finally {
    now.mockRestore();
  }
}
const finish = (jobId: number) => process().resume(jobId, Infinity);
const tagged = (name: string) =>
  ledger.query<{ clientId: number }>(
    'SELECT ct.client_id FROM client_tags ct JOIN tags t ON t.id = ct.tag_id WHERE t.name = $1 ORDER BY 1',
    [name],
  );
const counted = async (name: string) =>
  (await ledger.query<{ clients: number }>('SELECT clients FROM tags WHERE name = $1', [name]))[0]?.clients;

it('gives tags to clients that are named, and takes them', async () => {
  const { ids } = await people(5);
  const jobId = await begin({ action: 'tag', tags: ['VIP', 'fair'], clientIds: [ids[3]!, ids[1]!, ids[3]!] });
  expect(await process().get(OWNER, jobId)).toMatchObject({ status: 'done', total: 2, done: 2 });
  expect(await tagged('VIP')).toEqual([{ clientId: ids[1] }, { clientId: ids[3] }]);
  await begin({ action: 'tag', tags: ['vip'], clientIds: ids });
  expect(await counted('VIP')).toBe(5);
  await begin({ action: 'untag', tags: ['vip'], clientIds: ids.slice(0, 4) });
  expect(await tagged('VIP')).toEqual([{ clientId: ids[4] }]);
  expect(await counted('VIP')).toBe(1);
  expect(await counted('fair')).toBe(2);
});

it('finds the clients of a filter, but none that came later', async () => {
  const { word, ids } = await people(4_100);
  const jobId = await killed({ action: 'tag', tags: [word], filter: { search: word } });
  expect(await process().get(OWNER, jobId)).toMatchObject({ status: 'running', done: 2_000 });
  const [late] = await ledger.make.clients(1, [`${word}-late@example.com`]);
  expect(await finish(jobId)).toBe(true);
  const has = (await tagged(word)).map(({ clientId }) => clientId);
  expect(has).toEqual(ids);
  expect(has).not.toContain(late);
  expect(await counted(word)).toBe(4_100);
});

it('goes on after a kill, and two processes at once do no page twice', async () => {
  const { word, ids } = await people(9_000);
  const jobId = await killed({ action: 'tag', tags: [word], filter: { search: word } });
  await Promise.all([finish(jobId), finish(jobId), finish(jobId)]);
  expect(await process().get(OWNER, jobId)).toMatchObject({ status: 'done', done: 9_000 });
  expect(await counted(word)).toBe(ids.length);
});

it('is found again by the sweeper', async () => {
  const { word } = await people(2_500);
  const jobId = await killed({ action: 'tag', tags: [word], filter: { search: word } });
  await queue.obliterate({ force: true });
  await process().runPending();
  expect((await queue.getJobs()).map(({ data }) => data)).toEqual([{ bulkJobId: jobId }]);
  await finish(jobId);
  await queue.obliterate({ force: true });
  await process().runPending();
  expect(await queue.getJobs()).toEqual([]);
});

it('lets others add clients while it looks for those to delete', async () => {
  const { ids } = await people(3);
  const [tag] = await ledger.query<{ id: number }>(`INSERT INTO tags (owner_id, name) VALUES (1, 'slow') RETURNING id`);
  await ledger.query('INSERT INTO client_tags SELECT $1, unnest($2::bigint[])', [tag!.id, ids]);
  const deleting = await ledger.database.transaction(async (tx) => {
    // Which only that reads.
    await tx.rows('LOCK TABLE suppressions IN ACCESS EXCLUSIVE MODE');
    const search = { action: 'delete', filter: { tag: 'slow', subscription: 'subscribed' } } as const;
    const job = begin(search);
    const waits = () =>
      ledger.query(`SELECT pid FROM pg_stat_activity WHERE query LIKE '%FROM clients c%' AND wait_event = 'relation'`);
    await eventually(async () => (await waits()).length > 0, 'it looks for clients', 10_000);
    const added = await ledger.database.transaction(async (beside) => {
      await beside.rows(`SET LOCAL lock_timeout = '2s'`);
      return beside.rows<{ id: number }>(
        `INSERT INTO clients (owner_id, email, full_name) VALUES ($1, 'beside@bulk.example', '') RETURNING id`,
        [stranger.userId],
      );
    });
    // One of those who are found is changed meanwhile.
    await ledger.query('DELETE FROM client_tags WHERE client_id = $1', [ids[0]]);
    return { job, added };
  });
  const jobId = await deleting.job;
  expect(await process().get(OWNER, jobId)).toMatchObject({ status: 'done', done: 2 });
  expect(await ledger.query('SELECT id FROM clients WHERE id = ANY($1)', [ids])).toEqual([{ id: ids[0] }]);
  expect(deleting.added).toHaveLength(1);
}, 20_000);

it('deletes clients: what was sent stays, what is open is skipped', async () => {
  const { runId, ids } = await ledger.plannedRun(3);
  const clients = await ledger.query<{ id: number }>('SELECT client_id AS id FROM deliveries WHERE run_id = $1', [
    runId,
  ]);
  const clientIds = clients.map(({ id }) => id);
  await ledger.query(`UPDATE deliveries SET status = 'sent', attempts = 1 WHERE id = $1`, [ids[0]]);
  await begin({ action: 'tag', tags: ['going'], clientIds });
  const jobId = await begin({ action: 'delete', clientIds });
  expect(await process().get(OWNER, jobId)).toMatchObject({ status: 'done', done: 3 });
  expect(await ledger.query('SELECT id FROM clients WHERE id = ANY($1)', [clientIds])).toEqual([]);
  expect(await counted('going')).toBe(0);
  expect(await ledger.query('SELECT status, reason FROM deliveries WHERE run_id = $1 ORDER BY id', [runId])).toEqual([
    { status: 'sent', reason: null },
    { status: 'skipped', reason: 'client_deleted' },
    { status: 'skipped', reason: 'client_deleted' },
  ]);
});

it('excludes clients from mail: also from what is open, and once', async () => {
  const { runId } = await ledger.plannedRun(3);
  const clients = await ledger.query<{ id: number; email: string }>(
    'SELECT client_id AS id, email FROM deliveries WHERE run_id = $1 ORDER BY id',
    [runId],
  );
  const some = clients.slice(0, 2).map(({ id }) => id);
  await begin({ action: 'suppress', clientIds: some });
  await begin({ action: 'suppress', clientIds: some });
  expect(await ledger.query('SELECT status, reason FROM deliveries WHERE run_id = $1 ORDER BY id', [runId])).toEqual([
    { status: 'skipped', reason: 'manual' },
    { status: 'skipped', reason: 'manual' },
    { status: 'pending', reason: null },
  ]);
  const emails = clients.map(({ email }) => email);
  expect(
    await ledger.query('SELECT email_key, owner_id FROM suppressions WHERE email_key = ANY($1) ORDER BY id', [emails]),
  ).toEqual(emails.slice(0, 2).map((emailKey) => ({ emailKey, ownerId: 1 })));
});

it('ends when somebody stops it; what it has done stays', async () => {
  const { word } = await people(4_500);
  const jobId = await killed({ action: 'tag', tags: [word], filter: { search: word } });
  await expect(process().stop(stranger, jobId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await process().stop({ userId: stranger.userId, role: 'manager' }, jobId)).toMatchObject({
    status: 'stopped',
    done: 2_000,
  });
  expect(await finish(jobId)).toBe(true);
  expect(await counted(word)).toBe(2_000);
});

it("touches nobody else's clients, and shows nobody else's jobs", async () => {
  const { word, ids } = await people(2);
  const theirs = process().begin(stranger, { action: 'delete', clientIds: ids });
  await expect(theirs).rejects.toMatchObject({
    details: { errors: [{ code: 'unknown_client' }, { code: 'unknown_client' }] },
  });
  await process().begin(stranger, { action: 'delete', filter: { search: word } });
  await process().begin(stranger, { action: 'suppress', filter: { ownerId: 1, search: word } });
  expect(await ledger.query('SELECT id FROM clients WHERE id = ANY($1) ORDER BY id', [ids])).toHaveLength(2);
  const jobId = await begin({ action: 'tag', tags: ['x'], clientIds: ids });
  await expect(process().get(stranger, jobId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect((await process().list(stranger, { limit: 50 })).items.every(({ ownerId }) => ownerId !== 1)).toBe(true);
});

it.each<[Partial<NewBulkJob>, string, string]>([
  [{ action: 'tag', clientIds: [1] }, 'tags', 'required'],
  [{ action: 'delete', tags: ['x'], clientIds: [1] }, 'tags', 'unknown_field'],
  [{ action: 'delete' }, 'clientIds', 'clients_or_filter'],
  [{ action: 'delete', filter: {} }, 'clientIds', 'clients_or_filter'],
  [{ action: 'delete', filter: { search: '  ' } }, 'clientIds', 'clients_or_filter'],
  [{ action: 'delete', filter: { ownerId: 1 } }, 'clientIds', 'clients_or_filter'],
  [{ action: 'delete', clientIds: [1], all: true }, 'clientIds', 'clients_or_filter'],
  [{ action: 'delete', clientIds: [1], filter: { tag: 'x' } }, 'clientIds', 'clients_or_filter'],
  [{ action: 'untag', tags: ['nobody has it'], all: true }, 'tags', 'no_such_tag'],
  [{ action: 'delete', clientIds: [2 ** 40] }, 'clientIds.0', 'unknown_client'],
])('refuses %j', async (input, field, code) => {
  await expect(begin(input as NewBulkJob)).rejects.toMatchObject({ details: { errors: [{ field, code }] } });
});

it('is asked for all clients only in so many words', async () => {
  const before = await ledger.query<{ n: number }>('SELECT count(*)::int AS n FROM clients WHERE owner_id = 1');
  const jobId = await begin({ action: 'tag', tags: ['everybody'], all: true });
  await finish(jobId);
  expect(await counted('everybody')).toBe(before[0]!.n);
});

it('keeps to the tag that was meant, whatever it is called later, and the tag can not be deleted meanwhile', async () => {
  const { word, ids } = await people(4_100);
  await finish(await begin({ action: 'tag', tags: [word], clientIds: ids }));
  const jobId = await killed({ action: 'tag', tags: ['after'], filter: { tag: word } });
  await ledger.query(`UPDATE tags SET name = 'renamed' WHERE name = $1`, [word]);
  const [tag] = await ledger.query<{ id: number }>(`SELECT id FROM tags WHERE name = 'renamed'`);
  const uses = () => segmentsUsing(ledger.database, 1, { tag: { id: tag!.id, name: 'renamed' } });
  expect(await uses()).toEqual([{ kind: 'job', id: jobId, name: '' }]);
  await finish(jobId);
  expect(await uses()).toEqual([]);
  expect(await counted('after')).toBe(4_100);
});
