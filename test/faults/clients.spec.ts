import { FaultRig } from '../support/fault-rig';

jest.setTimeout(600_000);

/** What is done to many clients at once: the process that does it is killed, in the API and in workers. */

let rig: FaultRig;
beforeAll(async () => {
  rig = await FaultRig.start();
});
beforeEach(() => rig.reset());
afterAll(() => rig?.stop());

/** As a kill before the answer looks to whoever called. */
const CUT = /fetch failed/;
const one = async <T>(sql: string): Promise<T> => (await rig.query<T>(sql))[0]!;
const csv = (count: number, word = 'x') =>
  `email,tags\n${Array.from({ length: count }, (_, i) => `${word}-${i}@client.example,from file\n`).join('')}`;
const addresses = (count: number) => Array.from({ length: count }, (_, i) => `many-${i}@client.example`);

/** What is there, and what is counted beside it. */
const counts = () =>
  one<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM clients) AS clients, coalesce((SELECT clients::int FROM client_totals WHERE owner_id = 1), 0) AS counted,
            (SELECT count(*)::int FROM client_tags) AS tagged, (SELECT coalesce(sum(clients), 0)::int FROM tags) AS tags_counted`,
  );
const consistent = (clients: number, tagged: number) => ({ clients, counted: clients, tagged, tags_counted: tagged });

/** Starts a worker that dies at this place, and waits until it is dead. */
async function dies(failpoint: string): Promise<void> {
  const worker = await rig.startWorker({ GONETS_FAILPOINT: failpoint });
  await worker.ends();
  expect(worker.log).toContain(`failpoint ${failpoint.split('@')[0]}`);
}

/** The rows themselves, and what the API says of them. */
interface Work {
  status: string;
  undoneAt?: string | null;
}
const shown = async <T extends Work>(path: string): Promise<T> => {
  const { status, body } = await rig.call<T>('GET', path);
  expect(status).toBe(200);
  return body;
};
const done = (path: string, is: (work: Work) => boolean = ({ status }) => status === 'done') =>
  rig.eventually(async () => is(await shown(path)), 60_000, `the end of ${path}`);

it('an import that is applied at once, by an API that is killed', async () => {
  await rig.startApi({ GONETS_FAILPOINT: 'import-chunk' });
  await expect(rig.import(csv(500))).rejects.toThrow(CUT);
  expect(await counts()).toEqual(consistent(0, 0));
  await rig.startApi();
  const { id } = await one<{ id: string }>('SELECT id FROM imports');
  expect(await shown(`/imports/${id}`)).toMatchObject({ status: 'running', added: 0 });
  await rig.startWorker();
  await done(`/imports/${id}`);
  expect(await shown(`/imports/${id}`)).toMatchObject({ status: 'done', added: 500, rejected: 0 });
  expect(await counts()).toEqual(consistent(500, 500));
});

it('a long import, by workers that are killed one after the other, and is undone so, too', async () => {
  const count = 70_000;
  const id = await rig.import(csv(count));
  for (const point of ['import-chunk', 'import-chunk@3']) {
    await dies(point);
    const { status, added } = await shown<Work & { added: number }>(`/imports/${id}`);
    expect({ status, less: added < count }).toEqual({ status: 'running', less: true });
    expect(await counts()).toEqual(consistent(added, added));
  }
  await rig.startWorker();
  await done(`/imports/${id}`);
  expect(await shown(`/imports/${id}`)).toMatchObject({ added: count, updated: 0, rejected: 0 });
  expect(await counts()).toEqual(consistent(count, count));

  // One of them is needed by then, and stays.
  const { id: kept } = await one<{ id: string }>('SELECT id FROM clients ORDER BY id LIMIT 1 OFFSET 9000');
  await rig.call('PATCH', `/clients/${kept}`, { comment: 'called us' });
  await rig.killAll();
  expect((await rig.call('POST', `/imports/${id}/undo`)).status).toBe(202);
  for (const point of ['undo-batch', 'undo-batch@4']) {
    await dies(point);
    const work = await shown<Work & { undone: number }>(`/imports/${id}`);
    expect(work.undoneAt).toBeNull();
    expect(await counts()).toEqual(consistent(count - work.undone, count - work.undone));
  }
  await rig.startWorker();
  await done(`/imports/${id}`, ({ undoneAt }) => undoneAt !== null);
  expect(await shown(`/imports/${id}`)).toMatchObject({ undone: count - 1, undoKept: 1 });
  expect(await counts()).toEqual(consistent(1, 1));
});

describe('an action on many clients, by an API and a worker that are killed', () => {
  const count = 11_000;

  async function killed(action: string, places: [string, string], more: object = {}): Promise<string> {
    await rig.make.clients(1, addresses(count));
    await rig.startApi({ GONETS_FAILPOINT: places[0] });
    const call = rig.call('POST', '/clients/bulk', { action, all: true, ...more });
    await expect(call).rejects.toThrow(CUT);
    await rig.startApi();
    const { id } = await one<{ id: string }>('SELECT id FROM bulk_jobs');
    const halfWay = async () => {
      const job = await shown<Work & { done: number }>(`/jobs/${id}`);
      expect(job.status).toBe('running');
      return job.done;
    };
    const before = await halfWay();
    await dies(places[1]);
    expect(await halfWay()).toBeGreaterThan(before);
    return `/jobs/${id}`;
  }

  it('gives tags', async () => {
    const job = await killed('tag', ['bulk-page@2', 'bulk-page@3'], { tags: ['VIP'] });
    const { done: tagged } = await shown<{ done: number; status: string }>(job);
    expect(await counts()).toEqual(consistent(count, tagged));
    await rig.startWorker();
    await done(job);
    expect(await shown(job)).toMatchObject({ done: count });
    expect(await counts()).toEqual(consistent(count, count));
  });

  it('deletes', async () => {
    const job = await killed('delete', ['bulk-page@2', 'bulk-page@3']);
    const { done: deleted } = await shown<{ done: number; status: string }>(job);
    expect(await counts()).toEqual(consistent(count - deleted, 0));
    await rig.startWorker();
    await done(job);
    expect(await shown(job)).toMatchObject({ done: count });
    expect(await counts()).toEqual(consistent(0, 0));
  });

  it('excludes from mail: also the page whose second step was not begun', async () => {
    const job = await killed('suppress', ['bulk-suppressed@2', 'bulk-suppressed@3']);
    await rig.startWorker();
    await done(job);
    expect(await shown(job)).toMatchObject({ done: count });
    const excluded = await one<{ n: number; addresses: number }>(
      `SELECT count(*)::int AS n, count(DISTINCT address_hash)::int AS addresses FROM suppressions WHERE lifted_at IS NULL`,
    );
    expect(excluded).toEqual({ n: count, addresses: count });
  });
});
