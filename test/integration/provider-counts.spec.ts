import { DeliverabilityService } from '../../src/features/statistics/deliverability.service';
import { ProviderCounts } from '../../src/features/statistics/provider-counts.service';
import { ProviderLookup } from '../../src/features/statistics/provider-lookup.service';
import { FakeDns } from '../support/fake-dns';
import { Ledger } from '../support/ledger';

/** How letters fare at providers: each answer and each event is counted once, whatever happens in between. */

let ledger: Ledger;
let dns: FakeDns;
let counts: ProviderCounts;
const viewer = { userId: 1, role: 'user' as const };

beforeAll(async () => {
  ledger = await Ledger.start();
  dns = await FakeDns.start({});
  counts = new ProviderCounts(ledger.database);
});
afterAll(async () => {
  await dns.close();
  await ledger.stop();
});
beforeEach(async () => {
  dns.set({});
  await ledger.query(`TRUNCATE deliveries, attempts, delivery_events, provider_stats, domain_stats, domain_providers,
    uncounted_attempts, uncounted_events`);
});

const lookup = () => new ProviderLookup(ledger.database, { dnsServers: [dns.address] });
/** Transactions of other tests on this server may be under way. */
async function countAll(): Promise<void> {
  for (let i = 0; i < 20; i++) if ((await counts.count()) === 'all') return;
  throw new Error('not counted');
}
const report = (days = 30) => new DeliverabilityService(ledger.database).report(viewer, { days, timeZone: 'UTC' });
async function byProvider(): Promise<Record<string, object>> {
  const { providers } = await report();
  return Object.fromEntries(
    providers.map(({ provider, sent, refused, deferred, bounced, softBounced, complained }) => [
      provider,
      { sent, refused, deferred, bounced, softBounced, complained },
    ]),
  );
}
const of = (some: object) => ({ sent: 0, refused: 0, deferred: 0, bounced: 0, softBounced: 0, complained: 0, ...some });

/** A delivery to each of these addresses. */
async function deliveries(emails: string[]): Promise<number[]> {
  const { runId } = await ledger.run(0);
  const rows = await ledger.query<{ id: number }>(
    `INSERT INTO deliveries (run_id, client_id, email, status)
     SELECT $1, n, email, 'sent' FROM unnest($2::text[]) WITH ORDINALITY AS u(email, n) RETURNING id`,
    [runId, emails],
  );
  return rows.map(({ id }) => id);
}
const INSERT = `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number,
    status, reply_code)
  SELECT d.id, d.run_id, r.mailing_id, r.owner_id, d.client_id, 1, $2, $3, $4
    FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE d.id = ANY($1)`;
const attempt = (ids: number[], status = 'ok', code: number | null = 250, n = 1) =>
  ledger.query(INSERT, [ids, n, status, code]);

test('answers and events are counted at the provider of the domain, each once', async () => {
  dns.set({ 'MX firm.example': ['aspmx.l.google.com'], 'MX own.example': ['mail.own.example'] });
  const ids = await deliveries(['a@gmail.com', 'b@Firm.example', 'c@own.example', 'd@nowhere.example', 'e@mail.ru']);
  await attempt(ids.slice(0, 4));
  await attempt(ids.slice(4), 'failed', 451);
  await attempt(ids.slice(4), 'failed', 550, 2);
  await attempt(ids.slice(4), 'failed', null, 3);
  await ledger.make.events([ids[0]!], 'bounced');
  await ledger.make.events([ids[0]!, ids[1]!], 'complained');
  await ledger.make.events([ids[1]!], 'soft_bounced');
  await ledger.make.events([ids[1]!], 'unsubscribed');
  const expected = {
    google: of({ sent: 2, bounced: 1, softBounced: 1, complained: 2 }),
    other: of({ sent: 2 }),
    mailru: of({ refused: 1, deferred: 1 }),
  };

  await countAll();
  // Before anybody was looked up.
  expect(await byProvider()).toEqual({
    other: of({ sent: 4, refused: 1, deferred: 1, bounced: 1, softBounced: 1, complained: 2 }),
  });
  expect(await lookup().look()).toBe(5);
  expect(await byProvider()).toEqual(expected);
  expect(dns.asked.sort()).toEqual(['MX firm.example', 'MX nowhere.example', 'MX own.example']);
  expect(await ledger.query('SELECT * FROM domain_stats')).toEqual([]);

  // Nothing new: nothing is counted again, nobody is looked up again.
  await countAll();
  expect(await lookup().look()).toBe(0);
  expect(await byProvider()).toEqual(expected);

  await attempt([ids[1]!], 'ok', 250, 2);
  await countAll();
  expect((await byProvider()).google).toEqual(of({ sent: 3, bounced: 1, softBounced: 1, complained: 2 }));
});

test('an attempt whose transaction ends long after later ones is counted, too', async () => {
  const [first, second] = await deliveries(['a@gmail.com', 'b@gmail.com']);
  const slow = ledger.database.dataSource.createQueryRunner();
  await slow.startTransaction();
  // As the ledger does: the delivery is moved first.
  await slow.query('UPDATE deliveries SET updated_at = now() WHERE id = $1', [first]);
  await slow.query(INSERT, [[first], 1, 'ok', 250]);
  await attempt([second!]);
  const before = (await report()).countedUntil;
  expect(await counts.count()).toBe('not_all');
  expect(await byProvider()).toEqual({});
  expect((await report()).countedUntil).toEqual(before);
  await slow.commitTransaction();
  await slow.release();
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 2 }) });
  expect((await report()).countedUntil).not.toEqual(before);
}, 30_000);

test('an answer that came late is counted once, whether its attempt was counted before or not', async () => {
  const ids = await deliveries(['a@gmail.com', 'b@gmail.com']);
  await attempt(ids, 'unknown', null);
  const answer = (id: number) =>
    ledger.query(`UPDATE attempts SET status = 'ok', reply_code = 250 WHERE delivery_id = $1`, [id]);
  await answer(ids[0]!);
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 1 }) });
  await answer(ids[1]!);
  await countAll();
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 2 }) });
  expect(await ledger.query('SELECT * FROM uncounted_attempts')).toEqual([]);
});

test('what many processes count at once is counted once', async () => {
  const ids = await deliveries(Array.from({ length: 500 }, (_, n) => `c${n}@d${n % 50}.example`));
  await attempt(ids);
  await Promise.all(Array.from({ length: 6 }, () => counts.count()));
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 500 }) });
  await Promise.all([lookup().look(), lookup().look(), counts.count()]);
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 500 }) });
});

test('without DNS a domain is asked about again, and counts as other until then', async () => {
  dns.set({ 'MX firm.example': null, 'MX silent.example': null });
  await attempt(await deliveries(['a@firm.example', 'b@silent.example']));
  await countAll();
  await lookup().look();
  expect(await byProvider()).toEqual({ other: of({ sent: 2 }) });
  expect((await report()).waitingDomains).toBe(2);
  // Not before it is due.
  expect(await lookup().look()).toBe(0);
  dns.set({ 'MX firm.example': ['mx.yandex.net'], 'MX silent.example': null });
  const due = () => ledger.query('UPDATE domain_providers SET next_check_at = now()');
  for (let i = 0; i < 4; i++) {
    await due();
    await lookup().look();
  }
  expect(await byProvider()).toEqual({ yandex: of({ sent: 1 }), other: of({ sent: 1 }) });
  expect((await report()).waitingDomains).toBe(0);
  const [firm] = await ledger.query<{ days: number; mx: string }>(
    `SELECT extract(day FROM next_check_at - now())::int AS days, mx FROM domain_providers WHERE domain = 'firm.example'`,
  );
  expect(firm).toEqual({ days: 29, mx: 'mx.yandex.net' });
  // Who moves to another provider keeps what was.
  dns.set({ 'MX firm.example': ['smtp.google.com'] });
  await due();
  await lookup().look();
  expect(await byProvider()).toMatchObject({ yandex: of({ sent: 1 }) });
  await attempt(await deliveries(['a@firm.example']));
  await countAll();
  expect(await byProvider()).toMatchObject({ yandex: of({ sent: 1 }), google: of({ sent: 1 }) });
}, 60_000);

test('of a person who was erased no domain is asked about', async () => {
  await attempt(await deliveries(['erased:1', 'erased:2']));
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 2 }) });
  expect(await ledger.query('SELECT * FROM domain_providers')).toEqual([]);
});

test('after a restore into another server counting goes on', async () => {
  await ledger.query(`UPDATE provider_counting SET seen_xmax = '9999999999'`);
  await attempt(await deliveries(['a@gmail.com']));
  await countAll();
  expect(await byProvider()).toEqual({ other: of({ sent: 1 }) });
});

test('days are those of the zone that is asked for; an owner sees their own, a manager all', async () => {
  const stranger = await ledger.make.user();
  await ledger.query(
    `INSERT INTO provider_stats (owner_id, bucket_at, provider, sent) VALUES
      (1, date_trunc('day', now(), 'UTC') - interval '30 minutes', 'google', 7), ($1, now(), 'google', 100)`,
    [stranger],
  );
  const service = new DeliverabilityService(ledger.database);
  const own = await service.report(viewer, { days: 2, timeZone: 'UTC' });
  expect(own.items.map(({ sent }) => sent)).toEqual([7, 0]);
  expect((await service.report(viewer, { days: 1, timeZone: 'UTC' })).total.sent).toBe(0);
  const asked = (ownerId: number) => service.report(viewer, { days: 2, timeZone: 'UTC', ownerId });
  expect((await asked(stranger)).total.sent).toBe(0);
  const manager = { userId: 99, role: 'manager' as const };
  expect((await service.report(manager, { days: 2, timeZone: 'UTC' })).total.sent).toBe(107);
  expect((await service.report(manager, { days: 2, timeZone: 'UTC', ownerId: 1 })).total.sent).toBe(7);
  const kathmandu = await service.report(viewer, { days: 90, timeZone: 'Asia/Kathmandu' });
  expect(kathmandu.total.sent).toBe(7);
  await expect(service.report(viewer, { days: 91, timeZone: 'UTC' })).rejects.toThrow();
});
