import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { LinkKey } from '../../src/domain/address-token';
import { returnTokenWriter } from '../../src/domain/bounce-address';
import { CERTIFICATE, Dovecot } from '../support/dovecot';
import { FaultRig } from '../support/fault-rig';
import { dsn } from '../support/inbound-letters';
import { TcpProxy } from '../support/tcp-proxy';

/** A mailbox of a real IMAP server, read by whole workers. Needs Debian's dovecot-imapd, and root. */

jest.setTimeout(600_000);

const USER = 'news%40news.example.org';
const HUMAN = 'Return-Path: <ann@x.example>\nFrom: ann@x.example\nTo: news@news.example.org\nSubject: Hello\n\nHi!\n';
const SETTINGS = { BOUNCE_ADDRESS: 'b@news.example.org', NODE_EXTRA_CA_CERTS: CERTIFICATE };

let rig: FaultRig;
let dovecot: Dovecot;
let tokens: Server;
let asked: string[] = [];
/** Those that the mailbox accepts. */
let good: string[] = [];

beforeAll(async () => {
  rig = await FaultRig.start();
  tokens = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    asked.push(`${request.method} ${url.pathname}`);
    const token = url.searchParams.get('access_token');
    const isGood = url.pathname !== '/tokeninfo' || good.includes(token ?? '');
    response.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' });
    const given = {
      access_token: asked.filter((each) => /POST/.test(each)).length === 1 ? 'old' : 'new',
      expires_in: 60,
    };
    response.end(JSON.stringify(url.pathname === '/tokeninfo' ? { email: 'news@news.example.org' } : given));
    request.resume();
  });
  tokens.listen(0, '127.0.0.1');
  await once(tokens, 'listening');
});
beforeEach(async () => {
  dovecot = await Dovecot.start(`${tokenServer()}/tokeninfo?access_token=`);
});
afterEach(async () => {
  for (const worker of rig.workers) await worker.kill();
  await dovecot?.stop();
});
afterAll(async () => {
  tokens?.close();
  await rig?.stop();
});

const tokenServer = () => `http://127.0.0.1:${(tokens.address() as AddressInfo).port}`;
const overTls = () => ({ BOUNCE_MAILBOX_URL: `imaps://${USER}:secret@127.0.0.1:${dovecot.tlsPort}/INBOX` });
const overStarttls = (port = dovecot.port) => ({ BOUNCE_MAILBOX_URL: `imap://${USER}:secret@127.0.0.1:${port}/INBOX` });

/** Reports about so many letters that were sent. */
async function reports(n: number): Promise<Buffer[]> {
  await rig.reset({}, SETTINGS);
  const worker = await rig.startWorker(SETTINGS);
  const runId = await rig.send(await rig.mailing(Array.from({ length: n }, () => 'ok-')));
  await rig.quiet(30_000);
  await worker.kill();
  const letters = await rig.query<{ id: string; email: string }>(
    'SELECT id, email FROM deliveries WHERE run_id = $1 ORDER BY id',
    [runId],
  );
  const [key] = await rig.query<LinkKey>('SELECT id, secret FROM link_keys ORDER BY id DESC LIMIT 1');
  const tokensOf = returnTokenWriter(key!);
  return letters.map(({ id, email }) =>
    Buffer.concat([
      Buffer.from(`Return-Path: <>\r\nDelivered-To: b+${tokensOf(Number(id)).bounce}@news.example.org\r\n`),
      dsn({ final: `rfc822; ${email}`, status: '5.1.1' }),
    ]),
  );
}
const count = async (sql: string) => Number((await rig.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`))[0]!.n);
const judged = (n: number) => async () => (await count('inbound_letters WHERE judged_at IS NOT NULL')) === n;
const filed = (n: number) => () => dovecot.files('.Gonets').length === n;
/** How many letters' texts the server gave away in the sessions that are over. */
const given = () => [...dovecot.log.matchAll(/body_count=(\d+)/g)].map(([, n]) => Number(n));

it.each([
  ['TLS', overTls],
  ['STARTTLS', overStarttls],
])('by %s: reports are kept and put away, a letter of a person stays as it is', async (how, url) => {
  const letters = await reports(3);
  const human = dovecot.deliver(HUMAN);
  for (const raw of letters) dovecot.deliver(raw);
  const worker = await rig.startWorker({ ...SETTINGS, ...url() });
  await rig.eventually(filed(3), 20_000, 'putting away');
  await rig.eventually(judged(3), 20_000, 'judging');
  expect(dovecot.files()).toEqual([{ name: human, flags: '' }]);
  expect(dovecot.files('.Gonets').map(({ flags }) => flags)).toEqual(['S', 'S', 'S']);
  expect(await count(`suppressions WHERE reason = 'hard_bounce'`)).toBe(3);
  // What comes in while it waits is told by the server.
  const [more] = letters;
  dovecot.deliver(Buffer.concat([more!, Buffer.from('again\r\n')]));
  await rig.eventually(filed(4), 20_000, 'the next one');
  expect(dovecot.log).toContain(how === 'TLS' ? 'TLS' : 'TLS, ');
  await worker.stop();
  expect(given()).toEqual([5]);
  expect(worker.log).not.toMatch(/secret|news@news|news%40/);
});

it('two workers read each letter once, and a restart none again', async () => {
  const letters = await reports(60);
  for (const raw of letters.slice(0, 30)) dovecot.deliver(raw);
  const [one, two] = await Promise.all([1, 2].map(() => rig.startWorker({ ...SETTINGS, ...overTls() }, false)));
  for (const raw of letters.slice(30)) dovecot.deliver(raw);
  await rig.eventually(filed(60), 30_000, 'reading');
  await one!.stop();
  await two!.stop();
  expect(given().reduce((sum, n) => sum + n, 0)).toBe(60);
  const human = dovecot.deliver(HUMAN);
  const sessions = given().length;
  const third = await rig.startWorker({ ...SETTINGS, ...overTls() });
  await third.said('mailbox.opened');
  await rig.eventually(async () => (await count(`inbound_sources WHERE last_uid = 61`)) === 1, 20_000, 'the restart');
  await third.stop();
  expect(given().slice(sessions)).toEqual([1]);
  expect([await count('inbound_letters'), dovecot.files()]).toEqual([60, [{ name: human, flags: '' }]]);
});

it('a worker dies between keeping letters and putting them away: another one goes on', async () => {
  const letters = await reports(30);
  for (const raw of letters) dovecot.deliver(raw);
  const dies = await rig.startWorker({ ...SETTINGS, ...overTls(), GONETS_FAILPOINT: 'mailbox-kept' }, false);
  await dies.ends();
  expect([dovecot.files().length, await count('inbound_letters')]).toEqual([30, 20]);
  await rig.startWorker({ ...SETTINGS, ...overTls() });
  await rig.eventually(filed(30), 30_000, 'putting away');
  expect([await count('inbound_letters'), dovecot.files()]).toEqual([30, []]);
});

it('a connection that is lost again and again loses no letter', async () => {
  const letters = await reports(200);
  for (const raw of letters) dovecot.deliver(raw);
  const proxy = await TcpProxy.start(dovecot.port);
  try {
    await rig.startWorker({ ...SETTINGS, ...overStarttls(proxy.port) });
    for (const n of [20, 60, 120]) {
      await rig.eventually(async () => (await count('inbound_letters')) >= n, 60_000, `${n} letters`);
      proxy.move(dovecot.port, 'break');
    }
    await rig.eventually(filed(200), 60_000, 'reading');
  } finally {
    await proxy.stop();
  }
  expect([await count('inbound_letters'), dovecot.files()]).toEqual([200, []]);
  expect(given().length).toBeGreaterThan(2);
});

it('logs in by OAuth, and gets another token when one is refused', async () => {
  const [letter] = await reports(1);
  dovecot.deliver(letter!);
  asked = [];
  good = ['new'];
  const worker = await rig.startWorker({
    ...SETTINGS,
    BOUNCE_MAILBOX_URL: `imaps://${USER}@127.0.0.1:${dovecot.tlsPort}/INBOX`,
    BOUNCE_MAILBOX_OAUTH: `${tokenServer()}/token,client,the-secret,refresh-me`,
  });
  await rig.eventually(filed(1), 30_000, 'reading');
  expect(asked).toEqual(['POST /token', 'GET /tokeninfo', 'POST /token', 'GET /tokeninfo']);
  expect(worker.log).not.toMatch(/the-secret|refresh-me/);
});
