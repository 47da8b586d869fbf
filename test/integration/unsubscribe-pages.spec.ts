import { Client } from 'pg';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { PlannerService } from '../../src/features/runs/planner.service';
import { RedisConnection } from '../../src/queue/redis.module';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** The link in a letter, as mail programs, scanners and people use it; and what its owner sees and may do. */

let api: TestApi;
let owner: Person;
let other: Person;
let manager: Person;
let admin: Person;

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0, mailFrom: 'Shop <shop@example.org>' }, [WebModule]);
  owner = await api.person();
  other = await api.person();
  manager = await api.person('manager');
  admin = await api.person('admin');
});
afterAll(() => api.close());

let made = 0;

interface Sent {
  email: string;
  clientId: number;
  mailingId: number;
  runId: number;
  link: string;
}

/** A mailing to one new client, planned, and the link of its letter. */
async function letter(of: Person = owner, more: object = {}): Promise<Sent> {
  const email = `reader${++made}@client.example`;
  const post = async (path: string, body: unknown = {}) => {
    const answer = await api.call('POST', `/api/v1${path}`, { token: of.token, body });
    expect([200, 201, 202]).toContain(answer.status);
    return answer.body;
  };
  const clientId = (await post('/clients', { email, fullName: 'Reader' })).id;
  const messageId = (await post('/messages', messageBody())).id;
  const mailing = { audience: 'selected', clientIds: [clientId], period: 'daily', name: `News ${made}`, ...more };
  const mailingId = (await post('/mailings', mailingBody(messageId, mailing))).id;
  const runId = Number((await post(`/mailings/${mailingId}/send`)).runId);
  await api.app.get(PlannerService, { strict: false }).plan(runId);
  const delivery = await api.database.first<{ id: number }>('SELECT id FROM deliveries WHERE run_id = $1', [runId]);
  const sign = await api.app
    .get(LinkKeys, { strict: false })
    .signer({ kind: 'unsubscribe', ownerId: of.id, mailingId });
  return { email, clientId, mailingId, runId, link: `/u/${sign(delivery!.id, email)}` };
}

const ONE_CLICK = {
  body: 'List-Unsubscribe=One-Click',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
};
const form = (fields: Record<string, string>) => ({
  body: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
});
const status = async ({ runId }: Sent) =>
  api.database.first<{ status: string; reason: string | null }>(
    'SELECT status, reason FROM deliveries WHERE run_id = $1',
    [runId],
  );
const suppressionOf = async ({ email }: Sent, caller = owner) =>
  (await api.call('GET', `/api/v1/suppressions?search=${email}`, { token: caller.token })).body.items;

describe('a link that is opened', () => {
  it('a hundred times changes nothing, whatever asks', async () => {
    const sent = await letter();
    for (let i = 0; i < 34; i++)
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const answer = await api.call(method, sent.link, { headers: { 'user-agent': 'Mail-Scanner' } });
        expect(answer.status).toBe(method === 'OPTIONS' ? 405 : 200);
      }
    expect(await status(sent)).toEqual({ status: 'pending', reason: null });
    expect(await suppressionOf(sent)).toEqual([]);
  });

  it('shows the masked address, the sender and the mailing, and nothing of others', async () => {
    const sent = await letter();
    const { text, headers } = await api.call('GET', sent.link, { headers: { 'accept-language': 'en' } });
    expect(text).toContain('r•••@client.example');
    expect(text).not.toContain(sent.email);
    expect(text).toContain(`News ${made}`);
    expect(text).not.toMatch(/<script|https?:\/\//);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-robots-tag')).toContain('noindex');
    expect(headers.get('set-cookie')).toBeNull();
  });

  it('speaks the language that the reader chose, that of the browser, or that of the letter', async () => {
    const sent = await letter(owner, { language: 'ru' });
    const page = async (accept?: string, query = '') => {
      const headers = { ...(accept && { 'accept-language': accept }) };
      const { text } = await api.call('GET', sent.link + query, { headers });
      return /<html lang="(\w\w)"/.exec(text)?.[1];
    };
    await api.database.affected('UPDATE runs SET sender = $2 WHERE id = $1', [sent.runId, 'Shop <shop@example.org>']);
    expect([await page('en'), await page('ru-RU,ru'), await page('*'), await page('en', '?lang=ru')]).toEqual([
      'en',
      'ru',
      'ru',
      'ru',
    ]);
  });

  it.each(['x', 'AQAB', 'A'.repeat(70), '%00', '%E0%A4%A'])('is not there if nobody signed it: %s', async (link) => {
    for (const method of ['GET', 'POST']) {
      const { status, text } = await api.call(method, `/u/${link}`, {});
      expect([400, 404]).toContain(status);
      // Whoever comes from a letter has nothing to do with our other pages.
      if (status === 404) expect([text.includes('not copied in full'), text.includes('btn')]).toEqual([true, false]);
    }
  });

  it('one bit away from another is not there, and changes nothing', async () => {
    const sent = await letter();
    const bytes = Buffer.from(sent.link.slice(3), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 7) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      const answer = await api.call('POST', `/u/${forged.toString('base64url')}`, ONE_CLICK);
      expect(answer.status).toBe(404);
    }
    expect(await status(sent)).toEqual({ status: 'pending', reason: null });
  });
});

describe('one click', () => {
  it.each([
    ['as a form', ONE_CLICK.body, 'application/x-www-form-urlencoded'],
    [
      'as multipart',
      '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
      'multipart/form-data; boundary=b',
    ],
    ['without a body', '', 'application/x-www-form-urlencoded'],
  ])('unsubscribes %s: from anywhere, without a cookie or a redirect, once', async (_, body, type) => {
    const sent = await letter();
    const headers = { 'content-type': type, origin: 'https://mail.elsewhere.example', 'sec-fetch-site': 'cross-site' };
    for (let i = 0; i < 2; i++) {
      const answer = await api.call('POST', sent.link, { body, headers });
      expect([answer.status, answer.headers.get('location'), answer.headers.get('set-cookie')]).toEqual([
        200,
        null,
        null,
      ]);
    }
    expect(await status(sent)).toEqual({ status: 'skipped', reason: 'unsubscribed' });
    expect(await suppressionOf(sent)).toMatchObject([
      { reason: 'unsubscribed', source: 'one_click', mailingId: null, ownerId: owner.id },
    ]);
    const run = await api.call('GET', `/api/v1/runs/${sent.runId}`, { token: owner.token });
    expect(run.body).toMatchObject({
      after: { unsubscribed: 1 },
      skippedBy: { unsubscribed: 1 },
      counts: { total: 1, skipped: 1 },
    });
  });

  it('takes no more than a small body', async () => {
    const sent = await letter();
    const answer = await api.call('POST', sent.link, { ...ONE_CLICK, body: 'a='.padEnd(20_000, 'x') });
    expect(answer.status).toBe(413);
    expect(await status(sent)).toMatchObject({ status: 'pending' });
  });
});

describe('a link while something is away', () => {
  const database = async (statement: string) => {
    const url = new URL(api.config.databaseUrl);
    const name = url.pathname.slice(1);
    url.pathname = '/postgres';
    const admin = new Client({ connectionString: url.href });
    await admin.connect();
    await admin.query(statement.replaceAll(':name', name));
    await admin.end();
  };

  it('works without Redis', async () => {
    const sent = await letter();
    const { client } = api.app.get(RedisConnection, { strict: false });
    client.disconnect();
    try {
      expect((await api.call('POST', sent.link, ONE_CLICK)).status).toBe(200);
      expect((await api.call('GET', sent.link, {})).status).toBe(200);
      expect(await status(sent)).toEqual({ status: 'skipped', reason: 'unsubscribed' });
    } finally {
      await client.connect();
    }
  });

  it('is answered 503 without Postgres, says when to try again, and does it then', async () => {
    const sent = await letter();
    await database('ALTER DATABASE :name ALLOW_CONNECTIONS false');
    try {
      await database(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ':name'`);
      const answer = await api.call('POST', sent.link, ONE_CLICK);
      expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([503, true]);
    } finally {
      await database('ALTER DATABASE :name ALLOW_CONNECTIONS true');
    }
    expect(await status(sent)).toMatchObject({ status: 'pending' });
    expect((await api.call('POST', sent.link, ONE_CLICK)).status).toBe(200);
    expect(await status(sent)).toMatchObject({ status: 'skipped' });
  });
});

describe('the page', () => {
  it('unsubscribes from one mailing, then from all, and back', async () => {
    const sent = await letter();
    const one = await api.call('POST', sent.link, form({ action: 'unsubscribe', scope: 'mailing' }));
    expect(one.text).toContain(`News ${made}`);
    expect(await suppressionOf(sent)).toMatchObject([
      { reason: 'unsubscribed', source: 'page', mailingId: sent.mailingId },
    ]);
    await api.call('POST', sent.link, form({ action: 'unsubscribe', scope: 'owner' }));
    expect(await suppressionOf(sent)).toHaveLength(2);
    const back = await api.call('POST', sent.link, form({ action: 'resubscribe' }));
    expect([back.status, back.text.includes('subscribed again')]).toEqual([200, true]);
    expect(await suppressionOf(sent)).toEqual([]);
  });

  it('takes back nothing that others know about the address', async () => {
    const sent = await letter();
    await api.call('POST', '/api/v1/suppressions', { token: owner.token, body: { email: sent.email } });
    await api.call('POST', sent.link, form({ action: 'resubscribe' }));
    expect(await suppressionOf(sent)).toMatchObject([{ reason: 'manual' }]);
  });

  it('of a test letter says so and changes nothing', async () => {
    const sign = await api.app
      .get(LinkKeys, { strict: false })
      .signer({ kind: 'test', ownerId: owner.id, mailingId: 0 });
    const link = `/u/${sign(0, 'test@client.example')}`;
    expect((await api.call('GET', link, {})).text).toContain('test letter');
    expect((await api.call('POST', link, ONE_CLICK)).status).toBe(200);
    const found = await api.database.rows(`SELECT id FROM suppressions WHERE email_key = 'test@client.example'`);
    expect(found).toEqual([]);
  });
});

describe('a suppression', () => {
  it('outlives the deletion and the return of the client', async () => {
    const sent = await letter();
    await api.call('POST', sent.link, ONE_CLICK);
    await api.call('DELETE', `/api/v1/clients/${sent.clientId}`, { token: owner.token });
    const again = await api.call('POST', '/api/v1/clients/import', {
      token: owner.token,
      body: `email,full_name,comment\n${sent.email.toUpperCase()},Back,\n`,
      headers: { 'content-type': 'text/csv' },
    });
    expect(again.status).toBe(202);
    expect(await suppressionOf(sent)).toHaveLength(1);
  });

  it('is lifted by the person, or by a manager who says why; by a user only where it is a fact', async () => {
    const sent = await letter();
    await api.call('POST', sent.link, ONE_CLICK);
    const [{ id }] = (await suppressionOf(sent)) as [{ id: number }];
    const lift = (caller: Person, reason: string) =>
      api.call('POST', `/api/v1/suppressions/${id}/lift`, { token: caller.token, body: { reason } });
    expect((await lift(owner, 'please')).status).toBe(403);
    expect((await lift(other, 'please')).status).toBe(404);
    expect((await lift(manager, ' ')).status).toBe(400);
    expect((await lift(manager, 'They called us')).status).toBe(200);
    expect((await lift(manager, 'They called us')).body.code).toBe('SUPPRESSION_LIFTED');
    expect(await suppressionOf(sent)).toEqual([]);
    const audit = await api.call('GET', '/api/v1/audit?action=suppression.lift', { token: admin.token });
    expect(audit.body.items[0]).toMatchObject({ detail: { reason: 'unsubscribed', why: 'They called us' } });
  });

  it('that is a fact about an address is lifted by its owner once in thirty days, a complaint by an admin alone', async () => {
    const sent = await letter();
    const add = async (reason: string) =>
      (await api.call('POST', '/api/v1/suppressions', { token: owner.token, body: { email: sent.email, reason } })).body
        .id;
    const lift = async (caller: Person, id: number) => {
      const body = { reason: 'It exists' };
      const answer = await api.call('POST', `/api/v1/suppressions/${id}/lift`, { token: caller.token, body });
      return answer.body.code ?? answer.status;
    };
    expect(await lift(owner, await add('hard_bounce'))).toBe(200);
    const again = await add('hard_bounce');
    expect(await lift(owner, again)).toBe('LIFTED_LATELY');
    expect(await lift(manager, again)).toBe(200);
    const complaint = await add('complaint');
    expect([await lift(owner, complaint), await lift(manager, complaint)]).toEqual(['FORBIDDEN', 'FORBIDDEN']);
    expect(await lift(admin, complaint)).toBe(200);
  });

  it('by hand skips what is still open, at once', async () => {
    const sent = await letter();
    const added = await api.call('POST', '/api/v1/suppressions', {
      token: owner.token,
      body: { email: sent.email.toUpperCase() },
    });
    expect(added.body).toMatchObject({ reason: 'manual', email: sent.email, ownerId: owner.id });
    expect(await status(sent)).toEqual({ status: 'skipped', reason: 'manual' });
    const csv = await api.call('GET', '/api/v1/suppressions.csv', { token: owner.token });
    expect(csv.text).toContain(`${sent.email},manual,`);
    expect((await api.call('GET', '/api/v1/suppressions.csv', { token: other.token })).text).not.toContain(sent.email);
  });
});

describe('the check before the start', () => {
  const preflight = async ({ mailingId }: Pick<Sent, 'mailingId'>, caller = owner) =>
    (await api.call('GET', `/api/v1/mailings/${mailingId}/preflight`, { token: caller.token })).body;

  it('says who gets nothing, and why', async () => {
    const [one, two] = [await letter(), await letter()];
    await api.call('POST', two.link, ONE_CLICK);
    await api.call('POST', `/api/v1/mailings/${one.mailingId}/clients`, {
      token: owner.token,
      body: { clientIds: [two.clientId] },
    });
    expect(await preflight(one)).toMatchObject({ findings: [], chosen: 2, eligible: 1, excluded: { unsubscribed: 1 } });
    expect(await preflight(two)).toMatchObject({
      findings: [{ code: 'NOBODY_ELIGIBLE', level: 'block' }],
      chosen: 1,
      eligible: 0,
    });
  });

  it('keeps a mailing without a postal address from starting, until there is one', async () => {
    const bare = await startApi({ senderAddress: '' }, [WebModule]);
    try {
      const { token, email } = await bare.person();
      const boss = await bare.person('manager', 'boss@example.org');
      const post = (path: string, body: object = {}) => bare.call('POST', `/api/v1${path}`, { token, body });
      await post('/clients', { email: 'a@client.example', fullName: 'A' });
      const messageId = (await post('/messages', messageBody())).body.id;
      const mailingId = (await post('/mailings', mailingBody(messageId))).body.id;
      for (const path of ['start', 'send']) {
        const refused = await post(`/mailings/${mailingId}/${path}`);
        expect(refused.status).toBe(409);
        expect(refused.body).toMatchObject({
          code: 'PREFLIGHT_BLOCKED',
          findings: [{ code: 'POSTAL_ADDRESS_MISSING', level: 'block' }],
        });
      }
      expect((await post(`/mailings/${mailingId}/start`, { override: 'I want to' })).status).toBe(403);
      const { cookie } = await bare.signIn(email);
      expect((await bare.call('GET', `/mailings/${mailingId}`, { cookie })).text).toContain('/sender');
      const saved = await bare.call('PATCH', '/api/v1/sender', {
        token,
        body: { postalAddress: 'High Street 1\nOldtown' },
      });
      expect(saved.body).toEqual({
        name: '',
        logo: '',
        accent: '',
        background: '',
        font: '',
        replyTo: '',
        postalAddress: 'High Street 1\nOldtown',
        unsubscribeText: '',
        version: 1,
      });
      expect((await post(`/mailings/${mailingId}/start`)).status).toBe(200);

      const own = (await bare.call('POST', '/api/v1/messages', { token: boss.token, body: messageBody() })).body.id;
      await bare.call('POST', '/api/v1/clients', {
        token: boss.token,
        body: { email: 'b@client.example', fullName: 'B' },
      });
      const theirs = await bare.call('POST', '/api/v1/mailings', { token: boss.token, body: mailingBody(own) });
      const started = await bare.call('POST', `/api/v1/mailings/${theirs.body.id}/start`, {
        token: boss.token,
        body: { override: 'Tested by hand' },
      });
      expect(started.status).toBe(200);
    } finally {
      await bare.close();
    }
  });

  it('lets a transactional mailing go without, if it says why it is one', async () => {
    const wrong = await api.call('POST', '/api/v1/mailings', {
      token: owner.token,
      body: mailingBody(
        (await api.call('POST', '/api/v1/messages', { token: owner.token, body: messageBody() })).body.id,
        { kind: 'transactional' },
      ),
    });
    expect(wrong.body.errors).toMatchObject([{ field: 'transactionalReason', code: 'required' }]);
    const sent = await letter(owner, { kind: 'transactional', transactionalReason: 'Invoices' });
    const mailing = await api.call('GET', `/api/v1/mailings/${sent.mailingId}`, { token: owner.token });
    expect(mailing.body).toMatchObject({ kind: 'transactional', transactionalReason: 'Invoices' });
    await api.call('POST', sent.link, ONE_CLICK);
    expect(await status(sent)).toEqual({ status: 'pending', reason: null });
  });

  it.each([
    [{ replyTo: 'nobody' }, 'replyTo'],
    [{ name: 'a"b' }, 'name'],
    [{ name: 'a\nb' }, 'name'],
    [{ postalAddress: 'x'.repeat(501) }, 'postalAddress'],
  ])('of a sender names what is wrong: %j', async (change, field) => {
    const answer = await api.call('PATCH', '/api/v1/sender', { token: owner.token, body: change });
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([400, field]);
  });
});
