import type { Database } from '../../src/database/database';
import type { Page, PageRequest } from '../../src/domain/paging';
import type { Viewer } from '../../src/domain/permissions';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { suppress } from '../../src/features/consent/suppressions';
import { ClientHistory } from '../../src/features/clients/client-history.service';
import { ClientsService } from '../../src/features/clients/clients.service';
import { NewClients } from '../../src/features/clients/new-clients';
import { noteEvent } from '../../src/features/ledger/events';
import { type EventQuery, EventsService } from '../../src/features/ledger/events.service';
import { DeliveriesService } from '../../src/features/runs/deliveries.service';
import { DeliveriesExport } from '../../src/features/runs/deliveries-export.service';
import { Ledger, silent } from '../support/ledger';

/** What became known about deliveries: who sees it, in which order, and that no list reads all of it. */

const owner: Viewer = { userId: 1, role: 'user', via: 'token' };
const manager: Viewer = { userId: 2, role: 'manager', via: 'token' };
const stranger: Viewer = { userId: 3, role: 'user', via: 'token' };

let ledger: Ledger;
let events: EventsService;
let deliveries: DeliveriesService;

beforeAll(async () => {
  ledger = await Ledger.start();
  events = new EventsService(ledger.database);
  deliveries = new DeliveriesService(ledger.database, ledger.feed, ledger.config, silent);
  await ledger.make.user({ role: 'manager' });
  await ledger.make.user();
});
afterAll(() => ledger?.stop());

async function all<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page<T> = await list({ limit: 2, ...(cursor ? { cursor } : {}) });
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}
const sent = (ids: number[]) =>
  ledger.query(`UPDATE deliveries SET status = 'sent', claimed_by = NULL WHERE id = ANY($1)`, [ids]);

describe('events', () => {
  let runId: number;
  let mailingId: number;
  let ids: number[];
  let clientId: number;

  beforeAll(async () => {
    ({ runId, mailingId, ids } = await ledger.plannedRun(5));
    const other = await ledger.plannedRun(2);
    await sent([...ids, ...other.ids]);
    await ledger.make.events([ids[0]!, other.ids[0]!], 'delayed', 2);
    await ledger.make.events(ids.slice(0, 3), 'unsubscribed');
    await ledger.make.events([ids[0]!, ids[1]!, other.ids[1]!], 'bounced');
    await ledger.make.events([ids[4]!], 'complained');
    const [first] = await ledger.query<{ clientId: number }>('SELECT client_id FROM deliveries WHERE id = $1', [
      ids[0],
    ]);
    clientId = first!.clientId;
  });

  it.each<[string, () => Partial<EventQuery>]>([
    ['all that one may see', () => ({})],
    ['of a kind', () => ({ kind: 'bounced' })],
    ['of a run', () => ({ runId })],
    ['of a mailing', () => ({ mailingId })],
    ['of a client', () => ({ clientId })],
    ['of an owner', () => ({ ownerId: 1 })],
    ['of a kind, of a run', () => ({ kind: 'unsubscribed', runId })],
    ['of a kind, of a mailing and its owner', () => ({ kind: 'unsubscribed', mailingId, ownerId: 1 })],
    ['of a kind, of a client', () => ({ kind: 'delayed', clientId })],
    ['of the last hour', () => ({ from: new Date(Date.now() - 3_600_000), to: new Date(Date.now() + 3_600_000) })],
  ])('are listed newest first, page by page: %s', async (_, make) => {
    const query = make();
    const rows = await ledger.query<{ id: number }>(
      `SELECT id FROM delivery_events
        WHERE ($1::text IS NULL OR kind = $1) AND ($2::bigint IS NULL OR run_id = $2)
          AND ($3::bigint IS NULL OR mailing_id = $3) AND ($4::bigint IS NULL OR client_id = $4) ORDER BY id DESC`,
      [query.kind, query.runId, query.mailingId, query.clientId].map((value) => value ?? null),
    );
    expect(rows.length).toBeGreaterThan(1);
    for (const viewer of [owner, manager]) {
      const found = await all((page) => events.list(viewer, { ...query, ...page }));
      expect(found.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
      expect((await events.list(viewer, { ...query, limit: 1, withTotal: true })).total).toBe(rows.length);
    }
    expect(await all((page) => events.list(stranger, { ...query, ...page }))).toEqual([]);
  });

  it.each([
    ['before', { to: new Date(Date.now() - 3_600_000) }],
    ['after', { from: new Date(Date.now() + 3_600_000) }],
  ])('of a time %s them are none', async (_, query) => {
    expect((await events.list(owner, { ...query, limit: 10 })).items).toEqual([]);
  });

  it('of one delivery are for those who may see it', async () => {
    const kinds = async (viewer: Viewer) =>
      (await all((page) => events.ofDelivery(viewer, ids[0]!, page))).map(({ kind }) => kind);
    for (const viewer of [owner, manager])
      expect(await kinds(viewer)).toEqual(['bounced', 'unsubscribed', 'delayed', 'delayed']);
    expect((await events.ofDelivery(owner, ids[3]!, { limit: 5 })).items).toEqual([]);
    await expect(kinds(stranger)).rejects.toThrow(`Delivery ${ids[0]}`);
    await expect(events.ofDelivery(manager, 999_999, { limit: 5 })).rejects.toThrow('Delivery 999999');
  });

  it('stand with their delivery, each kind once, in the order in which they became known', async () => {
    const shown = (await deliveries.listOfRun(owner, runId, { limit: 10 })).items;
    expect(shown.map(({ status, events }) => [status, ...events])).toEqual([
      ['sent', 'delayed', 'unsubscribed', 'bounced'],
      ['sent', 'unsubscribed', 'bounced'],
      ['sent', 'unsubscribed'],
      ['sent'],
      ['sent', 'complained'],
    ]);
    const ofClient = (await deliveries.listOfClient(owner, clientId, { limit: 10 })).items;
    expect(ofClient.map(({ events }) => events)).toEqual([['delayed', 'unsubscribed', 'bounced']]);
  });

  it('filter the deliveries of a run, together with a status and a search', async () => {
    await ledger.query(`UPDATE deliveries SET status = 'failed' WHERE id = $1`, [ids[1]]);
    const found = async (query: object) =>
      (await all((page) => deliveries.listOfRun(owner, runId, { ...query, ...page }))).map(({ id }) => id);
    const total = async (query: object) =>
      (await deliveries.listOfRun(owner, runId, { ...query, limit: 1, withTotal: true })).total;
    const email = shown(await deliveries.listOfRun(owner, runId, { limit: 10 }));
    expect(await found({ event: 'unsubscribed' })).toEqual(ids.slice(0, 3));
    expect(await found({ event: 'delayed' })).toEqual([ids[0]]);
    expect(await found({ event: 'resubscribed' })).toEqual([]);
    expect(await found({ event: 'unsubscribed', status: 'sent' })).toEqual([ids[0], ids[2]]);
    expect(await found({ event: 'unsubscribed', search: '@example.com' })).toEqual(ids.slice(0, 3));
    expect(await found({ event: 'unsubscribed', status: 'failed', search: '@example' })).toEqual([ids[1]]);
    expect(await found({ event: 'bounced', search: email[2] })).toEqual([]);
    expect(await total({ event: 'unsubscribed' })).toBe(3);
    expect(await total({ event: 'delayed' })).toBe(1);
    expect(await total({ event: 'unsubscribed', status: 'sent' })).toBe(2);
  });
  const shown = ({ items }: { items: { email: string }[] }) => items.map(({ email }) => email);

  it('are a column of the CSV file', async () => {
    let text = '';
    for await (const part of new DeliveriesExport(deliveries, ledger.database).csv(owner, runId)) text += part;
    const [head, ...rows] = text.trim().split('\r\n');
    expect(head).toMatch(/,events$/);
    expect(rows.map((row) => row.split(',').at(-1))).toEqual([
      '"delayed;unsubscribed;bounced"',
      '"unsubscribed;bounced"',
      'unsubscribed',
      '',
      'complained',
    ]);
  });
});

/** A page of twenty rows with what is joined to them. */
const FEW = 500;

/** Runs the statement again and counts the pages of the database that it looks at. */
async function pagesRead({ sql, params }: { sql: string; params: unknown[] }): Promise<number> {
  const [row] = await ledger.query<Record<string, { Plan: Record<string, number> }[]>>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ${sql}`,
    params,
  );
  const { Plan: plan } = Object.values(row!)[0]![0]!;
  return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!;
}

/** A database that keeps what it was asked for. */
function listening() {
  const asked: { sql: string; params: unknown[] }[] = [];
  const database = Object.create(ledger.database) as Database;
  database.rows = <T>(sql: string, params: unknown[] = []) => {
    asked.push({ sql, params });
    return ledger.database.rows<T>(sql, params);
  };
  return { asked, database };
}

describe('of very many events', () => {
  /** The oldest, the newest, and one of another owner. */
  let runs: { runId: number; mailingId: number; ids: number[] }[];

  beforeAll(async () => {
    await ledger.query('TRUNCATE delivery_events');
    runs = [await ledger.plannedRun(2_000), await ledger.plannedRun(2_000)];
    const recipients = (id: number) => Array.from({ length: 2_000 }, (_, i) => `d${i}-${id}@example.com`);
    const foreign = await ledger.make.mailing({ ownerId: stranger.userId, recipients, status: 'started' });
    const runId = await ledger.make.run(foreign);
    await ledger.planner.plan(runId);
    runs.push({ runId, mailingId: foreign, ids: await ledger.ids(runId) });
    // The oldest are of very many runs, mailings and clients that are gone: nothing of them is counted.
    await ledger.query('ALTER TABLE delivery_events DISABLE TRIGGER USER');
    await ledger.query(
      `INSERT INTO delivery_events (delivery_id, run_id, mailing_id, owner_id, client_id, kind, source)
       SELECT 1000000 + n, 1000000 + n, 1000000 + n % 99, 1 + n % 9, 1000000 + n, 'delayed', 'smtp'
         FROM generate_series(1, 30000) n`,
    );
    await ledger.query('ALTER TABLE delivery_events ENABLE TRIGGER USER');
    await ledger.make.events(runs[0]!.ids.slice(0, 3), 'complained');
    for (const { ids } of runs) {
      await ledger.make.events(ids, 'bounced');
      await ledger.make.events(ids, 'delayed', 5);
    }
    await ledger.query('ANALYZE delivery_events');
    await ledger.query('ANALYZE deliveries');
  });

  it.each<[string, () => Partial<EventQuery>]>([
    ['all', () => ({})],
    ['a rare kind', () => ({ kind: 'complained' })],
    ['a kind of an owner', () => ({ kind: 'complained', ownerId: 1 })],
    ['a kind of a mailing', () => ({ kind: 'complained', mailingId: runs[0]!.mailingId })],
    ['a frequent kind of an old mailing', () => ({ kind: 'bounced', mailingId: runs[0]!.mailingId })],
    ['an old run', () => ({ runId: runs[0]!.runId })],
    ['a kind of an old run', () => ({ runId: runs[0]!.runId, kind: 'complained' })],
    ['an old mailing', () => ({ mailingId: runs[0]!.mailingId })],
    ['an owner', () => ({ ownerId: 1 })],
    ['a time', () => ({ from: new Date(0), to: new Date(1) })],
  ])('a page of %s reads few', async (_, make) => {
    const { asked, database } = listening();
    const list = new EventsService(database);
    for (const viewer of [owner, manager]) {
      const first = await list.list(viewer, { ...make(), limit: 20 });
      expect(await pagesRead(asked.at(-1)!)).toBeLessThan(FEW);
      if (first.nextCursor === null) continue;
      const second = await list.list(viewer, { ...make(), limit: 20, cursor: first.nextCursor });
      expect(second.items).toHaveLength(20);
      expect(await pagesRead(asked.at(-1)!)).toBeLessThan(FEW);
    }
  });

  it('those of a client, and those of a delivery, are found at once', async () => {
    const { asked, database } = listening();
    const list = new EventsService(database);
    const [id = 0] = runs[0]!.ids;
    const [{ clientId }] = (await ledger.query('SELECT client_id FROM deliveries WHERE id = $1', [id])) as [
      { clientId: number },
    ];
    for (const page of [
      await list.list(owner, { clientId, limit: 20 }),
      await list.ofDelivery(owner, id, { limit: 20 }),
    ])
      expect(page.items).toHaveLength(7);
    for (const query of [asked[0]!, asked.at(-1)!]) expect(await pagesRead(query)).toBeLessThan(FEW);
  });

  it('a page of deliveries reads their own, and a page of those with an event no others', async () => {
    const { asked, database } = listening();
    const list = new DeliveriesService(database, ledger.feed, ledger.config, silent);
    const { runId } = runs[0]!;
    for (const query of [{}, { event: 'bounced' as const }, { event: 'complained' as const }]) {
      const first = await list.listOfRun(owner, runId, { ...query, limit: 20 });
      if (first.nextCursor) await list.listOfRun(owner, runId, { ...query, limit: 20, cursor: first.nextCursor });
      const asking = asked.filter(({ sql }) => sql.includes('delivery_events')).at(-1)!;
      expect(await pagesRead(asking)).toBeLessThan(FEW);
    }
  });
});

describe('a client', () => {
  let clients: ClientsService;
  let history: ClientHistory;
  let keys: LinkKeys;

  beforeAll(() => {
    clients = new ClientsService(ledger.database, new NewClients());
    history = new ClientHistory(ledger.database, events);
    keys = new LinkKeys(ledger.database);
  });

  const add = async (email: string, more: Partial<Parameters<typeof suppress>[1]> = {}) =>
    suppress(ledger.database, {
      ...{ ownerId: 1, mailingId: null, emailKey: email, addressHash: await keys.hashOf(email) },
      ...{ reason: 'manual', source: 'user' },
      ...more,
    });
  const one = async (email: string) => {
    const [id = 0] = await ledger.make.clients(1, [email]);
    return id;
  };

  it('says why it gets no mail: of several reasons one of all mailings, then the gravest', async () => {
    const id = await one('Many@client.example');
    const present = async () => (await clients.get(owner, id)).suppression;
    expect(await present()).toBeNull();
    const mailingId = await ledger.make.mailing({ ownerId: 1, name: 'Weekly' });
    await add('many@client.example', { mailingId, reason: 'unsubscribed', source: 'page' });
    expect(await present()).toMatchObject({
      scope: 'mailing',
      mailingId,
      mailingName: 'Weekly',
      reason: 'unsubscribed',
    });
    await add('many@client.example');
    expect(await present()).toMatchObject({ scope: 'owner', mailingId: null, reason: 'manual' });
    await add('many@client.example', { reason: 'unsubscribed' });
    expect(await present()).toMatchObject({ scope: 'owner', reason: 'unsubscribed' });
    await add('many@client.example', { ownerId: null, reason: 'hard_bounce', source: 'smtp' });
    expect(await present()).toMatchObject({ scope: 'owner', reason: 'unsubscribed' });
    await add('many@client.example', { ownerId: null, reason: 'complaint', source: 'smtp' });
    expect(await present()).toMatchObject({
      scope: 'installation',
      reason: 'complaint',
      since: expect.any(Date) as Date,
    });
    const [listed] = (await clients.list(owner, { limit: 10, search: 'many@client' })).items;
    expect(listed?.suppression).toEqual(await present());
  });

  it('is not concerned by what others did, by what was lifted and by what has expired', async () => {
    const id = await one('free@client.example');
    await add('free@client.example', { ownerId: stranger.userId });
    await add('free@client.example', { reason: 'invalid' });
    await add('free@client.example');
    await ledger.query(
      `UPDATE suppressions SET created_at = now() - interval '3 hours', expires_at = now() - interval '1 hour'
        WHERE email_key = 'free@client.example' AND reason = 'invalid'`,
    );
    await ledger.query(
      `UPDATE suppressions SET created_at = now() - interval '2 hours', lifted_at = now(), lift_reason = 'They called',
              lifted_by = 2
        WHERE email_key = 'free@client.example' AND reason = 'manual' AND owner_id = 1`,
    );
    const client = await clients.get(owner, id);
    expect(client.suppression).toBeNull();
    const told = await history.of(owner, client);
    expect(told.map(({ what }) => what)).toEqual(['lifted', 'expired', 'suppressed', 'suppressed']);
    expect(told[0]).toMatchObject({
      suppression: { liftReason: 'They called', isLiftedByPerson: false, scope: 'owner' },
    });
  });

  it('has a history in which an unsubscribe and its suppression are one entry', async () => {
    const { ids } = await ledger.plannedRun(1);
    const [row] = await ledger.query<{ id: number; email: string }>(
      'SELECT client_id AS id, email FROM deliveries WHERE id = $1',
      ids,
    );
    const { id, email } = row!;
    await ledger.make.events(ids, 'delayed');
    const addressHash = await keys.hashOf(email);
    await ledger.database.transaction(async (tx) => {
      const of = { ownerId: 1, mailingId: null, emailKey: email, addressHash, deliveryId: ids[0]! };
      await suppress(tx, { ...of, reason: 'unsubscribed', source: 'one_click' });
      await noteEvent(tx, { deliveryId: ids[0]!, kind: 'unsubscribed', source: 'one_click', reason: 'owner' });
    });
    const client = await clients.get(owner, id);
    const told = await history.of(owner, client);
    expect(told.map(({ what, event }) => [what, event?.kind])).toEqual([
      ['suppressed', 'unsubscribed'],
      ['known', 'delayed'],
    ]);
    // Also where the address was erased from the suppression after it was lifted.
    await ledger.query(
      `UPDATE suppressions SET lifted_at = created_at + interval '1 second', lift_reason = 'resubscribed', email_key = NULL
        WHERE email_key = $1`,
      [email],
    );
    expect((await history.of(owner, client)).map(({ what }) => what)).toEqual(['lifted', 'suppressed', 'known']);
    expect(await history.of(stranger, { ...client, ownerId: stranger.userId })).toEqual([]);
  });

  it('is listed with one probe of an index', async () => {
    await ledger.query(
      `INSERT INTO suppressions (owner_id, email_key, address_hash, reason, source, lifted_at)
       SELECT 1, e, address_hash(e), 'manual', 'api', CASE WHEN n % 2 = 0 THEN now() END
         FROM generate_series(1, 6000) n, LATERAL (SELECT 's' || n || '@many.example' AS e) x`,
    );
    await ledger.query('ANALYZE suppressions');
    const { asked, database } = listening();
    await new ClientsService(database, new NewClients()).list(owner, { limit: 50 });
    expect(await pagesRead(asked.at(-1)!)).toBeLessThan(FEW);
    await new ClientHistory(database, new EventsService(database)).of(owner, {
      ...{ id: 1, ownerId: 1, email: 's2@many.example' },
    });
    const asking = asked.filter(({ sql }) => sql.includes('suppressions')).at(-1)!;
    expect(await pagesRead(asking)).toBeLessThan(20);
  });
});
