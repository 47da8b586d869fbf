import { Client } from 'pg';
import { simpleParser } from 'mailparser';
import { Factories } from '../support/factories';
import { dsn } from '../support/inbound-letters';
import { Program } from '../support/program';
import {
  ApiClient,
  cli,
  createTestService,
  createUser,
  eventually,
  startProcess,
  type TestService,
} from '../support/service';
import { SmtpClient } from '../support/smtp-client';
import { SmtpServer } from '../support/smtp-server';

/** Whole processes: a mailing goes out, each letter with addresses of its own, and what comes back is heard by each way. */

const SETTINGS = {
  BOUNCE_ADDRESS: 'bounces@news.example.org',
  FBL_ADDRESS: 'fbl@news.example.org',
  INBOUND_LISTEN: '127.0.0.1:0',
  MAIL_FROM: 'News <news@news.example.org>',
};
const PEOPLE = ['rest', 'pipe', 'smtp', 'mailto', 'angry'];

let service: TestService;
let mails: SmtpServer;
let db: Client;
let api: Program;
let worker: Program;
let client: ApiClient;
let runId: number;
/** By the first part of the recipient's address. */
const letters = new Map<string, { raw: string; from: string; mailto: string }>();

beforeAll(async () => {
  mails = await SmtpServer.start({ transcript: true });
  service = await createTestService({ ...SETTINGS, SMTP_URL: `smtp://127.0.0.1:${mails.port}` });
  const kept: { to: string; raw: string; from: string }[] = [];
  mails.keep = ([to = ''], raw) => {
    const from = mails.transcript.findLast((line) => /^MAIL FROM/i.test(line)) ?? '';
    kept.push({ to, raw: raw.toString('latin1'), from: /<(.*?)>/.exec(from)?.[1] ?? '' });
    return Promise.resolve();
  };
  const owner = await createUser(service.env, 'owner@example.com', 'admin');
  db = new Client({ connectionString: service.database.url });
  await db.connect();
  const rows = async <T>(sql: string, params?: unknown[]) => (await db.query(sql, params)).rows as T[];
  const recipients = () => PEOPLE.map((name) => `${name}@client.example`);
  const mailingId = await new Factories(rows).mailing({ ownerId: owner.id, recipients });
  // One connection, so that a letter follows its MAIL FROM.
  const env = { ...service.env, SMTP_CONNECTIONS: '1' };
  [api, worker] = await Promise.all([startProcess('api', env), startProcess('worker', env)]);
  client = new ApiClient(String((await api.said('api.started')).url), owner.token);
  runId = (await client.post<{ runId: number }>(`/mailings/${mailingId}/send`)).body.runId;
  await eventually(() => Promise.resolve(kept.length === PEOPLE.length), 'sending');
  for (const { to, raw, from } of kept) {
    const { headers } = await simpleParser(raw);
    const list = headers.get('list') as unknown as { unsubscribe: { mail: string } };
    letters.set(to.split('@')[0]!, { raw, from, mailto: list.unsubscribe.mail.split('?')[0]! });
  }
});
afterAll(async () => {
  await Promise.all([api?.stop(), worker?.stop()]);
  await db?.end();
  await service?.drop();
  await mails?.stop();
});

const bounce = (name: string, more: object = {}) =>
  dsn({ final: `rfc822; ${name}@client.example`, status: '5.1.1', enclosed: letters.get(name)!.raw, ...more });
const reasonOf = async (name: string) => {
  const { rows } = await db.query<{ reason: string }>(
    'SELECT reason FROM suppressions WHERE email_key = $1 AND lifted_at IS NULL',
    [`${name}@client.example`],
  );
  return rows[0]?.reason;
};
const suppressed = (name: string) => eventually(() => reasonOf(name), `${name} is suppressed`);

test('each letter has an envelope sender and an address to unsubscribe of its own', () => {
  const all = [...letters.values()].flatMap(({ from, mailto }) => [from, mailto]);
  expect(new Set(all).size).toBe(2 * PEOPLE.length);
  for (const address of all) expect(address).toMatch(/^bounces\+[a-z2-7]{1,32}@news\.example\.org$/);
});

test('REST', async () => {
  const { from } = letters.get('rest')!;
  const path = `/inbound?to=${encodeURIComponent(from)}&from=`;
  const headers = { 'content-type': 'message/rfc822' };
  const first = await client.post<{ id: number }>(path, bounce('rest'), headers);
  const second = await client.post<{ id: number }>(path, bounce('rest'), headers);
  expect([first.status, second.status, second.body.id]).toEqual([202, 202, first.body.id]);
  expect(await suppressed('rest')).toBe('hard_bounce');
});

test('a pipe, which says 75 when it is to be tried again', async () => {
  const { from } = letters.get('pipe')!;
  const args = ['receive', '--to', from, '--from', 'MAILER-DAEMON', '--json'];
  const taken = await cli(service.env, args, bounce('pipe').toString());
  expect(taken).toMatchObject({ code: 0 });
  expect(await suppressed('pipe')).toBe('hard_bounce');
  const away = await cli({ ...service.env, DATABASE_URL: 'postgres://x:x@127.0.0.1:1/x' }, args, 'x');
  expect(away.code).toBe(75);
  expect((await cli(service.env, ['receive', '--to', from])).code).toBe(2);
});

test('SMTP, by which letters and complaints come, and nothing else', async () => {
  const { from } = letters.get('smtp')!;
  const { from: other, mailto } = letters.get('mailto')!;
  const smtp = await SmtpClient.open(Number((await api.said('inbound.listening')).port));
  expect(await smtp.letter(bounce('smtp').toString('latin1'), from)).toMatch(/^250 /);
  expect(await suppressed('smtp')).toBe('hard_bounce');
  const forged = `${other.slice(0, 15)}${other[15] === 'a' ? 'b' : 'a'}${other.slice(16)}`;
  expect(await smtp.letter('x', forged)).toMatch(/^550 /);
  expect(await smtp.letter('x', 'news@news.example.org')).toMatch(/^550 /);
  const wish = 'From: mailto@client.example\r\nSubject: unsubscribe\r\n\r\n';
  expect(await smtp.letter(wish, mailto, '<mailto@client.example>')).toMatch(/^250 /);
  expect(await suppressed('mailto')).toBe('unsubscribed');
  // No token tells whom it is about, only the letter inside.
  const complaint = bounce('angry', { type: 'message/feedback-report', status_part: 'Feedback-Type: abuse\r\n' });
  expect(
    await smtp.letter(complaint.toString('latin1').replace(/^\./gm, '..'), 'fbl@news.example.org', '<fbl@x.example>'),
  ).toMatch(/^250 /);
  expect(await suppressed('angry')).toBe('complaint');
  smtp.socket.end();
});

test('the run says what came after it, and its letters stay sent', async () => {
  const { body } = await client.get<{ after: object; counts: object }>(`/runs/${runId}`);
  expect(body).toMatchObject({
    after: { bounced: 3, softBounced: 0, complained: 1, unsubscribed: 1 },
    counts: { sent: PEOPLE.length, failed: 0, skipped: 0 },
  });
  const { body: list } = await client.get<{ items: { source: string; matchBy: string }[] }>('/inbound');
  expect(list.items.map(({ source, matchBy }) => `${source} ${matchBy}`).sort()).toEqual([
    'api verp',
    'listener message-id',
    'listener unsubscribe-token',
    'listener verp',
    'pipe verp',
  ]);
});

test('a certificate that can not be used is named at the start', async () => {
  const files = { INBOUND_TLS_CERT: '/nowhere/cert.pem', INBOUND_TLS_KEY: '/nowhere/key.pem' };
  const fails = Program.product('api', { env: { ...service.env, ...files } });
  await fails.ends();
  expect(fails.ending).toBe(1);
  const { msg } = await fails.said('boot.failed');
  expect(msg).toMatch(/^INBOUND_TLS_CERT can't be read: ENOENT: no such file or directory/);
});
