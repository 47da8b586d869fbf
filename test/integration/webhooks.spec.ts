import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { request } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ProviderName, providerNames } from '../../src/domain/providers/provider';
import { InboundJudge } from '../../src/features/inbound/inbound-judge.service';
import { InboundLetters } from '../../src/features/inbound/inbound-letters.service';
import { pathToLog } from '../../src/logging/logging.module';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { about, INBOUND_SETTINGS, type SentLetter, sentTo } from '../support/inbound-rig';
import { SNS_CERTIFICATE, SNS_CERTIFICATE_URL, SNS_TOPIC, snsConfirmation, snsNotification } from '../support/sns';
import { type WebhookCase, webhookCases } from '../support/webhook-cases';

/** What mail providers report: only with the right secret and signature, each report once, whatever they send. */

let api: TestApi;
let manager: Person;
let owner: Person;
/** Requests of the service to other hosts, and what they get. */
let left: string[] = [];
const amazon = (url: string) => new Response(url.endsWith('.pem') ? SNS_CERTIFICATE : '<ConfirmSubscriptionResponse/>');
let answerOf = amazon;
const ask = globalThis.fetch;

beforeAll(async () => {
  api = await startApi({ ...INBOUND_SETTINGS, apiCallsPerMinute: 0 });
  manager = await api.person('manager');
  owner = await api.person();
  jest.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url.startsWith(api.url)) return ask(input, init);
    left.push(url);
    expect(init?.redirect).toBe('error');
    return Promise.resolve(answerOf(url));
  });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await api?.close();
});
beforeEach(() => {
  left = [];
  answerOf = amazon;
});

const query = <T>(sql: string, params: unknown[] = []) => api.database.rows<T>(sql, params);

interface Made {
  id: number;
  path: string;
}

async function make(provider: ProviderName, signingKey?: string): Promise<Made> {
  const body = { provider, ...(signingKey && { signingKey }) };
  const made = await api.call('POST', '/api/v1/inbound/webhooks', { token: manager.token, body });
  expect(made.status).toBe(201);
  return { id: made.body.id, path: new URL(String(made.body.url)).pathname };
}
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  api.call('POST', path, { body: typeof body === 'string' ? body : JSON.stringify(body), headers });
const refusalOf = async ({ id }: Made) =>
  (await query<{ refusal: string | null }>('SELECT refusal FROM webhook_secrets WHERE id = $1', [id]))[0]?.refusal;
/** Judges all that came in, as a worker does. */
async function judgeAll() {
  for (const { id } of await query<{ id: number }>(
    'SELECT id FROM inbound_letters WHERE judged_at IS NULL ORDER BY id',
  ))
    await api.app.get(InboundJudge, { strict: false }).judge(id);
}
const kept = () => query<{ n: number }>('SELECT count(*)::int AS n FROM inbound_letters').then(([row]) => row!.n);
/** A webhook of SES whose subscription is confirmed. */
async function confirmed(): Promise<Made> {
  const webhook = await make('ses');
  expect((await post(webhook.path, snsConfirmation())).status).toBe(200);
  left = [];
  return webhook;
}

const EVENT: Record<string, string | undefined> = {
  hard: 'bounced',
  soft: 'soft_bounced',
  complaint: 'complained',
  unsubscribe: 'unsubscribed',
  'auto-reply': 'auto_replied',
};

describe.each(providerNames)('%s', (provider) => {
  let webhook: Made;
  beforeAll(async () => {
    webhook = provider === 'ses' ? await confirmed() : await make(provider);
  });

  it.each(webhookCases(provider).map((of, i) => [of.title, of, i] as const))('%s', async (_, of, i) => {
    const [letter] = (await sentTo(api, owner.id, [`anna.k${i}@${provider}.example`])) as [SentLetter];
    // It was sent before what the examples tell of it.
    await query(`UPDATE deliveries SET updated_at = '2026-11-30T07:59:00Z' WHERE id = $1`, [letter.deliveryId]);
    const body = JSON.parse(about(letter, JSON.stringify(of.body))) as unknown;
    const before = await kept();
    // A provider sends again what was not answered.
    for (const again of [1, 2, 3]) {
      const answer = await post(webhook.path, provider === 'ses' ? snsNotification(body) : body);
      expect([again, answer.status, answer.body.taken]).toEqual([again, 200, of.expected.length]);
      if (again === 1) await judgeAll();
    }
    await judgeAll();
    expect((await kept()) - before).toBe(of.expected.length);
    await expectJudged(of, letter);
  });

  it('NUL characters do no harm', async () => {
    const [letter] = (await sentTo(api, owner.id, [`nul@${provider}.example`])) as [SentLetter];
    await query('DELETE FROM inbound_letters');
    for (const put of ['$&\0', '\0$&'])
      for (const of of webhookCases(provider)) {
        const body = JSON.parse(about(letter, JSON.stringify(of.body)), (_, value: unknown) =>
          typeof value === 'string' && /[@. ]/.test(value) ? value.replace(/[@. ]/g, put) : value,
        ) as unknown;
        const answer = await post(webhook.path, provider === 'ses' ? snsNotification(body) : body);
        expect([of.title, answer.status]).toEqual([of.title, 200]);
      }
    await judgeAll();
    expect(await kept()).toBeGreaterThan(0);
    expect(await query('SELECT subject, problem FROM inbound_letters WHERE judged_at IS NULL')).toEqual([]);
  });

  async function expectJudged(of: WebhookCase, letter: SentLetter) {
    const { items } = (
      await api.call('GET', `/api/v1/inbound?limit=${Math.max(of.expected.length, 1)}`, { token: manager.token })
    ).body;
    const judged = of.expected.length === 0 ? [] : items.reverse();
    expect(judged).toMatchObject(
      of.expected.map(({ suppress: _, ...said }) => ({
        ...said,
        address: about(letter, said.address),
        source: provider,
        basis: 'provider_report',
        deliveryId: said.matchBy ? letter.deliveryId : null,
      })),
    );
    const kinds = of.expected.map(({ kind, reason }) => EVENT[kind] ?? (reason === 'delayed' ? 'delayed' : ''));
    const events = await query<{ kind: string }>(
      'SELECT kind FROM delivery_events WHERE delivery_id = $1 ORDER BY id',
      [letter.deliveryId],
    );
    expect(events.map(({ kind }) => kind)).toEqual(kinds.filter((kind) => kind !== ''));
    const suppressed = await query<{ reason: string; ownerId: number | null }>(
      'SELECT reason, owner_id FROM suppressions WHERE email_key = $1',
      [letter.email],
    );
    // What is known by recipient and time alone binds the owner, unless it is a fact about the address.
    expect(suppressed).toEqual(
      of.expected
        .filter(({ suppress }) => suppress)
        .map(({ suppress, matchBy }) => ({
          reason: suppress,
          ownerId:
            suppress === 'unsubscribed' || (suppress === 'complaint' && matchBy === 'recipient') ? owner.id : null,
        })),
    );
  }
});

let gone = 0;

describe('which letter a report is about', () => {
  const bounce = (email: string, more: object = {}) => ({
    RecordType: 'Bounce',
    Type: 'HardBounce',
    ID: Math.floor(Math.random() * 1e9),
    Details: 'smtp;550 5.1.1 user unknown',
    Email: email,
    BouncedAt: '2026-11-30T08:00:00Z',
    ...more,
  });
  const sentAt = (letter: SentLetter | undefined, at: string) =>
    query('UPDATE deliveries SET updated_at = $2 WHERE id = $1', [letter!.deliveryId, at]);
  const matched = async (body: object) => {
    const { path } = await make('postmark');
    await post(path, body);
    await query('DELETE FROM webhook_secrets');
    await judgeAll();
    const [row] = await query<{ deliveryId: number | null; reason: string }>(
      'SELECT delivery_id, reason FROM inbound_letters ORDER BY id DESC LIMIT 1',
    );
    return row!;
  };

  it('the last one before it, within seven days', async () => {
    const email = 'several@match.example';
    const [first] = await sentTo(api, owner.id, [email]);
    const [second] = await sentTo(api, owner.id, [], [first!.clientId]);
    const [third] = await sentTo(api, owner.id, [], [first!.clientId]);
    await sentAt(first, '2026-11-24T08:00:00Z');
    await sentAt(second, '2026-11-29T08:00:00Z');
    await sentAt(third, '2026-11-30T09:00:00Z');
    expect(await matched(bounce(email))).toMatchObject({ deliveryId: second!.deliveryId });
    expect(await matched(bounce(email, { BouncedAt: '2026-11-25T08:00:00Z' }))).toMatchObject({
      deliveryId: first!.deliveryId,
    });
    expect(await matched(bounce(email, { BouncedAt: '2026-11-23T08:00:00Z' }))).toEqual({
      deliveryId: null,
      reason: 'not_ours',
    });
    await sentAt(first, '2026-10-01T08:00:00Z');
    await sentAt(second, '2026-10-01T08:00:00Z');
    expect(await matched(bounce(email, { ID: 7 }))).toEqual({ deliveryId: null, reason: 'not_ours' });
  });

  it.each([
    ['has another address', `UPDATE clients SET email = 'moved-' || id || '@match.example' WHERE id = $1`],
    ['was deleted', 'DELETE FROM clients WHERE id = $1'],
  ])('of somebody who %s since: what they said binds all the same', async (_, change) => {
    const email = `gone${++gone}@match.example`;
    const [letter] = await sentTo(api, owner.id, [email]);
    await sentAt(letter, '2026-11-30T07:00:00Z');
    await query(change, [letter!.clientId]);
    const complaint = { ...bounce(email), RecordType: 'SpamComplaint', Type: 'SpamComplaint' };
    expect(await matched(complaint)).toMatchObject({ deliveryId: letter!.deliveryId });
    expect(await query('SELECT reason FROM suppressions WHERE email_key = $1 AND lifted_at IS NULL', [email])).toEqual([
      { reason: 'complaint' },
    ]);
  });

  it('the one that the provider took with what it calls it now', async () => {
    const email = 'named@match.example';
    const [first] = await sentTo(api, owner.id, [email]);
    const [second] = await sentTo(api, owner.id, [], [first!.clientId]);
    await sentAt(first, '2026-11-30T06:00:00Z');
    await sentAt(second, '2026-11-30T07:00:00Z');
    await query(
      `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status,
                             server_response)
       SELECT d.id, d.run_id, 1, $2, d.client_id, 1, 1, 'ok', '250 2.0.0 Ok: queued as 883953f4-6105-42a2-a16a-77a8eac79483'
         FROM deliveries d WHERE d.id = $1`,
      [first!.deliveryId, owner.id],
    );
    expect(await matched(bounce(email))).toMatchObject({ deliveryId: second!.deliveryId });
    const named = bounce(email, { MessageID: '883953f4-6105-42a2-a16a-77a8eac79483' });
    expect(await matched(named)).toMatchObject({ deliveryId: first!.deliveryId });
  });
});

describe('the secret', () => {
  it('a wrong one is answered like a path that there is not, and nothing of the body is read', async () => {
    const { path } = await make('postmark');
    const wrong = [
      path.slice(0, -1) + (path.endsWith('A') ? 'B' : 'A'),
      path.replace('postmark', 'mailjet'),
      path.replace('postmark', 'nobody'),
      path.replace(/[^/]+$/, 'x'),
    ];
    const unknown = await post('/api/v1/nothing/postmark/x', 'x');
    for (const each of wrong) {
      const { status, body } = await post(each, '{');
      expect([status, body.code, Object.keys(body)]).toEqual([404, unknown.body.code, Object.keys(unknown.body)]);
      expect(body.detail).toBe(unknown.body.detail.replace('/api/v1/nothing/postmark/x', each));
    }
    // The answer comes while the body is still on its way.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asking = request(
        api.url + wrong[0]!,
        { method: 'POST', headers: { 'content-length': '1000000' } },
        (response) => {
          resolve(response.statusCode);
          asking.destroy();
        },
      );
      asking.on('error', reject);
      asking.write('{');
    });
    expect(status).toBe(404);
  });

  it('is shown once, is kept as a hash, and ends when it is deleted', async () => {
    const webhook = await make('brevo');
    const secret = webhook.path.split('/').at(-1)!;
    const list = await api.call('GET', '/api/v1/inbound/webhooks', { token: manager.token });
    expect(list.text).not.toContain(secret);
    expect(list.body.items[0]).toMatchObject({
      id: webhook.id,
      provider: 'brevo',
      hasSigningKey: false,
      lastUsedAt: null,
    });
    expect(JSON.stringify(await query('SELECT * FROM webhook_secrets'))).not.toContain(secret);
    expect((await post(webhook.path, [])).status).toBe(200);
    const [used] = (await api.call('GET', '/api/v1/inbound/webhooks', { token: manager.token })).body.items;
    expect(used!.lastUsedAt).not.toBeNull();
    const path = `/api/v1/inbound/webhooks/${webhook.id}`;
    expect((await api.call('DELETE', path, { token: manager.token })).status).toBe(204);
    expect((await post(webhook.path, [])).status).toBe(404);
    const audit = await query<{ action: string; detail: unknown }>(
      `SELECT action, detail FROM audit_log WHERE object_type = 'inbound_webhook' AND object_id = $1 ORDER BY id`,
      [webhook.id],
    );
    expect(audit).toEqual([
      { action: 'inbound_webhook.create', detail: { name: 'brevo' } },
      { action: 'inbound_webhook.delete', detail: { name: 'brevo' } },
    ]);
  });

  it.each([
    ['/api/v1/inbound/ses/abc', '/api/v1/inbound/ses/[redacted]'],
    ['/API/v1/Inbound/ses/abc/?x=1', '/API/v1/Inbound/ses/[redacted]/'],
    ['/api/v1/inbound/misspelt1/abc', '/api/v1/inbound/misspelt1/[redacted]'],
    ['/api/v1/inbound/5/judge', '/api/v1/inbound/5/judge'],
    ['/api/v1/inbound/webhooks/5', '/api/v1/inbound/webhooks/5'],
    ['/api/v1/inbound?to=a', '/api/v1/inbound'],
  ])('is not in the log: %s', (url, path) => expect(pathToLog(url)).toBe(path));

  it('there are at most ten of a provider', async () => {
    await query(`DELETE FROM webhook_secrets WHERE provider = 'mailjet'`);
    for (let i = 0; i < 10; i++) await make('mailjet');
    const more = await api.call('POST', '/api/v1/inbound/webhooks', {
      token: manager.token,
      body: { provider: 'mailjet' },
    });
    expect([more.status, more.body.code]).toEqual([409, 'WEBHOOKS_FULL']);
  });

  it('a report can be seen by whom it concerns, and comes as JSON', async () => {
    const [letter] = (await sentTo(api, owner.id, ['seen@file.example'])) as [SentLetter];
    const { path } = await make('postmark');
    const event = { RecordType: 'Bounce', Type: 'HardBounce', ID: 1, Email: letter.email, Details: 'gone' };
    await post(path, event);
    await judgeAll();
    const { items } = (await api.call('GET', '/api/v1/inbound?limit=1', { token: owner.token })).body;
    const id = Number(items[0]!.id);
    const file = await api.call('GET', `/api/v1/inbound/${id}/eml`, { token: owner.token });
    expect(file.headers.get('content-type')).toMatch(/^application\/json/);
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="letter-${id}.json"`);
    expect(file.body).toEqual(event);
    const stranger = await api.person();
    expect((await api.call('GET', `/api/v1/inbound/${id}`, { token: stranger.token })).status).toBe(404);
  });
});

describe('Amazon SNS', () => {
  const bounce = (id: string) => ({
    notificationType: 'Bounce',
    bounce: {
      feedbackId: id,
      bounceType: 'Permanent',
      bouncedRecipients: [{ emailAddress: 'x@sns.example', status: '5.1.1' }],
      timestamp: '2026-11-30T08:00:00Z',
    },
    mail: { messageId: 'm', source: 'news@news.example.org', destination: ['x@sns.example'] },
  });
  async function refused(webhook: Made, body: unknown, why: string) {
    const before = await kept();
    expect([(await post(webhook.path, body)).status, await refusalOf(webhook)]).toEqual([403, why]);
    expect(await kept()).toBe(before);
  }

  it('confirms a subscription once, and keeps its topic', async () => {
    const webhook = await make('ses');
    await refused(webhook, snsNotification(bounce('early')), 'not_confirmed');
    expect(left).toEqual([]);
    const confirmation = snsConfirmation();
    expect((await post(webhook.path, confirmation, { 'content-type': 'text/plain; charset=UTF-8' })).status).toBe(200);
    expect(left.at(-1)).toBe(confirmation.SubscribeURL);
    const [{ topicArn } = { topicArn: '' }] = await query<{ topicArn: string }>(
      'SELECT topic_arn FROM webhook_secrets WHERE id = $1',
      [webhook.id],
    );
    expect(topicArn).toBe(SNS_TOPIC);
    left = [];
    const foreign = { TopicArn: 'arn:aws:sns:eu-west-1:999999999999:mine' };
    await refused(webhook, snsNotification(bounce('foreign'), foreign), 'foreign_topic');
    await refused(webhook, snsConfirmation(foreign), 'foreign_topic');
    expect(left).toEqual([]);
  });

  it.each(['1', '2'])('takes signatures of version %s, and asks for the certificate once', async (SignatureVersion) => {
    const webhook = await confirmed();
    for (const id of [`a${SignatureVersion}`, `b${SignatureVersion}`]) {
      const answer = await post(webhook.path, snsNotification(bounce(id), { SignatureVersion, Subject: 'SES' }));
      expect([answer.status, answer.body.taken]).toEqual([200, 1]);
    }
    expect(left).toEqual([]);
  });

  it('takes nothing unsigned, changed, or signed by somebody else', async () => {
    const webhook = await confirmed();
    const good = snsNotification(bounce('good'));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { Signature: _, ...unsigned } = good;
    await refused(webhook, unsigned, 'not_sns');
    await refused(webhook, { ...good, SignatureVersion: '3' }, 'not_sns');
    await refused(webhook, bounce('raw'), 'not_sns');
    await refused(webhook, { ...good, Message: JSON.stringify(bounce('other')) }, 'signature');
    await refused(webhook, { ...good, Timestamp: '2026-11-30T08:00:07.000Z' }, 'signature');
    await refused(webhook, snsNotification(bounce('theirs'), {}, pem), 'signature');
    expect(left).toEqual([]);
    expect((await post(webhook.path, good)).status).toBe(200);
  });

  it('asks nobody but Amazon', async () => {
    let asked = 0;
    const server = createServer((_, response) => response.end(String(++asked)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const webhook = await make('ses');
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `sns.eu-west-1.amazonaws.com@127.0.0.1:${port}`])
      for (const scheme of ['http', 'https']) {
        await refused(webhook, snsConfirmation({ SubscribeURL: `${scheme}://${host}/?Action=x` }), 'foreign_host');
        await refused(webhook, snsConfirmation({ SigningCertURL: `${scheme}://${host}/a.pem` }), 'foreign_host');
        await refused(webhook, snsNotification('x', { SigningCertURL: `${scheme}://${host}/a.pem` }), 'foreign_host');
      }
    await refused(webhook, snsConfirmation({ SubscribeURL: 'file:///etc/passwd' }), 'foreign_host');
    await refused(
      webhook,
      snsConfirmation({ SigningCertURL: SNS_CERTIFICATE_URL.replace('.com', '.com.evil.example') }),
      'foreign_host',
    );
    expect([left, asked]).toEqual([[], 0]);
    await new Promise((resolve) => server.close(resolve));
  });

  it('comes again when Amazon can not be asked, or answers what is no certificate', async () => {
    const webhook = await make('ses');
    const at = (name: string) => ({ SigningCertURL: SNS_CERTIFICATE_URL.replace('9c6465fa', name) });
    answerOf = () => new Response('', { status: 500 });
    expect((await post(webhook.path, snsConfirmation(at('a')))).status).toBe(503);
    answerOf = () => new Response('x'.repeat(70_000));
    expect((await post(webhook.path, snsConfirmation(at('b')))).status).toBe(503);
    answerOf = () => new Response('no certificate');
    await refused(webhook, snsConfirmation(at('c')), 'signature');
    answerOf = (url) => (url.endsWith('.pem') ? new Response(SNS_CERTIFICATE) : new Response('', { status: 403 }));
    const failed = await post(webhook.path, snsConfirmation());
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '30']);
    expect(
      (await query(`SELECT 1 FROM webhook_secrets WHERE id = $1 AND topic_arn IS NOT NULL`, [webhook.id])).length,
    ).toBe(0);
  });

  it('the test of SES, which is words, and the end of a subscription are nothing', async () => {
    const webhook = await confirmed();
    for (const body of [
      snsNotification('Successfully validated SNS topic.'),
      snsConfirmation({}, 'UnsubscribeConfirmation'),
    ])
      expect((await post(webhook.path, body)).body).toEqual({ taken: 0 });
    expect(left).toEqual([]);
  });
});

describe('signatures', () => {
  const seconds = (agoS = 0) => String(Math.floor(Date.now() / 1000) - agoS);

  it('of SendGrid: over the time and the very bytes, for 25 hours', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const webhook = await make('sendgrid', key);
    const event = [{ event: 'bounce', email: 'x@sg.example', sg_event_id: 'sg-signed', reason: '550 5.1.1 unknown' }];
    const body = `${JSON.stringify(event)}\r\n`;
    const send = (at: string, text: string, by: KeyObject = privateKey) =>
      post(webhook.path, text, {
        'X-Twilio-Email-Event-Webhook-Timestamp': at,
        'X-Twilio-Email-Event-Webhook-Signature': sign('sha256', Buffer.from(at + body), by).toString('base64'),
      });
    expect((await send(seconds(), body)).status).toBe(200);
    expect((await send(seconds(24 * 3600), body)).status).toBe(200);
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    for (const [answer, why] of [
      [() => send(seconds(), body.trim()), 'signature'],
      [() => send(seconds(), body, other), 'signature'],
      [() => post(webhook.path, body), 'signature'],
      [() => send(seconds(26 * 3600), body), 'too_old'],
      [() => send(seconds(-3600), body), 'too_old'],
    ] as const)
      expect([(await answer()).status, await refusalOf(webhook)]).toEqual([403, why]);
  });

  it('of Mailgun: for five minutes, and each for one body', async () => {
    const key = 'key-0123456789abcdef0123456789abcdef';
    const webhook = await make('mailgun', key);
    const event = (id: string, name = 'failed') => ({
      event: name,
      id,
      severity: 'permanent',
      recipient: `${id}@mg.example`,
    });
    const send = (data: object, token: string, at = seconds(), by = key) =>
      post(webhook.path, {
        signature: {
          timestamp: at,
          token,
          signature: createHmac('sha256', by)
            .update(at + token)
            .digest('hex'),
        },
        'event-data': data,
      });
    expect((await send(event('one'), 't1')).status).toBe(200);
    // Sent again because our answer was lost.
    expect((await send(event('one'), 't1')).status).toBe(200);
    for (const [answer, why] of [
      [() => send(event('two'), 't1'), 'replayed'],
      [() => send(event('two'), 't2', seconds(400)), 'too_old'],
      [() => send(event('two'), 't3', seconds(-400)), 'too_old'],
      [() => send(event('two'), 't4', seconds(), 'key-another'), 'signature'],
      [() => post(webhook.path, { 'event-data': event('two') }), 'signature'],
    ] as const)
      expect([(await answer()).status, await refusalOf(webhook)]).toEqual([403, why]);
    // That of an event that is not kept brings in no other.
    expect((await send(event('three', 'delivered'), 't5')).status).toBe(200);
    expect((await send(event('three'), 't5')).status).toBe(403);
    await query(`UPDATE webhook_nonces SET used_at = now() - interval '2 hours'`);
    await api.app.get(InboundLetters, { strict: false }).sweep();
    expect(await query('SELECT 1 FROM webhook_nonces')).toEqual([]);
  });

  it('a key is sealed, is set later, removed, and refused if it is none', async () => {
    const webhook = await make('mailgun');
    const set = (signingKey: string, { id } = webhook) =>
      api.call('PATCH', `/api/v1/inbound/webhooks/${id}`, { token: manager.token, body: { signingKey } });
    expect((await set('key-0123456789abcdef')).body).toMatchObject({ hasSigningKey: true });
    const [row] = await query<{ signingKey: Buffer }>('SELECT signing_key FROM webhook_secrets WHERE id = $1', [
      webhook.id,
    ]);
    expect(row!.signingKey.toString('latin1')).not.toContain('0123456789abcdef');
    expect((await post(webhook.path, {})).status).toBe(403);
    // As after a change of SECRET_KEY.
    await query(`UPDATE webhook_secrets SET signing_key = '\\x00' WHERE id = $1`, [webhook.id]);
    expect([(await post(webhook.path, {})).status, await refusalOf(webhook)]).toEqual([403, 'key_unreadable']);
    expect((await set('')).body).toMatchObject({ hasSigningKey: false });
    expect((await post(webhook.path, {})).status).toBe(200);
    for (const [provider, key] of [
      ['mailgun', 'short'],
      ['sendgrid', 'no key'],
      ['postmark', 'key-0123456789abcdef'],
      ['ses', 'key-0123456789abcdef'],
    ] as const) {
      const answer = await set(key, await make(provider));
      expect([provider, answer.status, answer.body.errors?.[0]?.field]).toEqual([provider, 400, 'signingKey']);
    }
  });
});

describe('what is too much', () => {
  const deep = '['.repeat(100_000);
  it.each([
    ['deep', deep, 400],
    ['wide', `[${'{},'.repeat(200_000)}{}]`, 400],
    ['100,000 numbers', JSON.stringify(Array.from({ length: 100_001 }, () => 1)), 400],
    ['names', `{${Array.from({ length: 70_000 }, (_, i) => `"${i}":1`).join()}}`, 400],
    ['digits', `[${'9'.repeat(10_000)}]`, 400],
    ['10 MB', `"${'x'.repeat(10_000_000)}"`, 413],
    ['no JSON', 'event=bounce', 403],
    ['empty', '', 403],
    ['a text', '"x"', 200],
    ['a null', 'null', 200],
    ['many events that are none', `[${Array.from({ length: 9_000 }, () => '{}').join()}]`, 200],
    ['wrong types', '{"RecordType":["Bounce"],"Email":{"a":1},"event":{},"msys":5,"event-data":[[]]}', 200],
  ])('%s is answered soon, and leaves nothing', async (_, body, status) => {
    const before = await kept();
    await query(`DELETE FROM webhook_secrets WHERE provider <> 'ses'`);
    for (const provider of ['sendgrid', 'mailgun', 'postmark', 'brevo', 'mailjet', 'sparkpost'] as const) {
      const { path } = await make(provider);
      const since = performance.now();
      const answer = await post(path, body, { 'content-type': 'application/json' });
      expect([provider, answer.status]).toEqual([provider, status]);
      expect(performance.now() - since).toBeLessThan(5_000);
    }
    expect(await kept()).toBe(before);
  });

  it('within a message of SNS, too', async () => {
    const { path } = await confirmed();
    expect((await post(path, snsNotification(deep))).status).toBe(400);
    expect((await post(path, snsNotification('{"a'))).status).toBe(403);
  });

  it('a compressed body is not unpacked', async () => {
    const { path } = await make('postmark');
    expect((await post(path, 'x', { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  it('a report with a long text is kept without its end', async () => {
    const { path } = await make('postmark');
    const event = {
      RecordType: 'Bounce',
      Type: 'HardBounce',
      ID: 1,
      Email: 'long@x.example',
      Content: 'я'.repeat(300_000),
    };
    expect((await post(path, event)).body).toEqual({ taken: 1 });
    const [row] = await query<{ size: number }>('SELECT size FROM inbound_letters ORDER BY id DESC LIMIT 1');
    expect(row!.size).toBeLessThan(20_000);
  });
});

describe('a batch', () => {
  const batch = (n: number, name: string) =>
    Array.from({ length: n }, (_, i) => ({
      event: 'bounce',
      email: `${name}${i}@batch.example`,
      sg_event_id: `${name}-${i}`,
      timestamp: 1796025605,
      reason: '550 5.1.1 unknown',
      type: 'bounce',
      'smtp-id': '<x@y>',
    }));

  it('of a thousand is kept as a whole, once, also if it comes in twice at the same time', async () => {
    const { path } = await make('sendgrid');
    const before = await kept();
    const events = batch(1_000, 'many');
    const answers = await Promise.all([post(path, events), post(path, [...events].reverse()), post(path, events)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await kept()) - before).toBe(1_000);
  });

  it('of which one is too large: it is left out', async () => {
    const { path } = await make('sendgrid');
    const before = await kept();
    const [first, ...others] = batch(3, 'large');
    const large = { ...first, category: Array.from({ length: 40 }, () => 'x'.repeat(7_900)) };
    expect((await post(path, [others[0], large, others[1]])).body).toEqual({ taken: 2 });
    expect((await kept()) - before).toBe(2);
  });

  it('that can not be kept as a whole is not kept at all, and comes again', async () => {
    const { path } = await make('sendgrid');
    const before = await kept();
    await query(`CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF new.subject LIKE '%part7@%' THEN RAISE EXCEPTION 'away' USING ERRCODE = '57P01'; END IF; RETURN new; END $$`);
    await query('CREATE TRIGGER break BEFORE INSERT ON inbound_letters FOR EACH ROW EXECUTE FUNCTION break()');
    const first = await post(path, batch(10, 'part'));
    await query('DROP TRIGGER break ON inbound_letters');
    await query('DROP FUNCTION break');
    expect([first.status, first.headers.get('retry-after'), (await kept()) - before]).toEqual([503, '5', 0]);
    expect((await post(path, batch(10, 'part'))).status).toBe(200);
    expect((await kept()) - before).toBe(10);
  });
});
