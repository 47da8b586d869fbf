import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { noteEvent } from '../../src/features/ledger/events';
import { PlannerService } from '../../src/features/runs/planner.service';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** What became known after a letter was sent, as REST, pages, reports and metrics tell it. */

let api: TestApi;
let owner: Person;
let other: Person;
let manager: Person;

interface Sent {
  mailingId: number;
  runId: number;
  deliveryIds: number[];
  clientIds: number[];
  emails: string[];
}

let made = 0;
const get = async (path: string, caller = owner) => (await api.call('GET', `/api/v1${path}`, caller)).body;
const page = async (path: string, caller = owner) =>
  (await api.call('GET', path, { cookie: (await api.signIn(caller.email)).cookie })).text;
const words = (html: string) =>
  html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

/** A mailing that was sent to so many new clients. */
async function send(count: number): Promise<Sent> {
  const post = async (path: string, body: unknown = {}) => {
    const answer = await api.call('POST', `/api/v1${path}`, { token: owner.token, body });
    expect([200, 201, 202]).toContain(answer.status);
    return answer.body;
  };
  const emails = Array.from({ length: count }, () => `reader${++made}@client.example`);
  const clientIds: number[] = [];
  for (const email of emails) clientIds.push((await post('/clients', { email, fullName: 'Reader' })).id);
  const messageId = (await post('/messages', messageBody())).id;
  const mailing = { audience: 'selected', clientIds, period: 'daily', name: `News ${made}` };
  const mailingId = (await post('/mailings', mailingBody(messageId, mailing))).id;
  const runId = Number((await post(`/mailings/${mailingId}/send`)).runId);
  await api.app.get(PlannerService, { strict: false }).plan(runId);
  const rows = await api.database.rows<{ id: number }>(
    `UPDATE deliveries SET status = 'sent' WHERE run_id = $1 RETURNING id`,
    [runId],
  );
  return { mailingId, runId, clientIds, emails, deliveryIds: rows.map(({ id }) => id).sort((a, b) => a - b) };
}

async function leave({ mailingId, deliveryIds, emails }: Sent, which = 0) {
  const keys = api.app.get(LinkKeys, { strict: false });
  const sign = await keys.signer({ kind: 'unsubscribe', ownerId: owner.id, mailingId });
  const answer = await api.call('POST', `/u/${sign(deliveryIds[which]!, emails[which]!)}`, {
    body: 'List-Unsubscribe=One-Click',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(answer.status).toBe(200);
}
const note = (deliveryId: number, kind: 'bounced' | 'complained' | 'delayed') =>
  api.database.transaction((tx) => noteEvent(tx, { deliveryId, kind, source: 'smtp', reason: 'user_unknown' }));

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  [owner, other, manager] = [await api.person(), await api.person(), await api.person('manager')];
});
afterAll(() => api.close());

describe('by REST', () => {
  it('an event says of which letter it is, and how it became known', async () => {
    const sent = await send(2);
    const [deliveryId = 0] = sent.deliveryIds;
    await note(deliveryId, 'delayed');
    await leave(sent);
    const { items, nextCursor } = await get(`/deliveries/${deliveryId}/events`);
    expect(nextCursor).toBeNull();
    expect(items.map(({ kind }) => kind)).toEqual(['unsubscribed', 'delayed']);
    expect(items[0]).toEqual({
      ...{ id: expect.any(Number) as number, createdAt: expect.any(String) as string, deliveryId, runId: sent.runId },
      ...{ mailingId: sent.mailingId, mailingName: `News ${made}`, clientId: sent.clientIds[0], ownerId: owner.id },
      ...{ email: sent.emails[0], kind: 'unsubscribed', source: 'one_click', enhancedCode: null, reply: null },
      reason: 'owner',
    });
    expect((await get(`/events?runId=${sent.runId}`)).items).toEqual(items);
    expect((await get(`/events?runId=${sent.runId}&kind=delayed`)).items).toEqual([items[1]]);
    expect((await get(`/events?mailingId=${sent.mailingId}&clientId=${sent.clientIds[1]}`)).items).toEqual([]);
    expect((await get(`/events?runId=${sent.runId}`, manager)).items).toEqual(items);
    expect((await get(`/events?runId=${sent.runId}`, other)).items).toEqual([]);
    const answers = [owner, manager, other].map((caller) =>
      api.call('GET', `/api/v1/deliveries/${deliveryId}/events`, caller),
    );
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 404]);
    for (const query of ['kind=opened', 'from=yesterday', 'runId=0'])
      expect((await api.call('GET', `/api/v1/events?${query}`, owner)).status).toBe(400);
  });

  it('a delivery has the kinds beside its status, and its run the numbers beside its counts', async () => {
    const sent = await send(3);
    await note(sent.deliveryIds[1]!, 'bounced');
    await note(sent.deliveryIds[2]!, 'complained');
    await leave(sent);
    const { items } = await get(`/runs/${sent.runId}/deliveries`);
    expect(items.map(({ status, events }) => [status, events])).toEqual([
      ['sent', ['unsubscribed']],
      ['sent', ['bounced']],
      ['sent', ['complained']],
    ]);
    const filtered = await get(`/runs/${sent.runId}/deliveries?event=bounced&withTotal=true`);
    expect([filtered.items.map(({ id }) => id), filtered.total]).toEqual([[sent.deliveryIds[1]], 1]);
    expect(await get(`/runs/${sent.runId}`)).toMatchObject({
      counts: { total: 3, sent: 3 },
      after: { bounced: 1, softBounced: 0, complained: 1, unsubscribed: 1 },
    });
    const csv = await api.call('GET', `/api/v1/runs/${sent.runId}/deliveries.csv`, owner);
    expect(csv.text.trim().split('\r\n').at(-1)).toMatch(/,complained$/);
  });

  it('a client says why it gets nothing, from the moment it is made', async () => {
    const sent = await send(1);
    const path = `/clients/${sent.clientIds[0]}`;
    expect((await get(path)).suppression).toBeNull();
    await leave(sent);
    const suppression = {
      reason: 'unsubscribed',
      scope: 'owner',
      mailingId: null,
      since: expect.any(String) as string,
    };
    expect((await get(path)).suppression).toEqual(suppression);
    expect((await get(`/clients?search=${sent.emails[0]}`)).items).toMatchObject([{ suppression }]);
    await api.call('DELETE', `/api/v1${path}`, owner);
    const body = { email: sent.emails[0]?.toUpperCase(), fullName: 'Back' };
    const back = await api.call('POST', '/api/v1/clients', { ...owner, body });
    expect(back.body).toMatchObject({ suppression });
    const changed = await api.call('PATCH', `/api/v1/clients/${back.body.id}`, { ...owner, body: { fullName: 'B' } });
    expect(changed.body).toMatchObject({ suppression, fullName: 'B' });
    const theirs = await api.call('POST', '/api/v1/clients', { ...other, body });
    expect(theirs.body.suppression).toBeNull();
  });

  it('reports count it by day and mailing, and metrics over the last day', async () => {
    const reporter = await api.person();
    const kept = owner;
    owner = reporter;
    try {
      const sent = await send(3);
      await note(sent.deliveryIds[1]!, 'bounced');
      await note(sent.deliveryIds[2]!, 'complained');
      await leave(sent);
      const counts = {
        sent: 3,
        failed: 0,
        unknown: 0,
        skipped: 0,
        cancelled: 0,
        bounced: 1,
        complained: 1,
        unsubscribed: 1,
      };
      const report = await get('/reports?by=day&timeZone=UTC');
      expect(report.total).toEqual(counts);
      expect(report.items.at(-1)).toMatchObject(counts);
      expect(report.mailings).toEqual([{ id: sent.mailingId, name: `News ${made}`, ...counts }]);
      const csv = await api.call('GET', '/api/v1/reports/periods.csv?by=day', owner);
      const [head, ...days] = csv.text.trim().split('\r\n');
      expect(head).toBe('day,sent,failed,unknown,skipped,bounced,complained,unsubscribed,cancelled');
      expect(days.at(-1)).toMatch(/,3,0,0,0,1,1,1,0$/);
      const shown = words(await page('/reports'));
      expect(shown).toContain('Unsubscribed 1 33% of sent');
      expect(shown).toContain('Bounced 1 · Complaints 1 · Unsubscribed 1');
      expect(words(await page('/'))).toContain('Unique recipients 3 1 unsubscribed in 30 days');
    } finally {
      owner = kept;
    }
    const metrics = (await api.call('GET', '/api/v1/metrics')).text;
    const [{ n }] = (await api.database.rows(
      `SELECT count(*) AS n FROM delivery_events WHERE kind = 'unsubscribed'`,
    )) as [{ n: number }];
    expect(metrics).toContain(`gonets_delivery_events{kind="unsubscribed"} ${n}\n`);
    expect(metrics).toContain('gonets_delivery_events{kind="soft_bounced"} 0\n');
  });

  it('a mailing of which only something became known in a time is in its report', async () => {
    const sent = await send(1);
    await api.database.affected('DELETE FROM stats WHERE mailing_id = $1', [sent.mailingId]);
    await leave(sent);
    const report = await get(`/reports?by=day&mailingId=${sent.mailingId}`);
    expect(report.mailings).toMatchObject([{ id: sent.mailingId, sent: 0, unsubscribed: 1 }]);
    expect(words(await page(`/reports?mailingId=${sent.mailingId}`))).not.toContain('Nothing was sent');
  });
});

describe('on pages', () => {
  it('a run has numbers that lead to the deliveries, badges beside their status, and reasons in words', async () => {
    const sent = await send(3);
    await note(sent.deliveryIds[1]!, 'bounced');
    await leave(sent);
    await api.database.affected(`UPDATE deliveries SET status = 'skipped', reason = 'hard_bounce' WHERE id = $1`, [
      sent.deliveryIds[2],
    ]);
    const html = await page(`/runs/${sent.runId}`);
    expect(words(html)).toContain('Skipped: letters to this address come back (1)');
    expect(words(html)).toContain('After sending Bounced 1 Unsubscribed 1');
    expect(html).toContain(`href="/runs/${sent.runId}?event=unsubscribed"`);
    expect(words(html)).toMatch(/All 3 .*Sent 2 .*Skipped 1/);
    expect(words(html)).toMatch(/reader\d+@client.example Reader Sent Unsubscribed/);
    const filtered = await page(`/runs/${sent.runId}?event=bounced`);
    expect(filtered).toContain(sent.emails[1]);
    expect(filtered.slice(filtered.indexOf('id="results"'))).not.toContain(sent.emails[0]);
    expect(filtered).toMatch(/<option value="bounced" selected/);
    const live = await page(`/runs/${sent.runId}/live?event=bounced`);
    expect(live).toContain('After sending');
    expect(words(await page(`/mailings/${sent.mailingId}`))).toContain('After sending Bounced 1 Unsubscribed 1');
  });

  it.each([
    [
      'en',
      'This client gets no mailings: unsubscribed, since',
      'Unsubscribed News N gets no mailings; with the button of a mail program',
      "Bounced News N by the mail server's answer; there is no such mailbox",
    ],
    [
      'ru',
      'Этот клиент не получает рассылок с',
      'Отписка News N не получает рассылок; кнопкой в почтовой программе',
      'Вернулось News N по ответу почтового сервера; нет такого ящика',
    ],
  ])('a client has a history and, on top, why it gets nothing: %s', async (language, why, left, bounced) => {
    await api.call('PATCH', '/api/v1/me', { ...owner, body: { language } });
    const sent = await send(1);
    const path = `/clients/${sent.clientIds[0]}`;
    const before = words(await page(path)).replace(/News \d+/g, 'News N');
    for (const part of [why, left, bounced]) expect(before).not.toContain(part);
    await note(sent.deliveryIds[0]!, 'bounced');
    await leave(sent);
    const html = await page(path);
    expect(html).toContain(`href="/suppressions?search=${encodeURIComponent(sent.emails[0]!)}"`);
    const text = words(html).replace(/News \d+/g, 'News N');
    for (const part of [why, left, bounced]) expect(text).toContain(part);
    const list = words(await page(`/clients?search=${sent.emails[0]}`));
    expect(list).toContain(language === 'en' ? 'unsubscribed' : 'отписка');
    await api.call('PATCH', '/api/v1/me', { ...owner, body: { language: 'en' } });
  });

  it('a history tells who lifted what, and why', async () => {
    const sent = await send(1);
    await leave(sent);
    const [{ id }] = (await get(`/suppressions?search=${sent.emails[0]}`)).items as [{ id: number }];
    const lift = { token: manager.token, body: { reason: 'They called us' } };
    expect((await api.call('POST', `/api/v1/suppressions/${id}/lift`, lift)).status).toBe(200);
    const html = await page(`/clients/${sent.clientIds[0]}`);
    expect(words(html)).toContain('Included again They called us');
    expect(html).not.toContain('This client gets no mailings');
  });
});
