import type { Database } from '../../src/database/database';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { type DeliveryStatus, deliveryStatuses } from '../../src/domain/states';
import { AttemptsService, type AttemptQuery } from '../../src/features/ledger/attempts.service';
import { DeliveriesService } from '../../src/features/runs/deliveries.service';
import type { Page, PageRequest } from '../../src/domain/paging';
import type { Viewer } from '../../src/domain/permissions';
import { Ledger, silent } from '../support/ledger';

const owner: Viewer = { userId: 1, role: 'user', via: 'token' };
const manager: Viewer = { ...owner, userId: 2, role: 'manager' };
const stranger: Viewer = { ...owner, userId: 3 };

describe('pages of a run and of attempts', () => {
  let ledger: Ledger;
  let deliveries: DeliveriesService;
  let attempts: AttemptsService;
  let ids: number[];
  let runId: number;
  let mailingId: number;
  /** Of the run's clients, in order. */
  let clients: { id: number; email: string; fullName: string }[];

  beforeAll(async () => {
    ledger = await Ledger.start();
    deliveries = new DeliveriesService(ledger.database, ledger.feed, ledger.config, silent);
    attempts = new AttemptsService(ledger.database);
    ({ ids, runId, mailingId } = await ledger.plannedRun(12));
    const other = await ledger.plannedRun(5);
    clients = await ledger.query(
      'SELECT c.id, c.email, c.full_name AS "fullName" FROM deliveries d JOIN clients c ON c.id = d.client_id WHERE run_id = $1 ORDER BY d.id',
      [runId],
    );
    const worker = await ledger.worker();
    const tried = [...ids.slice(0, 9), ...other.ids];
    await writeLedger(
      ledger.database,
      worker,
      tried.map((claim) => ({ claim })),
    );
    await writeLedger(
      ledger.database,
      worker,
      tried.map((deliveryId, i) => ({
        record: {
          deliveryId,
          attempt: {
            number: 1,
            status: i % 3 === 0 ? ('failed' as const) : ('ok' as const),
            replyCode: 250,
            enhancedCode: null,
            serverResponse: 'said',
            durationMs: 5,
          },
          status: i % 3 === 0 ? ('failed' as const) : ('sent' as const),
          reason: i % 3 === 0 ? 'mailbox_unknown' : null,
          triesUsed: 1,
          breaks: 0,
          lostReplies: 0,
          delayMs: null,
        },
      })),
    );
  });

  afterAll(async () => {
    await ledger?.stop();
  });

  async function all<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: Page<T> = await list({ limit: 2, ...(cursor ? { cursor } : {}) });
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    return items;
  }
  const found = async (viewer: Viewer, query: { search?: string; status?: DeliveryStatus }) =>
    (await all((page) => deliveries.listOfRun(viewer, runId, { ...query, ...page }))).map((d) => d.id);

  it('show every delivery once, page by page, in id order, of all or of one status', async () => {
    expect(await found(owner, {})).toEqual(ids);
    expect(await found(manager, { status: 'failed' })).toEqual([ids[0], ids[3], ids[6]]);
    expect(await found(owner, { status: 'pending' })).toEqual(ids.slice(9));
    await expect(found(stranger, {})).rejects.toThrow(`Run ${runId}`);
    await writeLedger(ledger.database, await ledger.worker(), [{ claim: ids.at(-1)! }]);
    for (const sweep of [false, true]) {
      if (sweep) await ledger.sweeper.sweep();
      for (const status of deliveryStatuses) {
        const rows = await ledger.query<{ id: number }>(
          'SELECT id FROM deliveries WHERE run_id = $1 AND status = $2 ORDER BY id',
          [runId, status],
        );
        expect({ status, ids: await found(owner, { status }) }).toEqual({ status, ids: rows.map(({ id }) => id) });
      }
    }
  });

  it('find by what stands in an address or a name, and by a whole address that its client has no more', async () => {
    const [first, second, third, fourth] = clients as [
      (typeof clients)[0],
      (typeof clients)[0],
      (typeof clients)[0],
      (typeof clients)[0],
    ];
    await ledger.query(`UPDATE clients SET full_name = 'Ёжик 100%_Sure' WHERE id = ANY($1)`, [
      [first.id, second.id, third.id],
    ]);
    await ledger.query(`UPDATE clients SET email = 'moved@example.net' WHERE id = $1`, [second.id]);
    await ledger.query('DELETE FROM clients WHERE id = $1', [fourth.id]);
    expect(await found(owner, { search: 'ёжик' })).toEqual(ids.slice(0, 3));
    expect(await found(owner, { search: '0%_s' })).toEqual(ids.slice(0, 3));
    expect(await found(owner, { search: '0%%s' })).toEqual([]);
    expect(await found(owner, { search: 'ёж', status: 'sent' })).toEqual([ids[1], ids[2]]);
    expect(await found(manager, { search: 'moved@' })).toEqual([ids[1]]);
    expect(await found(owner, { search: second.email.toUpperCase() })).toEqual([ids[1]]);
    expect(await found(owner, { search: fourth.email })).toEqual([ids[3]]);
  });

  it.each([
    ['all that one may see', () => ({})],
    ['of a mailing', () => ({ mailingId })],
    ['of a run', () => ({ runId })],
    ['of a client', () => ({ clientId: clients[2]!.id })],
    ['of a delivery', () => ({ deliveryId: ids[3]! })],
    ['failed', () => ({ status: 'failed' as const })],
    ['failed, of a run and its mailing', () => ({ status: 'failed' as const, runId, mailingId })],
    ['of an owner', () => ({ ownerId: 1 })],
    ['of the last hour', () => ({ from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 3_600_000) })],
  ])('list attempts newest first, page by page: %s', async (_, make) => {
    const query: Partial<AttemptQuery> = make();
    const expected = (
      await ledger.query<{ id: number }>(
        `SELECT id FROM attempts WHERE ($1::bigint IS NULL OR mailing_id = $1) AND ($2::bigint IS NULL OR run_id = $2)
            AND ($3::bigint IS NULL OR client_id = $3) AND ($4::bigint IS NULL OR delivery_id = $4) AND ($5::text IS NULL OR status = $5)
          ORDER BY id DESC`,
        [query.mailingId, query.runId, query.clientId, query.deliveryId, query.status].map((v) => v ?? null),
      )
    ).map(({ id }) => id);
    expect(expected.length).toBeGreaterThan(0);
    for (const viewer of [owner, manager]) {
      expect((await all((page) => attempts.list(viewer, { ...query, ...page }))).map((a) => a.id)).toEqual(expected);
    }
    expect(await all((page) => attempts.list(stranger, { ...query, ...page }))).toEqual([]);
  });
});

describe('a second page of many attempts', () => {
  it('comes from its index, also for the owner, mailing and run with the lowest id', async () => {
    const ledger = await Ledger.start();
    try {
      const { runId, mailingId } = await ledger.plannedRun(10);
      await ledger.make.attempts([runId], 3000);
      await ledger.query('ANALYZE attempts');
      const asked: { sql: string; params: unknown[] }[] = [];
      const database = Object.create(ledger.database) as Database;
      database.rows = <T>(sql: string, params: unknown[] = []) => {
        asked.push({ sql, params });
        return ledger.database.rows<T>(sql, params);
      };
      const attempts = new AttemptsService(database);
      for (const query of [{}, { mailingId }, { runId }]) {
        const first = await attempts.list(owner, { limit: 20, ...query });
        const second = await attempts.list(owner, { limit: 20, ...query, cursor: first.nextCursor } as AttemptQuery);
        expect(second.items).toHaveLength(20);
        const { sql, params } = asked.at(-1) ?? { sql: '', params: [] };
        const [plan] = await ledger.query<{ 'QUERY PLAN': unknown }>(`EXPLAIN (FORMAT json) ${sql}`, params);
        const text = JSON.stringify(plan);
        expect(text).not.toContain('Sort');
        // What is left of 30,000 rows is expected to be many; one would be sorted for a page, however many they are.
        const scan = /"Alias":"t"[^}]*?"Plan Rows":(\d+)/.exec(text);
        expect(Number(scan?.[1])).toBeGreaterThan(1_000);
      }
    } finally {
      await ledger.stop();
    }
  });
});
