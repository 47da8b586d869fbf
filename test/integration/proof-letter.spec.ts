import { generateKeyPairSync } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import type { Config } from '../../src/config/config.module';
import type { ProofView } from '../../src/features/inbound/proof-letters.service';
import { InboundListener } from '../../src/features/inbound/inbound-listener.service';
import { ProofLetters } from '../../src/features/inbound/proof-letters.service';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { ImapServer } from '../support/imap-server';
import { dsn } from '../support/inbound-letters';
import { TestReader } from '../support/mailbox-rig';
import { eventually } from '../support/service';
import { SmtpClient } from '../support/smtp-client';
import { SmtpServer } from '../support/smtp-server';
import { startWorker } from '../support/worker';

/** A letter that the service sends to itself, through a relay that does something to letters. */

let api: TestApi;
let worker: INestApplicationContext;
let relay: SmtpServer;
let manager: Person;
let user: Person;
let listener: number;
/** What the relay has taken, and not handed back yet. */
const taken: { from: string; to: string; raw: string }[] = [];
let envelopeFrom = '';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const SETTINGS: Partial<Config> = {
  bounceAddress: 'b@news.example.org',
  mailFrom: 'News <news@news.example.org>',
  inboundListen: '127.0.0.1:0',
  dkimDomain: 'news.example.org',
  dkimSelector: 'one',
  dkimPrivateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
};

beforeAll(async () => {
  relay = await SmtpServer.start({ pipelining: true, eightBitMime: true });
  relay.rule = (address, step) => {
    if (step === 'mail') envelopeFrom = address;
    return null;
  };
  relay.keep = ([to = ''], raw) => {
    taken.push({ from: envelopeFrom, to, raw: raw.toString('latin1') });
    return Promise.resolve();
  };
  api = await startApi({ ...SETTINGS, smtpUrl: `smtp://127.0.0.1:${relay.port}` }, [WebModule]);
  listener = (await api.app.get(InboundListener, { strict: false }).start())!;
  worker = await startWorker(api.config);
  [manager, user] = [await api.person('manager'), await api.person()];
});
afterAll(async () => {
  await worker?.close();
  await api?.close();
  await relay?.stop();
});
beforeEach(() => {
  taken.length = 0;
  return api.database.affected('DELETE FROM proof_letters');
});

const last = async (): Promise<ProofView | null> =>
  (await api.call('GET', '/api/v1/transport/probe', { token: manager.token })).body.last as ProofView | null;

/** Has one sent. @returns what the relay got */
async function send() {
  const answer = await api.call('POST', '/api/v1/transport/probe', { token: manager.token });
  expect(answer.status).toBe(202);
  const letter = await eventually(() => Promise.resolve(taken[0]), 'the letter');
  await eventually(async () => (await last())?.sentAt, 'sending');
  return letter;
}
async function handIn(raw: string, to: string, from: string): Promise<void> {
  const path = `/api/v1/inbound?to=${encodeURIComponent(to)}&from=${encodeURIComponent(from)}`;
  const response = await fetch(api.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${manager.token}`, 'content-type': 'message/rfc822' },
    body: Buffer.from(raw, 'latin1'),
  });
  expect(response.status).toBe(202);
}
const back = async () => {
  const proof = await eventually(async () => {
    const found = await last();
    return found?.returnedAt ? found : null;
  }, 'coming back');
  return { ...proof, results: Object.fromEntries(proof.checks.map(({ check, result }) => [check, result])) };
};
const faultOf = (proof: Pick<ProofView, 'checks'>, check: string) =>
  proof.checks.find((each) => each.check === check)?.fault;
const FINE = {
  signature: 'ok',
  text: 'ok',
  message_id: 'ok',
  envelope: 'ok',
  unsubscribe: 'ok',
  sender: 'ok',
  receivers: 'unknown',
};

test('comes back by the listener as it was sent', async () => {
  const { from, to, raw } = await send();
  expect(from).toBe(to);
  expect(await last()).toMatchObject({ state: 'sent', checks: [], isCurrent: true });
  const client = await SmtpClient.open(listener);
  await client.send(`MAIL FROM:<${from}>`);
  await client.send(`RCPT TO:<${to}>`);
  await client.send('DATA');
  expect(await client.send(`${raw.replace(/^\./gm, '..')}\r\n.`.replace(/\r\n\r\n\.$/, '\r\n.'))).toMatch(/^250 /);
  client.socket.destroy();
  const proof = await back();
  expect(proof.results).toEqual(FINE);
  expect(proof).toMatchObject({ state: 'returned', source: 'listener', receivers: [] });
  // It is about no client, and is not judged as a bounce.
  const { body } = await api.call('GET', '/api/v1/inbound', { token: manager.token });
  expect(body.items[0]).toMatchObject({ kind: 'ignore', reason: 'proof', address: null, deliveryId: null });
});

test('comes back by REST, with what receivers say, in lines of another system', async () => {
  const { from, to, raw } = await send();
  const says = 'mx.example.net; dkim=pass header.d=news.example.org; spf=pass';
  await handIn(`Authentication-Results: ${says}\n${raw.replaceAll('\r\n', '\n')}`, to, from);
  const proof = await back();
  expect(proof.results).toEqual({ ...FINE, receivers: 'ok' });
  expect(proof.receivers).toEqual([says]);
});

test('comes back to a mailbox: it is kept, noted and put away', async () => {
  const imap = await ImapServer.start();
  const reader = new TestReader(api, 1, { bounceMailboxUrl: imap.url() });
  const { from, to, raw } = await send();
  imap.deliver(Buffer.from(`Return-Path: <${from}>\r\nDelivered-To: ${to}\r\n${raw}`, 'latin1'));
  const human = imap.deliver('From: ann@x.example\r\nTo: news@news.example.org\r\nSubject: Hello\r\n\r\nHi!\r\n');
  try {
    await reader.until(() => imap.folder('Gonets').length === 1, 'reading');
  } finally {
    await reader.stop();
  }
  await imap.stop();
  const proof = await back();
  expect(proof.results).toEqual(FINE);
  expect(proof).toMatchObject({ state: 'returned', source: 'mailbox' });
  expect(imap.folder().map(({ uid, flags }) => [uid, flags.size])).toEqual([[human, 0]]);
  const { body } = await api.call('GET', '/api/v1/inbound', { token: manager.token });
  expect(body.items[0]).toMatchObject({ source: 'mailbox', kind: 'ignore', reason: 'proof', deliveryId: null });
});

const replaced = (raw: string, name: string, value: string) => {
  const changed = raw.replace(new RegExp(`^${name}:.*(?:\r\n[ \t].*)*\r\n`, 'm'), value);
  expect(changed).not.toBe(raw);
  return changed;
};

/** The text part, as a server that knows no other letters would pass it on. */
function asciiOnly(raw: string): string {
  const changed = raw.replace(
    /Content-Transfer-Encoding: base64\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n(?=--)/,
    (_, text: string) =>
      `Content-Transfer-Encoding: 7bit\r\n\r\n${Buffer.from(text, 'base64')
        .toString('ascii')
        .replace(/[^\n\r -~]/g, '?')}\r\n`,
  );
  expect(changed).not.toBe(raw);
  return changed;
}

test.each<[string, (raw: string) => string, object, [check: string, fault: string]]>([
  [
    'another Message-ID',
    (raw) => replaced(raw, 'Message-ID', 'Message-ID: <1@relay.example>\r\n'),
    { message_id: 'failed', signature: 'failed', unsubscribe: 'failed' },
    ['signature', 'header'],
  ],
  [
    'a footer',
    (raw) => raw.replace(/\r\n--=_\w+\r\n(?=Content-Type: text\/html)/, '\r\nSent by relay.example$&'),
    { signature: 'failed', unsubscribe: 'failed' },
    ['signature', 'body'],
  ],
  [
    'no List-Unsubscribe-Post',
    (raw) => replaced(raw, 'List-Unsubscribe-Post', ''),
    { signature: 'failed', unsubscribe: 'failed' },
    ['unsubscribe', 'missing'],
  ],
  [
    'no signature',
    (raw) => replaced(raw, 'DKIM-Signature', ''),
    { signature: 'failed', unsubscribe: 'failed' },
    ['signature', 'missing'],
  ],
  [
    'another From',
    (raw) => replaced(raw, 'From', 'From: relay@relay.example\r\n'),
    { sender: 'failed', signature: 'failed', unsubscribe: 'failed' },
    ['sender', 'changed'],
  ],
  [
    'letters of other scripts as question marks',
    asciiOnly,
    { text: 'failed', signature: 'failed', unsubscribe: 'failed' },
    ['text', 'changed'],
  ],
  [
    'a second List-Unsubscribe',
    (raw) => `List-Unsubscribe: <https://relay.example/leave>\r\n${raw}`,
    { signature: 'failed', unsubscribe: 'failed' },
    ['unsubscribe', 'changed'],
  ],
  [
    'a receiver that complains',
    (raw) => `Authentication-Results: mx.example.net; dmarc=fail\r\n${raw}`,
    { receivers: 'failed' },
    ['receivers', 'refused_by_receiver'],
  ],
])('with %s the check says so', async (_, change, wrong, [check, fault]) => {
  const { from, to, raw } = await send();
  await handIn(change(raw), to, from);
  const proof = await back();
  expect(proof.results).toEqual({ ...FINE, ...wrong });
  expect(faultOf(proof, check)).toBe(fault);
  const { cookie } = await api.signIn(manager.email);
  const page = (await api.call('GET', '/status/proof', { cookie })).text;
  expect(page).toContain('Failed');
});

test('with another envelope sender, or with none that is told, it says so', async () => {
  let { to, raw } = await send();
  await handIn(raw, to, 'bounce-123@relay.example');
  let proof = await back();
  expect(proof.results).toEqual({ ...FINE, envelope: 'failed' });
  expect(proof.checks.find(({ check }) => check === 'envelope')?.found).toBe('bounce-123@relay.example');
  await api.database.affected('DELETE FROM proof_letters');
  taken.length = 0;
  ({ to, raw } = await send());
  await handIn(raw, to, '');
  proof = await back();
  expect(proof.results).toEqual({ ...FINE, envelope: 'unknown' });
  expect(faultOf(proof, 'envelope')).toBe('not_told');
});

test('a report in its place, an automatic answer, and what comes after it', async () => {
  const { from, to, raw } = await send();
  await handIn(
    'From: a@b.example\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\nI am away',
    to,
    'a@b.example',
  );
  await eventually(async () => {
    const { body } = await api.call('GET', '/api/v1/inbound', { token: manager.token });
    return body.items[0]?.judgedAt;
  }, 'judging');
  expect(await last()).toMatchObject({ state: 'sent' });
  const report = dsn({ final: `rfc822; ${to}`, status: '5.1.1', diagnostic: 'smtp; 550 5.1.1 no such user' });
  await handIn(report.toString('latin1'), to, '');
  expect(await back()).toMatchObject({
    state: 'bounced',
    response: expect.stringContaining('5.1.1 no such user') as string,
  });
  // A report about an address that forwards it, for example: the letter itself counts.
  await handIn(raw, to, from);
  await eventually(async () => (await last())?.state === 'returned', 'coming back');
});

test('a relay that refuses it is quoted; nobody is sent two at once', async () => {
  relay.rule = (_, step) => (step === 'mail' ? { do: 'reply', text: '550 5.7.1 not your domain' } : null);
  const first = await api.call('POST', '/api/v1/transport/probe', { token: manager.token });
  const second = await api.call('POST', '/api/v1/transport/probe', { token: manager.token });
  const proof = await eventually(async () => {
    const found = await last();
    return found?.state === 'refused' ? found : null;
  }, 'a refusal');
  expect(proof.response).toContain('not your domain');
  expect([first.body.id, second.body.id].filter((id) => id === first.body.id).length).toBeGreaterThan(0);
  relay.rule = (address, step) => {
    if (step === 'mail') envelopeFrom = address;
    return null;
  };
  await api.database.affected(`UPDATE accounts SET state = 'open', reason = NULL, retry_at = NULL`);
});

test('what is not back after a quarter of an hour is lost; other settings are not proved by it', async () => {
  await api.database.affected(
    `INSERT INTO proof_letters (user_id, settings, state, created_at)
     VALUES ($1, 'others', 'sent', app_now() - interval '16 minutes')`,
    [manager.id],
  );
  expect(await last()).toMatchObject({ state: 'lost', isCurrent: false });
  const proofs = api.app.get(ProofLetters, { strict: false });
  expect(await proofs.summary()).toEqual({ provedAt: null, failed: [] });
});

test('only managers and admins may, and only if something can come back', async () => {
  for (const method of ['GET', 'POST']) {
    const answer = await api.call(method, '/api/v1/transport/probe', { token: user.token });
    expect(answer.status).toBe(403);
  }
  const without = new ProofLetters(api.database, { addProofs: () => Promise.resolve() } as never, {
    ...api.config,
    bounceAddress: '',
  });
  const refused = without.start({ userId: manager.id, role: 'manager' });
  await expect(refused).rejects.toMatchObject({
    code: 'PROOF_NEEDS_ADDRESS',
    message: expect.stringContaining('BOUNCE_ADDRESS') as string,
  });
  expect(await without.summary()).toBeNull();
});
