import { connect } from 'node:net';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { createTransport } from 'nodemailer';
import { CertificateFiles } from '../../src/inbound-smtp/certificate-files';
import { type AddressAnswer, InboundServer, type InboundServerOptions } from '../../src/inbound-smtp/inbound-server';
import { eventually } from '../support/service';
import { SmtpClient } from '../support/smtp-client';

/** The server for letters that come back: accepts what is ours, keeps it before it says so, and can't be held up. */

interface Kept {
  from: string;
  to: string;
  digest: string;
}
let server: InboundServer;
let port: number;
let kept: Kept[];
let database: 'up' | 'away';
const failures: string[] = [];

const OURS = 'b+token@news.example.org';
const sha = (raw: Buffer) => createHash('sha256').update(raw).digest('hex');

async function start(more: Partial<InboundServerOptions> = {}): Promise<void> {
  kept = [];
  database = 'up';
  server = new InboundServer({
    host: '127.0.0.1',
    port: 0,
    maxBytes: 100_000,
    certificate: null,
    connections: 3,
    perAddress: 3,
    idleMs: 60_000,
    patienceMs: 60_000,
    lifeMs: 60_000,
    isOurs: (address): Promise<AddressAnswer> =>
      Promise.resolve(database === 'away' ? 'later' : address.toLowerCase() === OURS ? 'ours' : 'unknown'),
    keep: async (envelope, raw) => {
      // A turn of the event loop passes, as with a database.
      await new Promise((resolve) => setImmediate(resolve));
      if (database === 'away') throw new Error('the database is away');
      kept.push({ ...envelope, digest: sha(raw) });
    },
    onFailure: ({ message }) => failures.push(message),
    ...more,
  });
  port = await server.listen();
}
let clients: SmtpClient[] = [];
afterEach(async () => {
  jest.useRealTimers();
  // The server waits for a moment for letters under way.
  for (const { socket } of clients) socket.destroy();
  clients = [];
  await server.close();
});

async function open(host?: string): Promise<SmtpClient> {
  const client = await SmtpClient.open(port, host);
  clients.push(client);
  return client;
}

it('keeps a letter as it came, before it says 250', async () => {
  await start();
  const client = await open();
  const raw = 'Subject: x\r\n\r\n.dot\r\n\xd0\xb0';
  expect(await client.letter(raw.replace('\r\n.', '\r\n..'), OURS)).toMatch(/^250 /);
  expect(kept).toEqual([{ from: '', to: OURS, digest: sha(Buffer.from(`${raw}\r\n`, 'latin1')) }]);
  // The same connection takes more.
  expect(await client.letter('Subject: y\r\n\r\ny', OURS.toUpperCase(), '<a@b.example>')).toMatch(/^250 /);
  expect(kept[1]).toMatchObject({ from: 'a@b.example' });
});

it.each([
  ['another token', 'b+other@news.example.org'],
  ['no token', 'news@news.example.org'],
  ['another domain', 'someone@elsewhere.example'],
])('refuses %s before DATA', async (_, to) => {
  await start();
  const client = await open();
  expect(await client.letter('x', to)).toMatch(/^550 5\.1\.1 /);
  expect(await client.send('DATA')).toMatch(/^5\d\d /);
  expect(kept).toEqual([]);
});

it('asks to come again while the database is away, for addresses as for letters', async () => {
  await start();
  const client = await open();
  await client.send('MAIL FROM:<>');
  await client.send(`RCPT TO:<${OURS}>`);
  await client.send('DATA');
  database = 'away';
  expect(await client.send('Subject: x\r\n\r\nx\r\n.')).toMatch(/^451 4\.3\.0 /);
  expect(await client.letter('x', OURS)).toMatch(/^451 /);
  expect(failures).toContain('the database is away');
  database = 'up';
  expect(await client.letter('x', OURS)).toMatch(/^250 /);
  expect(kept).toHaveLength(1);
});

it('refuses what is too large, told or not', async () => {
  await start();
  const client = await open();
  expect(await client.send('MAIL FROM:<> SIZE=2000000')).toMatch(/^552 /);
  expect(await client.letter(`Subject: x\r\n\r\n${'y'.repeat(200_000)}`, OURS)).toMatch(/^552 /);
  expect(await client.letter('small', OURS)).toMatch(/^250 /);
  expect(kept).toHaveLength(1);
});

it('offers no sign-in', async () => {
  await start();
  const client = await SmtpClient.connect(port);
  const hello = await client.send('EHLO x');
  expect(hello).not.toMatch(/AUTH|STARTTLS/);
  expect(await client.send('AUTH LOGIN')).toMatch(/^5\d\d /);
});

it('takes only so many connections', async () => {
  await start({ perAddress: 4 });
  const all = [await open(), await open(), await open()];
  const fourth = connect(port, '127.0.0.1');
  const [greeting] = (await once(fourth, 'data')) as [Buffer];
  expect(greeting.toString()).toMatch(/^421 /);
  expect(await all[2]!.letter('x', OURS)).toMatch(/^250 /);
});

it.each(['127.0.0.1', '::'])('takes only so many connections of one address, on %s', async (host) => {
  await start({ host, perAddress: 2 });
  const all = [await open(), await open()];
  // Those that are refused take no place from others.
  for (let i = 0; i < 5; i++) {
    const more = connect(port, '127.0.0.1');
    const [greeting] = (await once(more, 'data')) as [Buffer];
    expect(greeting.toString()).toMatch(/^421 4\.7\.0 /);
    await once(more, 'close');
  }
  expect(await (await open('127.0.0.2')).letter('x', OURS)).toMatch(/^250 /);
  all[0]!.socket.end();
  await once(all[0]!.socket, 'close');
  expect(await (await open()).letter('x', OURS)).toMatch(/^250 /);
});

describe('the time of a connection', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** A connection of a server whose patience is a minute by a clock that the test moves. */
  async function slow(more: Partial<InboundServerOptions> = {}): Promise<SmtpClient> {
    await start({ lifeMs: 3_600_000, ...more });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask'] });
    let client: SmtpClient | undefined;
    const opening = open().then((opened) => (client = opened));
    // The greeting comes after a moment of the server's clock.
    for (; client === undefined; await turn()) jest.advanceTimersByTime(1);
    return opening;
  }

  it.each(['127.0.0.1', '::'])('begins again with each letter, on %s', async (host) => {
    const client = await slow({ host });
    for (let i = 0; i < 3; i++) {
      jest.advanceTimersByTime(50_000);
      expect(await client.send('MAIL FROM:<>')).toMatch(/^250 /);
      expect(await client.send(`RCPT TO:<${OURS}>`)).toMatch(/^250 /);
      jest.advanceTimersByTime(50_000);
      expect(await client.send('DATA')).toMatch(/^354 /);
      jest.advanceTimersByTime(50_000);
      expect(await client.send('x\r\n.')).toMatch(/^250 /);
    }
    jest.advanceTimersByTime(60_000);
    expect(await client.send('NOOP')).toBe('closed');
  });

  it('begins again with an address of ours once for a letter only', async () => {
    const client = await slow();
    const name = async () => {
      await client.send('MAIL FROM:<>');
      expect(await client.send(`RCPT TO:<${OURS}>`)).toMatch(/^250 /);
    };
    await name();
    jest.advanceTimersByTime(40_000);
    expect(await client.send(`RCPT TO:<${OURS}>`)).toMatch(/^250 /);
    await client.send('RSET');
    await name();
    jest.advanceTimersByTime(20_000);
    expect(await client.send('NOOP')).toBe('closed');
  });

  it.each(['127.0.0.1', '::'])('leaves nothing behind when the connection is gone, on %s', async (host) => {
    let answer: (is: AddressAnswer) => void = () => undefined;
    let asked = false;
    const isOurs = () => {
      asked = true;
      return new Promise<AddressAnswer>((resolve) => (answer = resolve));
    };
    const client = await slow({ host, isOurs });
    await client.send('MAIL FROM:<>');
    client.socket.write(`RCPT TO:<${OURS}>\r\n`);
    while (!asked) await turn();
    client.socket.destroy();
    while (jest.getTimerCount() > 0) await turn();
    answer('ours');
    for (let i = 0; i < 5; i++) await turn();
    expect(jest.getTimerCount()).toBe(0);
  });
});

it.each<[string, (client: SmtpClient) => Promise<unknown>]>([
  ['who names no address of ours', (client) => client.letter('x', 'nobody@news.example.org')],
  [
    'whose letter does not end',
    async (client) => {
      await client.send('MAIL FROM:<>');
      await client.send(`RCPT TO:<${OURS}>`);
      await client.send('DATA');
      client.socket.write('Subject: x\r\n');
    },
  ],
])('ends the connection of one %s, however busy it is', async (_, hold) => {
  await start({ patienceMs: 300 });
  const client = await open();
  await hold(client);
  const drip = setInterval(() => client.socket.write('x'), 20);
  // Closed or reset: both end it.
  await new Promise((resolve) => client.socket.once('close', resolve));
  clearInterval(drip);
  expect(kept).toEqual([]);
  // Others go on.
  expect(await (await open()).letter('x', OURS)).toMatch(/^250 /);
});

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gonets-certificate-'));
  const at = (name: string) => join(folder, name);
  const FILES = { cert: at('cert.pem'), key: at('key.pem') };
  const NAMES = { cert: 'INBOUND_TLS_CERT', key: 'INBOUND_TLS_KEY' };
  const put = (which: 'cert' | 'key', text: string | Buffer) => writeFileSync(FILES[which], text);
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A certificate of this machine with this serial number, and its key. */
  function made(serial: string): { cert: Buffer; key: Buffer } {
    const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost';
    const more = ['-addext', 'subjectAltName=DNS:localhost', '-set_serial', `0x${serial}`];
    const out = ['-keyout', at('made.key'), '-out', at('made.crt')];
    execFileSync('openssl', [...args.split(' '), ...more, ...out], { stdio: 'pipe' });
    return { cert: readFileSync(at('made.crt')), key: readFileSync(at('made.key')) };
  }
  const putBoth = (of: { cert: Buffer; key: Buffer }) => (['cert', 'key'] as const).forEach((one) => put(one, of[one]));
  /** Which certificate a client is shown that trusts this one; null: there are too many connections. */
  async function shown(ca: Buffer): Promise<string | null> {
    const client = await open();
    if (!/^220 /.test(await client.send('STARTTLS'))) return null;
    client.socket.removeAllListeners('data');
    const secured = connectTls({ socket: client.socket, ca, servername: 'localhost' });
    await once(secured, 'secureConnect');
    secured.on('error', () => undefined);
    const { serialNumber } = secured.getPeerCertificate();
    secured.destroy();
    return serialNumber.toLowerCase();
  }

  it('is offered by the certificate in the files, which is read again when they change', async () => {
    const [first, second] = [made('aa01'), made('bb02')];
    putBoth(first);
    const files = new CertificateFiles(FILES, NAMES);
    await start({ certificate: files.read() });
    // A mail server's way: nothing is sent unless the certificate is good.
    const transport = createTransport({
      ...{ host: '127.0.0.1', port, requireTLS: true },
      tls: { ca: first.cert, servername: 'localhost' },
    });
    await transport.sendMail({ envelope: { from: 'a@b.example', to: OURS }, raw: 'Subject: x\r\n\r\nx\r\n' });
    transport.close();
    expect(kept).toMatchObject([{ from: 'a@b.example', to: OURS }]);
    // More than are served at once: those that are over make room.
    for (let i = 0; i < 6; i++) expect(await eventually(() => shown(first.cert), 'TLS')).toBe('aa01');
    expect(files.read()).toBeNull();
    putBoth(second);
    server.renew(files.read()!);
    expect(await eventually(() => shown(second.cert), 'TLS')).toBe('bb02');
    // Without TLS letters are taken as before.
    const isTaken = async () => /^250 /.test(await (await open()).letter('x', OURS));
    expect(await eventually(isTaken, 'room for a connection')).toBe(true);
  });

  it('counts the time of a connection on', async () => {
    const own = made('cc03');
    await start({ patienceMs: 300, certificate: own });
    const client = await open();
    await client.send('STARTTLS');
    client.socket.removeAllListeners('data');
    const secured = connectTls({ socket: client.socket, ca: own.cert, servername: 'localhost' });
    secured.on('error', () => undefined);
    await once(secured, 'close');
  });

  it.each<[string, () => void, RegExp]>([
    ['no file', () => rmSync(FILES.cert), /^INBOUND_TLS_CERT can't be read: ENOENT/],
    ['no certificate', () => put('cert', 'x'), /^INBOUND_TLS_CERT is no file with a certificate \(PEM\)$/],
    ['no key', () => put('key', readFileSync(FILES.cert)), /^INBOUND_TLS_KEY is no file with a private key/],
    ['the key of another', () => put('key', made('ee05').key), /^INBOUND_TLS_KEY does not belong to INBOUND_TLS_CERT$/],
  ])('%s is named in one sentence, and what is in use stays', (_, spoil, said) => {
    putBoth(made('dd04'));
    const files = new CertificateFiles(FILES, NAMES);
    expect(files.read()).not.toBeNull();
    spoil();
    expect(() => files.read()).toThrow(said);
    expect(() => files.read()).toThrow(said);
  });
});
