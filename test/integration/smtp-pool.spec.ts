import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { classify, type TransmitResult } from '../../src/domain/smtp-outcome';
import { SmtpPool, type SmtpPoolOptions } from '../../src/smtp/smtp-pool';
import { parseSmtpUrl } from '../../src/smtp/smtp-url';
import { readJournal, type Action, SmtpServer, type SmtpServerOptions, type Step } from '../support/smtp-server';
import { startSmtpServerProcess } from '../support/smtp-server-process';

const pem = readFileSync(join(__dirname, '../support/localhost.pem'), 'utf8');
const certificate = { key: pem, cert: pem };
const PATIENT_MS = 20_000;
const SHORT_MS = 500;
const silent = (what: string) => (/stall|drip/.test(what) ? { timeoutMs: SHORT_MS } : {});
const TIMEOUTS = ['connection', 'greeting', 'command', 'data', 'dot'];

let directory: string;
let journal: string;
let open: { stop(): Promise<unknown> }[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'smtp-pool-'));
  journal = join(directory, 'journal');
});
afterEach(async () => {
  for (const one of open.reverse()) await one.stop();
  open = [];
  rmSync(directory, { recursive: true });
});

async function serve(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const server = await SmtpServer.start({ journal, fsync: false, transcript: true, ...options });
  open.push(server);
  return server;
}

type Extra = Partial<SmtpPoolOptions> & { url?: string; query?: string; timeoutMs?: number };
function poolOf(port: number, { url, query, timeoutMs = PATIENT_MS, ...options }: Extra = {}): SmtpPool {
  const timeouts = TIMEOUTS.map((name) => `${name}Timeout=${timeoutMs}`).join('&');
  const settings = parseSmtpUrl(`${url ?? 'smtp://127.0.0.1'}:${port}?${timeouts}${query ? `&${query}` : ''}`);
  const pool = new SmtpPool({ settings, connections: 1, ...options });
  open.push({ stop: () => pool.close() });
  return pool;
}

const FROM = 'sender@example.org';
const body = (to: string) =>
  Buffer.from(`Message-ID: <${to}>\r\nTo: <${to}>\r\nSubject: s\r\n\r\nhello\r\n.dotted\r\n`);
const letter = (to: string, from = FROM) => ({ from, to, raw: body(to) });
const accepted = () => readJournal(journal).filter((line) => line.verdict === 'accepted');
const code = (result: TransmitResult) => ('reply' in result ? result.reply.code : null);

describe.each([
  ['one command at a time', {}],
  ['pipelining', { pipelining: true }],
])('a letter, %s', (_name, extensions) => {
  test('is accepted whole, and the reply and the queue id are kept', async () => {
    const server = await serve(extensions);
    const result = await poolOf(server.port).transmit(letter('ok-a@example.org'));
    expect(result).toMatchObject({ kind: 'accepted', reply: { code: 250, enhanced: '2.0.0' } });
    const [line] = accepted();
    expect(result.kind === 'accepted' && result.reply.text).toContain(line?.tx);
    expect(line?.messageId).toBe('<ok-a@example.org>');
    expect(line?.sha256).toBe(createHash('sha256').update(body('ok-a@example.org')).digest('hex'));
  });

  const REFUSALS: [string, string, string, number, string?][] = [
    ['MAIL 550', 'ok-a@x.org', 'mail', 550, 'fail550-mail-s@x.org'],
    ['MAIL 421', 'ok-a@x.org', 'mail', 421, 'bye-mail-s@x.org'],
    ['RCPT 550', 'fail550.5.1.1-a@x.org', 'rcpt', 550],
    ['RCPT 451', 'defer-a@x.org', 'rcpt', 451],
    ['RCPT 421', 'bye-a@x.org', 'rcpt', 421],
    ['DATA 451', 'defer-data-a@x.org', 'data', 451],
    ['DATA 421', 'bye-data-a@x.org', 'data', 421],
    ['dot 554', 'fail554.5.7.1-dot-a@x.org', 'dot', 554],
    ['dot 451', 'defer-dot-a@x.org', 'dot', 451],
    ['dot 421', 'bye-dot-a@x.org', 'dot', 421],
  ];
  test.each(REFUSALS)(
    '%s is a definite no, and the next letter goes',
    async (_what, to, phase, expected, from = FROM) => {
      const server = await serve(extensions);
      const pool = poolOf(server.port);
      const result = await pool.transmit(letter(to, from));
      expect(result).toMatchObject({ kind: 'refused', phase, reply: { code: expected } });
      expect(accepted()).toEqual([]);
      expect((await pool.transmit(letter('ok-next@x.org'))).kind).toBe('accepted');
      expect(server.stats.connections).toBe(expected === 421 ? 2 : 1);
    },
  );

  const BREAKS: [string, string, string, boolean, boolean, string?][] = [
    ['dropped at MAIL', 'ok-a@x.org', 'mail', false, false, 'drop-mail-s@x.org'],
    ['dropped at RCPT', 'drop-a@x.org', 'rcpt', false, false],
    ['dropped at DATA', 'drop-data-a@x.org', 'data', false, false],
    ['dropped at the dot', 'drop-dot-a@x.org', 'dot', true, false],
    ['accepted, then dropped', 'accept-then-drop-a@x.org', 'dot', true, true],
    ['stalled at MAIL', 'ok-a@x.org', 'mail', false, false, 'stall-mail-s@x.org'],
    ['stalled at RCPT', 'stall-a@x.org', 'rcpt', false, false],
    ['stalled at DATA', 'stall-data-a@x.org', 'data', false, false],
    ['stalled at the dot', 'stall-dot-a@x.org', 'dot', true, false],
    ['accepted, then stalled', 'accept-then-stall-a@x.org', 'dot', true, true],
    ['dripped at RCPT', 'drip-a@x.org', 'rcpt', false, false],
    ['dripped at the dot', 'drip-dot-a@x.org', 'dot', true, false],
    ['half-closed at RCPT', 'half-close-a@x.org', 'rcpt', false, false],
    ['half-closed at the dot', 'half-close-dot-a@x.org', 'dot', true, false],
    ['accepted, then half-closed', 'accept-then-half-close-a@x.org', 'dot', true, true],
    ['garbage at RCPT', 'garbage-a@x.org', 'rcpt', false, false],
    ['garbage at DATA', 'garbage-data-a@x.org', 'data', false, false],
    ['garbage at the dot', 'garbage-dot-a@x.org', 'dot', true, false],
    ['accepted, then garbage', 'accept-then-garbage-a@x.org', 'dot', true, true],
  ];
  test.each(BREAKS)('%s: no answer', async (_what, to, phase, dotSent, taken, from = FROM) => {
    const server = await serve(extensions);
    const pool = poolOf(server.port, silent(to + from));
    const result = await pool.transmit(letter(to, from));
    expect(result).toMatchObject({ kind: 'broken', phase, dotSent });
    expect(accepted()).toHaveLength(taken ? 1 : 0);
    expect(server.stats.connections).toBe(1);
    expect(pool.connections.open).toBe(0);
    expect((await poolOf(server.port).transmit(letter('ok-next@x.org'))).kind).toBe('accepted');
  });

  test('multi-line replies are kept whole', async () => {
    const server = await serve(extensions);
    server.rule = (_to, step) => (step === 'dot' ? { do: 'reply', text: '554-5.7.1 no\r\n554 5.7.1 never' } : null);
    const result = await poolOf(server.port).transmit(letter('ok-a@x.org'));
    expect(result).toMatchObject({ reply: { code: 554, enhanced: '5.7.1', text: '554-5.7.1 no\n554 5.7.1 never' } });
  });

  test('a 2xx where 354 belongs writes no letter', async () => {
    const server = await serve(extensions);
    server.rule = (_to, step) => (step === 'data' ? { do: 'reply', text: '250 ok' } : null);
    const result = await poolOf(server.port).transmit(letter('ok-a@x.org'));
    expect(result).toMatchObject({ kind: 'broken', phase: 'data', dotSent: false });
  });

  test('a 2xx that is none after the dot is no acceptance', async () => {
    const server = await serve(extensions);
    server.rule = (_to, step) => (step === 'dot' ? { do: 'reply', text: '2fine thanks' } : null);
    const result = await poolOf(server.port).transmit(letter('ok-a@x.org'));
    expect(result).toMatchObject({ kind: 'broken', phase: 'dot', dotSent: true });
  });

  test('a connection that the server closed while idle costs no letter', async () => {
    const server = await serve(extensions);
    const pool = poolOf(server.port);
    for (const gently of [true, false]) {
      expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
      server.dropConnections(gently);
      expect((await pool.transmit(letter('ok-b@x.org'))).kind).toBe('accepted');
    }
    expect(accepted()).toHaveLength(4);
  });

  test('a kept connection that ends at MAIL is replaced once, a new one is not', async () => {
    const server = await serve(extensions);
    const pool = poolOf(server.port);
    for (const sender of ['drop1-mail-s@x.org', 'bye1-mail-s@x.org']) {
      await pool.transmit(letter('ok-first@x.org'));
      expect((await pool.transmit(letter('ok-a@x.org', sender))).kind).toBe('accepted');
    }
    await pool.transmit(letter('ok-first@x.org'));
    const before = server.stats.connections;
    expect(await pool.transmit(letter('ok-a@x.org', 'drop-mail-s@x.org'))).toMatchObject({
      kind: 'broken',
      phase: 'mail',
    });
    expect(server.stats.connections).toBe(before + 1);
  });
});

describe('before the first letter', () => {
  const at = (step: Step, action: Action) =>
    serve({ behaviour: { at: { [step]: action } }, login: { user: 'u', pass: 'p' } });
  const transmit = (server: SmtpServer, extra: Extra = {}) =>
    poolOf(server.port, { url: 'smtp://u:p@127.0.0.1', ...extra }).transmit(letter('ok-a@x.org'));

  test.each([
    ['greeting', { do: 'stall' }, { kind: 'broken', phase: 'greeting' }],
    ['greeting', { do: 'drop' }, { kind: 'broken', phase: 'greeting' }],
    ['greeting', { do: 'drip' }, { kind: 'broken', phase: 'greeting' }],
    ['greeting', { do: 'garbage' }, { kind: 'broken', phase: 'greeting' }],
    ['greeting', { do: 'half-close' }, { kind: 'broken', phase: 'greeting' }],
    ['greeting', { do: 'reply', text: '554 no' }, { kind: 'refused', phase: 'greeting', reply: { code: 554 } }],
    ['greeting', { do: 'reply', text: '421 busy' }, { kind: 'refused', phase: 'greeting', reply: { code: 421 } }],
    ['ehlo', { do: 'drop' }, { kind: 'broken', phase: 'ehlo' }],
    ['ehlo', { do: 'stall' }, { kind: 'broken', phase: 'ehlo' }],
    ['ehlo', { do: 'reply', text: '550 no' }, { kind: 'refused', phase: 'ehlo', reply: { code: 550 } }],
    ['ehlo', { do: 'reply', text: '421 busy' }, { kind: 'refused', phase: 'ehlo', reply: { code: 421 } }],
    ['auth', { do: 'drop' }, { kind: 'broken', phase: 'auth' }],
    ['auth', { do: 'stall' }, { kind: 'broken', phase: 'auth' }],
    ['auth', { do: 'reply', text: '454 4.7.0 later' }, { kind: 'refused', phase: 'auth', reply: { code: 454 } }],
    ['auth', { do: 'reply', text: '421 4.7.0 later' }, { kind: 'refused', phase: 'auth', reply: { code: 421 } }],
  ] as [Step, Action, object][])('%s: %j', async (step, action, expected) => {
    const server = await at(step, action);
    expect(await transmit(server, silent(action.do))).toMatchObject(expected);
    expect(server.stats.transactions).toBe(0);
  });

  test('a wrong password is refused at auth; PLAIN and LOGIN let the right one in', async () => {
    const server = await serve({ login: { user: 'u', pass: 'p' } });
    expect(await transmit(server, { url: 'smtp://u:wrong@127.0.0.1' })).toMatchObject({
      phase: 'auth',
      reply: { code: 535 },
    });
    expect((await transmit(server, { query: 'authMethod=PLAIN' })).kind).toBe('accepted');
    expect((await transmit(server, { query: 'authMethod=LOGIN' })).kind).toBe('accepted');
  });

  test('a login that the server does not offer is our own finding', async () => {
    const server = await serve();
    expect(await transmit(server)).toMatchObject({ kind: 'unsendable', problem: 'login_not_offered' });
  });

  test('login refused from letter 2 on: all who wait learn it at once', async () => {
    const server = await serve({ login: { user: 'u', pass: 'p' }, behaviour: { refuseLoginAfter: 2 } });
    const pool = poolOf(server.port, { url: 'smtp://u:p@127.0.0.1', maxMessagesPerConnection: 1 });
    const results = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.transmit(letter(`ok-${n}@x.org`))));
    expect(results.map(code)).toEqual([250, 250, 535, 535, 535]);
    expect(server.stats.logins).toBe(3);
  });

  test('nobody listens; no such host; a reset at once', async () => {
    const server = await serve();
    server.behave({ refuseConnections: true });
    expect(await poolOf(server.port).transmit(letter('ok-a@x.org'))).toMatchObject({ kind: 'broken', dotSent: false });
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.once('listening', resolve));
    const address = free.address();
    await new Promise((resolve) => free.close(resolve));
    const port = typeof address === 'object' && address ? address.port : 0;
    expect(await poolOf(port).transmit(letter('ok-a@x.org'))).toMatchObject({ kind: 'broken', phase: 'connect' });
    const nowhere = poolOf(port, { url: 'smtp://host.invalid' });
    expect(await nowhere.transmit(letter('ok-a@x.org'))).toMatchObject({
      kind: 'broken',
      phase: 'dns',
      dotSent: false,
    });
  });
});

describe('a password', () => {
  const login = { user: 'u', pass: 'clear-word' };
  // Any host but this machine's own names and 127.0.0.0/8; Linux connects 0.0.0.0 to this machine all the same.
  const url = 'smtp://u:clear-word@0.0.0.0';
  const told = (server: SmtpServer) => server.transcript.join('\n');

  test('is not sent to another machine that offers no TLS', async () => {
    const server = await serve({ login });
    const result = await poolOf(server.port, { url }).transmit(letter('ok-a@x.org'));
    expect(result).toMatchObject({ kind: 'refused', phase: 'tls', reply: { code: 502 } });
    expect(classify(result)).toMatchObject({ reason: 'tls_not_offered', delivery: 'pending' });
    expect(server.stats.logins).toBe(0);
    expect(told(server)).not.toMatch(/AUTH|clear-word/);
  });

  test.each(['requireTLS=false', 'authMethod=CRAM-MD5'])('nor with %s', async (query) => {
    const server = await serve({ login });
    const result = await poolOf(server.port, { url, query }).transmit(letter('ok-a@x.org'));
    expect(classify(result)).toMatchObject({ reason: 'tls_not_offered' });
    expect(told(server)).not.toContain('AUTH');
  });

  test('is sent over STARTTLS, to this machine, and in clear where the URL says so by name', async () => {
    const secure = await serve({ login, tls: certificate });
    const over = poolOf(secure.port, { url, query: 'rejectUnauthorized=false' });
    expect((await over.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
    const plain = await serve({ login });
    for (const [at, query] of [
      ['smtp://u:clear-word@127.0.0.1', ''],
      [url, 'allowPlainLogin=true'],
      [url, 'allowPlainLogin=true&ignoreTLS=true'],
    ] as const) {
      const pool = poolOf(plain.port, { url: at, query });
      expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
    }
  });
});

describe('TLS', () => {
  const trusting = 'rejectUnauthorized=false';
  test.each([
    ['STARTTLS', { tls: certificate }, 'smtp://u:p@127.0.0.1'],
    ['implicit', { tls: { ...certificate, implicit: true } }, 'smtps://u:p@127.0.0.1'],
  ])('%s: letters, refusals and lost replies are the same inside', async (_name, options, url) => {
    const server = await serve({ ...options, login: { user: 'u', pass: 'p' }, pipelining: true });
    const pool = poolOf(server.port, { url, query: trusting });
    expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
    expect(await pool.transmit(letter('fail550-a@x.org'))).toMatchObject({ kind: 'refused', phase: 'rcpt' });
    expect(await pool.transmit(letter('drop-data-a@x.org'))).toMatchObject({
      kind: 'broken',
      phase: 'data',
      dotSent: false,
    });
    expect(await pool.transmit(letter('accept-then-drop-a@x.org'))).toMatchObject({ kind: 'broken', dotSent: true });
    const running = pool.transmit(letter('stall-dot-a@x.org'));
    await until(() => readJournal(journal).some((line) => line.step === 'dot' && line.verdict === 'dropped'));
    pool.dropAll();
    expect(await running).toMatchObject({ kind: 'broken', dotSent: true });
    expect((await pool.transmit(letter('ok-b@x.org'))).kind).toBe('accepted');
  });

  test.each([
    ['a certificate we do not trust', { tls: certificate }, 'smtp://127.0.0.1', '', 'broken'],
    ['the same, implicit', { tls: { ...certificate, implicit: true } }, 'smtps://127.0.0.1', '', 'broken'],
    ['no STARTTLS where it is required', {}, 'smtp://127.0.0.1', 'requireTLS=true', 'refused'],
    ['plain text where TLS is expected', {}, 'smtps://127.0.0.1', trusting, 'broken'],
    [
      'a connection lost at STARTTLS',
      { tls: certificate, behaviour: { at: { starttls: { do: 'drop' } } } },
      'smtp://127.0.0.1',
      '',
      'broken',
    ],
  ] as [string, SmtpServerOptions, string, string, string][])(
    '%s fails at tls',
    async (_name, options, url, query, kind) => {
      const server = await serve(options);
      const result = await poolOf(server.port, { url, query }).transmit(letter('ok-a@x.org'));
      expect(result).toMatchObject({ kind, phase: 'tls' });
      expect(server.stats.transactions).toBe(0);
    },
  );

  test('ignoreTLS stays in plain text', async () => {
    const server = await serve({ tls: certificate });
    const result = await poolOf(server.port, { query: 'ignoreTLS=true' }).transmit(letter('ok-a@x.org'));
    expect(result.kind).toBe('accepted');
    expect(server.transcript).not.toContain('STARTTLS');
  });
});

describe('our own checks', () => {
  test.each([
    [{}, 'имя@example.org', FROM, 'address_needs_utf8'],
    [{}, 'ok@example.org', 'имя@example.org', 'sender_needs_utf8'],
    [{}, 'no address', FROM, 'bad_address'],
    [{}, 'a@b.org>\r\nRSET', FROM, 'bad_address'],
    [{ size: 50 }, 'ok@example.org', FROM, 'too_large'],
  ] as [SmtpServerOptions, string, string, string][])('%j %s', async (options, to, from, problem) => {
    const server = await serve(options);
    const pool = poolOf(server.port);
    expect(await pool.transmit({ ...letter('x@x.org', from), to })).toMatchObject({ kind: 'unsendable', problem });
    expect(server.transcript.filter((line) => line.startsWith('MAIL'))).toEqual([]);
    expect(pool.connections.open).toBe(1);
  });

  test('what the server offers is used: SMTPUTF8, 8BITMIME, SIZE, ASCII domains', async () => {
    const server = await serve({ smtpUtf8: true, eightBitMime: true, size: 10_000 });
    const pool = poolOf(server.port);
    const raw = Buffer.from('Subject: s\r\n\r\nпривет\r\n');
    const seen: unknown[] = [];
    const result = await pool.transmit({ from: FROM, to: 'имя@пример.рф', raw: (offer) => (seen.push(offer), raw) });
    expect(result.kind).toBe('accepted');
    expect(seen).toEqual([{ eightBitMime: true, smtpUtf8: true, pipelining: false, size: 10_000, declaresSize: true }]);
    const mail = server.transcript.find((line) => line.startsWith('MAIL'));
    expect(mail).toMatch(/SMTPUTF8.*BODY=8BITMIME.*SIZE=/);
    expect(server.transcript).toContain('RCPT TO:<имя@xn--e1afmkfd.xn--p1ai>');
  });

  test('a letter that can’t be made is said so', async () => {
    const server = await serve();
    const raw = () => {
      throw new Error('no such variable');
    };
    const result = await poolOf(server.port).transmit({ from: FROM, to: 'ok@x.org', raw });
    expect(result).toEqual({ kind: 'unsendable', problem: 'template_failed', text: 'no such variable' });
  });
});

describe('what a server says', () => {
  const HELLO = ['250 raw', '250-raw\r\n250 PIPELINING'] as const;
  const GO = '354 go\r\n';
  const OK = '250 ok\r\n';

  test.each(HELLO)('is understood octet by octet, in several lines and with empty ones: %j', async (hello) => {
    const raw = await rawServer({
      hello,
      say: (step) => (step === 'data' ? '354-go\r\n354 on\r\n\r\n' : `250-${step}\r\n250 привет\r\n\r\n`),
      slowly: true,
    });
    const pool = poolOf(raw.port);
    for (let i = 0; i < 3; i++) {
      expect(await pool.transmit(letter('a@x.org'))).toMatchObject({ reply: { text: '250-dot\n250 привет' } });
    }
    expect(raw.connections).toBe(1);
  });

  test('goes for MAIL, RCPT and DATA at once where they were sent at once', async () => {
    const raw = await rawServer({
      hello: HELLO[1],
      say: (step) => (step === 'data' ? OK + OK + GO : step === 'dot' ? OK : ''),
    });
    expect((await poolOf(raw.port).transmit(letter('a@x.org'))).kind).toBe('accepted');
    expect(raw.chunks).toContain(`MAIL FROM:<${FROM}>\r\nRCPT TO:<a@x.org>\r\nDATA\r\n`);
  });

  test.each([
    ['354', GO],
    ['250', OK],
  ])('is no leave to send a letter to nobody: RCPT is refused, DATA gets %s', async (_what, reply) => {
    let transaction = 0;
    const raw = await rawServer({
      hello: HELLO[1],
      say: (step) => {
        if (step === 'mail') transaction++;
        if (transaction > 1) return step === 'data' ? GO : OK;
        return { mail: OK, rcpt: '550 5.1.1 no\r\n', data: reply, dot: OK }[step];
      },
    });
    const pool = poolOf(raw.port);
    expect(await pool.transmit(letter('a@x.org'))).toMatchObject({
      kind: 'refused',
      phase: 'rcpt',
      reply: { code: 550 },
    });
    expect(pool.connections.open).toBe(0);
    expect((await pool.transmit(letter('b@x.org'))).kind).toBe('accepted');
    expect(raw.dots).toBe(1);
    expect(raw.connections).toBe(2);
  });

  test('is a no, whatever comes after it: the connection is closed, the last line left open', async () => {
    for (const hello of HELLO) {
      for (const no of ['550 5.1.1 no\r\n', '550 5.1.1 no', '550-5.1.1 no\r\n550 5.1.1 never']) {
        const raw = await rawServer({
          hello,
          say: (step) => (step === 'rcpt' ? no : step === 'data' ? '' : OK),
          closeAfter: 'rcpt',
        });
        const result = await poolOf(raw.port).transmit(letter('a@x.org'));
        expect(result).toMatchObject({ kind: 'refused', phase: 'rcpt', reply: { code: 550, enhanced: '5.1.1' } });
      }
    }
    const raw = await rawServer({
      say: (step) => (step === 'dot' ? '554 no' : step === 'data' ? GO : OK),
      closeAfter: 'dot',
    });
    expect(await poolOf(raw.port).transmit(letter('a@x.org'))).toMatchObject({ kind: 'refused', phase: 'dot' });
  });

  test('and is not a no, nor a yes, if it is cut off', async () => {
    for (const cut of ['55', '554', '250 ok', '250-ok\r\n']) {
      const raw = await rawServer({
        say: (step) => (step === 'dot' ? cut : step === 'data' ? GO : OK),
        closeAfter: 'dot',
      });
      expect(await poolOf(raw.port).transmit(letter('a@x.org'))).toMatchObject({
        kind: 'broken',
        phase: 'dot',
        dotSent: true,
      });
    }
  });

  test.each([
    ['mail', '250-ok\r\n550 no\r\n', 550],
    ['rcpt', '550-5.7.1 no\r\n450 4.2.0 later\r\n', 450],
    ['data', '354-go\r\n451 later\r\n', 451],
    ['dot', '450-4.2.0 later\r\n554 5.6.0 no\r\n', 554],
  ] as [Said, string, number][])('at %s, %j, counts by its last line', async (at, said, expected) => {
    const raw = await rawServer({ say: (step) => (step === at ? said : step === 'data' ? GO : OK) });
    const result = await poolOf(raw.port).transmit(letter('a@x.org'));
    expect(result).toMatchObject({ kind: 'refused', phase: at, reply: { code: expected } });
  });

  test.each([
    ['mail', OK + OK, 'rcpt', false],
    ['rcpt', OK + GO, 'data', false],
    ['data', GO + OK, 'data', false],
    ['data', `${GO}25`, 'data', false],
    ['mail', '350 ok\r\n', 'mail', false],
    ['rcpt', '350 ok\r\n', 'rcpt', false],
    ['data', '350 ok\r\n', 'data', false],
    ['dot', GO, 'dot', true],
    ['mail', '250-ok\r\nno\r\n', 'mail', false],
    ['dot', '250 ok\r\n', null, true],
  ] as [Said, string, string | null, boolean][])(
    'at %s, %j, is taken for what it is',
    async (at, text, phase, dotSent) => {
      const raw = await rawServer({ say: (step) => (step === at ? text : step === 'data' ? GO : OK) });
      const pool = poolOf(raw.port);
      const result = await pool.transmit(letter('a@x.org'));
      if (phase === null) expect(result.kind).toBe('accepted');
      else expect(result).toMatchObject({ kind: 'broken', phase, dotSent });
      expect(pool.connections.open).toBe(phase === null ? 1 : 0);
      expect(raw.dots).toBe(dotSent ? 1 : 0);
    },
  );

  test.each([
    ['more than was asked', `${OK}250 and that\r\n`],
    ['the beginning of more', `${OK}25`],
    ['421', `${OK}421 bye\r\n`],
  ])('after the dot, %s, ends the connection, not the letter', async (_what, text) => {
    const raw = await rawServer({ say: (step) => (step === 'dot' ? text : step === 'data' ? GO : OK) });
    const pool = poolOf(raw.port);
    for (let i = 1; i <= 2; i++) {
      expect((await pool.transmit(letter('a@x.org'))).kind).toBe('accepted');
      expect(raw.connections).toBe(i);
    }
  });

  test('without being asked ends an idle connection, empty lines do not', async () => {
    const raw = await rawServer({ say: (step) => (step === 'data' ? GO : OK) });
    const pool = poolOf(raw.port);
    await pool.transmit(letter('a@x.org'));
    raw.shout('\r\n');
    await sleep(50);
    expect(pool.connections.open).toBe(1);
    for (const text of ['421 bye\r\n', '250 ok\r\n', 'x']) {
      await pool.transmit(letter('a@x.org'));
      raw.shout(text);
      await until(() => pool.connections.open === 0);
    }
  });

  test.each(['250 and so on', '250-and so on\r\n'])('without end, %j, is cut off', async (piece) => {
    const raw = await rawServer({
      say: (step) => (step === 'rcpt' ? piece.repeat(20_000) : step === 'data' ? GO : OK),
    });
    const result = await poolOf(raw.port).transmit(letter('a@x.org'));
    const error = expect.stringContaining('does not end') as string;
    expect(result).toEqual({ kind: 'broken', phase: 'rcpt', dotSent: false, error });
  });

  test('about SIZE is answered', async () => {
    for (const [hello, size] of [
      ['250 raw', ''],
      ['250-raw\r\n250 SIZE', ` SIZE=${body('a@x.org').length}`],
    ]) {
      const raw = await rawServer({ hello, say: (step) => (step === 'data' ? GO : OK) });
      expect((await poolOf(raw.port).transmit(letter('a@x.org', ''))).kind).toBe('accepted');
      expect(raw.chunks).toContain(`MAIL FROM:<>${size}\r\n`);
    }
  });
});

test('no address can end a command', async () => {
  const server = await serve({ smtpUtf8: true, pipelining: true });
  const pool = poolOf(server.port);
  const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter((c) =>
    /[\p{Cc}<>]/u.test(c),
  );
  for (const control of [...controls, '\u2028', '\u2029', '\ufeff']) {
    for (const address of [`a${control}RSET${control}@x.org`, `a@x${control}.org`]) {
      const results = [await pool.transmit(letter(address)), await pool.transmit(letter('ok@x.org', address))];
      expect(results.map((result) => result.kind)).toEqual(['unsendable', 'unsendable']);
    }
  }
  // In one octet each these would be line ends.
  const lineEnds = 'a\u010d\u010aRSET\u010d\u010a@x.org';
  expect((await pool.transmit(letter(lineEnds, lineEnds))).kind).toBe('accepted');
  expect(server.transcript.filter((line) => /^(MAIL|RCPT|RSET)/.test(line))).toEqual([
    `MAIL FROM:<${lineEnds}> SMTPUTF8`,
    `RCPT TO:<${lineEnds}>`,
  ]);
});

describe('large letters', () => {
  const large = (to: string, lines = 3_000_000) => ({
    from: FROM,
    to,
    raw: Buffer.concat([body(to), Buffer.alloc(lines * 7, 'x\r\n..\r\n')]),
  });

  test('arrive whole', async () => {
    const server = await serve();
    const big = large('ok-a@x.org', 600_000);
    expect((await poolOf(server.port, { timeoutMs: 20_000 }).transmit(big)).kind).toBe('accepted');
    expect(accepted()[0]?.sha256).toBe(createHash('sha256').update(big.raw).digest('hex'));
  });

  test('a server that stops reading, or says no in the middle, gets no dot', async () => {
    const server = await serve();
    const pool = poolOf(server.port);
    const refusal = await pool.transmit(large('fail552-body-a@x.org'));
    expect(refusal).toMatchObject({ kind: 'refused', phase: 'data', reply: { code: 552 } });
    expect(await pool.transmit(large('drop-before-dot-a@x.org'))).toMatchObject({
      kind: 'broken',
      phase: 'data',
      dotSent: false,
    });
    const deaf = await serve({ behaviour: { at: { body: { do: 'mute' } } } });
    expect(await poolOf(deaf.port, { timeoutMs: SHORT_MS }).transmit(large('ok-a@x.org'))).toMatchObject({
      kind: 'broken',
      phase: 'data',
      dotSent: false,
    });
    expect(accepted()).toEqual([]);
  });
});

describe('connections', () => {
  test('one serves many letters, up to its maximum', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { maxMessagesPerConnection: 3 });
    for (let i = 0; i < 7; i++) expect((await pool.transmit(letter(`ok-${i}@x.org`))).kind).toBe('accepted');
    expect(server.stats.connections).toBe(3);
    expect(server.transcript.filter((line) => line === 'QUIT')).toHaveLength(2);
  });

  test('are opened when needed, never above the limit, and letters go first come, first served', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { connections: 3 });
    expect(pool.connections).toEqual({ open: 0, busy: 0, waiting: 0, limit: 3 });
    const order: number[] = [];
    const letters = Array.from({ length: 50 }, (_, i) =>
      pool.transmit({ ...letter(`ok-${i}@x.org`), raw: () => (order.push(i), body('ok')) }),
    );
    expect(pool.connections).toEqual({ open: 3, busy: 0, waiting: 50, limit: 3 });
    await Promise.all(letters);
    expect(server.stats.connections).toBe(3);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('the limit can be halved and restored under load', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { connections: 4 });
    await Promise.all(Array.from({ length: 20 }, (_, i) => pool.transmit(letter(`ok-a${i}@x.org`))));
    pool.setLimit(2);
    await until(() => server.stats.open === 2);
    await Promise.all(Array.from({ length: 20 }, (_, i) => pool.transmit(letter(`ok-b${i}@x.org`))));
    expect(pool.connections).toMatchObject({ open: 2, limit: 2 });
    pool.setLimit(4);
    await Promise.all(Array.from({ length: 20 }, (_, i) => pool.transmit(letter(`ok-c${i}@x.org`))));
    expect(pool.connections.open).toBe(4);
  });

  test('a letter waits for its permit while its connection is held, and is withheld without it', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { connections: 1 });
    const refused = pool.transmit({ ...letter('ok-a@x.org'), permit: () => Promise.resolve(false) });
    const allowed = pool.transmit({ ...letter('ok-b@x.org'), permit: () => Promise.resolve(true) });
    expect((await refused).kind).toBe('withheld');
    expect((await allowed).kind).toBe('accepted');
    expect(server.stats.transactions).toBe(1);
    expect(server.stats.connections).toBe(1);
  });

  test('are opened for letters that wait elsewhere until one is ready; what can not be opened is said', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { connections: 3 });
    const seen: number[] = [];
    const failures: string[] = [];
    let wanted = 2;
    pool.attend({
      wanted: () => wanted,
      ready: () => seen.push(pool.ready),
      unreachable: (failure) => failures.push(failure.kind),
    });
    expect(pool.ready).toBe(0);
    pool.prepare();
    await until(() => seen.length === 2);
    expect(pool.ready).toBe(2);
    wanted = 9;
    pool.prepare();
    await until(() => seen.length === 3);
    expect(server.stats.connections).toBe(3);
    server.behave({ refuseConnections: true });
    server.dropConnections();
    await until(() => pool.ready === 0);
    pool.prepare();
    await until(() => failures.length > 0);
    expect(failures[0]).toBe('broken');
  });

  test('connections that fail in the same moment leave no letter waiting', async () => {
    const sockets: Socket[] = [];
    const raw = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      if (sockets.length === 3) for (const one of sockets.splice(0)) one.destroy();
    }).listen(0, '127.0.0.1');
    await once(raw, 'listening');
    open.push({ stop: () => Promise.resolve(raw.close()) });
    const pool = poolOf((raw.address() as AddressInfo).port, { connections: 3 });
    for (let round = 0; round < 20; round++) {
      const results = ['a', 'b', 'c'].map((name) => pool.transmit(letter(`${name}@x.org`)));
      for (const result of await Promise.all(results)) expect(result).toMatchObject({ kind: 'broken', dotSent: false });
    }
  });

  test('a server that takes fewer than the limit gets no more, and no letter fails of it', async () => {
    const server = await serve({ maxConnections: 2 });
    const pool = poolOf(server.port, { connections: 5 });
    const results = Array.from({ length: 30 }, (_, i) => pool.transmit(letter(`ok-${i}@x.org`)));
    const kinds = new Set((await Promise.all(results)).map(({ kind }) => kind));
    expect([...kinds]).toEqual(['accepted']);
    expect(pool.ready).toBeLessThanOrEqual(2);
  });

  test('unused ones are closed politely', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { connections: 2, idleCloseMs: 50 });
    await Promise.all([pool.transmit(letter('ok-a@x.org')), pool.transmit(letter('ok-b@x.org'))]);
    await until(() => server.stats.open === 0);
    expect(server.transcript.filter((line) => line === 'QUIT')).toHaveLength(2);
    expect(pool.connections.open).toBe(0);
  });

  test('close lets running letters end, withholds waiting ones, says QUIT', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { connections: 2 });
    let go = () => {};
    const held = new Promise<boolean>((resolve) => (go = () => resolve(true)));
    const results = ['ok-a@x.org', 'ok-b@x.org', 'ok-c@x.org'].map((to) =>
      pool.transmit({ ...letter(to), permit: () => held }),
    );
    await until(() => pool.connections.busy === 2);
    const closed = pool.close();
    go();
    await closed;
    expect((await Promise.all(results)).map((result) => result.kind)).toEqual(['accepted', 'accepted', 'withheld']);
    expect((await pool.transmit(letter('ok-d@x.org'))).kind).toBe('withheld');
    expect(server.transcript.filter((line) => line === 'QUIT')).toHaveLength(2);
    expect(pool.connections).toMatchObject({ open: 0, busy: 0 });
  });

  test('verify says what the server offers, or what is wrong', async () => {
    const server = await serve({ login: { user: 'u', pass: 'p' }, size: 1000 });
    const good = await poolOf(server.port, { url: 'smtp://u:p@127.0.0.1' }).verify();
    expect(good).toMatchObject({ ok: true, capabilities: { size: 1000 } });
    const bad = await poolOf(server.port, { url: 'smtp://u:wrong@127.0.0.1' }).verify();
    expect(bad).toMatchObject({ ok: false, result: { kind: 'refused', phase: 'auth' } });
  });
});

describe('deadlines', () => {
  /** `late` instead of a wait without end. */
  const promptly = <T>(work: Promise<T>) => Promise.race([work, sleep(60_000, 'late' as const, { ref: false })]);

  test('bind one answer each: a connection lives on past them, busy or idle, and its silence is noticed then, too', async () => {
    const server = await serve();
    const pool = poolOf(server.port, { timeoutMs: 2_000, idleCloseMs: 60_000 });
    const until = performance.now() + 2_500;
    do expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
    while (performance.now() < until);
    await sleep(2_500);
    expect(await promptly(pool.transmit(letter('stall-dot-a@x.org')))).toMatchObject({ kind: 'broken', dotSent: true });
    expect(server.stats.connections).toBe(1);
  });

  test('that come sooner than the one before them are kept', async () => {
    const server = await serve();
    const settings = parseSmtpUrl(`smtp://127.0.0.1:${server.port}?commandTimeout=${SHORT_MS}`);
    const pool = new SmtpPool({ settings, connections: 1 });
    open.push({ stop: () => pool.close() });
    expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
    expect(await promptly(pool.transmit(letter('stall-a@x.org')))).toMatchObject({ kind: 'broken', phase: 'rcpt' });
    pool.dropAll();
  });
});

describe('fencing', () => {
  test('beforeDot is asked before a letter begins and before its dot: its no begins nothing, and writes no dot', async () => {
    const server = await serve();
    let asked = 0;
    let refused = Infinity;
    const pool = poolOf(server.port, { beforeDot: () => ++asked < refused });
    expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
    expect(asked).toBe(2);
    refused = 4;
    expect(await pool.transmit(letter('ok-b@x.org'))).toMatchObject({ kind: 'withheld', phase: 'data' });
    expect(await pool.transmit(letter('ok-c@x.org'))).toMatchObject({ kind: 'withheld', phase: 'connect' });
    expect(asked).toBe(5);
    expect(server.stats.transactions).toBe(2);
    await until(() => readJournal(journal).some((line) => line.rcpt === 'ok-b@x.org'));
    expect(accepted().map((line) => line.rcpt)).toEqual(['ok-a@x.org']);
  });

  /** Two letters that wait for the answer to RCPT, two for the one to their dot, and one for a connection. */
  async function midway(atDot: Action | null) {
    const server = await serve();
    server.behave({ atOnce: { most: 9, dotMs: 2_000, text: '432 too many' } });
    const pool = poolOf(server.port, { connections: 4 });
    let held = 0;
    server.rule = (to, step) => {
      if (step !== 'rcpt' && step !== 'dot') return null;
      if (!to.startsWith(`at-${step}`)) return null;
      held++;
      return step === 'rcpt' ? { do: 'stall' } : atDot;
    };
    const results = ['at-rcpt-1', 'at-rcpt-2', 'at-dot-1', 'at-dot-2', 'waits'].map((name) =>
      pool.transmit(letter(`${name}@x.org`)),
    );
    await until(() => held === 4);
    return { server, pool, results: Promise.all(results) };
  }

  test('after dropAll no dot is written, whatever the letters were doing', async () => {
    const { server, pool, results } = await midway({ do: 'stall' });
    pool.dropAll();
    const outcome = (await results).map((result) => [result.kind, 'dotSent' in result && result.dotSent]);
    const withheld = ['withheld', false];
    expect(outcome).toEqual([withheld, withheld, ['broken', true], ['broken', true], withheld]);
    await until(() => server.stats.open === 0);
    expect(accepted()).toEqual([]);
    expect((await pool.transmit(letter('ok-again@x.org'))).kind).toBe('accepted');
  });

  test('after fence no dot is written, and letters that are out still get their answer', async () => {
    const { pool, results } = await midway(null);
    pool.fence();
    const kinds = (await results).map(({ kind }) => kind);
    expect(kinds).toEqual(['withheld', 'withheld', 'accepted', 'accepted', 'withheld']);
    expect((await pool.transmit(letter('ok-again@x.org'))).kind).toBe('accepted');
  });

  test('dropAll at random moments: what is not said to be unknown or sent was never accepted', async () => {
    const server = await serve({ pipelining: true });
    const pool = poolOf(server.port, { connections: 5 });
    for (let round = 0; round < 30; round++) {
      const results = Array.from({ length: 20 }, (_, i) => pool.transmit(letter(`r${round}-${i}@x.org`)));
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      pool.dropAll();
      const all = await Promise.all(results);
      await until(() => server.stats.open === 0);
      const taken = new Set(accepted().map((line) => line.rcpt));
      for (const [i, result] of all.entries()) {
        const to = `r${round}-${i}@x.org`;
        if (result.kind === 'accepted') expect(taken).toContain(to);
        else if (!('dotSent' in result && result.dotSent)) expect(taken).not.toContain(to);
      }
    }
  });
});

test('one letter is one transaction, with connections dropped at every verb', async () => {
  const server = await serve({ pipelining: true });
  const drop: Action = { do: 'drop' };
  const steps: Step[] = ['greeting', 'ehlo', 'mail', 'rcpt', 'data', 'body', 'dot'];
  const lost = { step: 'dot', p: 0.05, action: { do: 'drop', accepted: true } } as const;
  server.behave({ seed: 7, chances: [lost, ...steps.map((step) => ({ step, p: 0.05, action: drop }))] });
  const pool = poolOf(server.port, { connections: 5 });
  const results: [string, TransmitResult][] = [];
  const sender = async (name: string) => {
    for (let i = 0; i < 80; i++) results.push([`${name}${i}@x.org`, await pool.transmit(letter(`${name}${i}@x.org`))]);
  };
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(sender));
  const taken = accepted().map((line) => line.rcpt);
  expect(new Set(taken).size).toBe(taken.length);
  const seen = readJournal(journal)
    .filter((line) => line.rcpt)
    .map((line) => line.rcpt);
  expect(new Set(seen).size).toBe(seen.length);
  for (const [to, result] of results) {
    if (result.kind === 'accepted') expect(taken).toContain(to);
    if (result.kind === 'broken' && !result.dotSent) expect(taken).not.toContain(to);
    if (taken.includes(to) && result.kind !== 'accepted')
      expect(result).toMatchObject({ kind: 'broken', dotSent: true });
  }
  expect(results.some(([, result]) => result.kind === 'broken' && result.dotSent)).toBe(true);
});

test('the scripted server as a process: journal, control and a kill', async () => {
  const server = await startSmtpServerProcess({
    journal,
    behaviour: { at: { rcpt: { do: 'reply', text: '450 no' } } },
  });
  open.push({ stop: () => server.kill() });
  const pool = poolOf(server.port);
  expect(await pool.transmit(letter('ok-a@x.org'))).toMatchObject({ kind: 'refused', phase: 'rcpt' });
  await server.behave({ at: {} });
  expect((await pool.transmit(letter('ok-a@x.org'))).kind).toBe('accepted');
  expect(await server.stats()).toMatchObject({ connections: 1, accepted: 1, transactions: 2 });
  await server.kill('SIGKILL');
  expect(accepted()).toHaveLength(1);
  expect(await pool.transmit(letter('ok-b@x.org'))).toMatchObject({ kind: 'broken', dotSent: false });
});

/** Waits for what another process or the other end of a socket is about to do. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('Waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type Said = 'mail' | 'rcpt' | 'data' | 'dot';

/** No mail server: octets, said exactly as told, all for one step at once, whatever SMTP would have it say. */
async function rawServer(options: {
  hello?: string;
  say: (step: Said) => string;
  /** Octet by octet. */
  slowly?: boolean;
  closeAfter?: Said;
}) {
  const { hello = '250 raw', say, slowly = false, closeAfter } = options;
  const chunks: string[] = [];
  const sockets = new Set<Socket>();
  const seen = { connections: 0, dots: 0 };
  const server = createServer({ noDelay: true }, (socket) => {
    seen.connections++;
    sockets.add(socket);
    let input = '';
    let inBody = false;
    let sayings = Promise.resolve();
    const utter = (text: string) => {
      sayings = sayings.then(async () => {
        if (!slowly) return void (text && socket.write(text));
        for (const octet of Buffer.from(text)) {
          socket.write(Buffer.of(octet));
          await new Promise(setImmediate);
        }
      });
    };
    const answer = (line: string) => {
      const step = ({ MAIL: 'mail', RCPT: 'rcpt', DATA: 'data', '.': 'dot' } as const)[line.slice(0, 4)];
      if (step === 'dot') seen.dots++;
      if (step) utter(say(step));
      else utter(line.startsWith('EHLO') ? `${hello}\r\n` : '250 ok\r\n');
      inBody = step === 'data' && /^354(?![^]*^[45]\d\d )/m.test(say('data'));
      if (step && step === closeAfter) void sayings.then(() => socket.end());
    };
    socket.on('error', () => undefined).write('220 x\r\n');
    socket.on('data', (chunk) => {
      chunks.push(chunk.toString());
      input += chunk.toString();
      for (let end = input.indexOf('\r\n'); end >= 0; end = input.indexOf('\r\n')) {
        const line = input.slice(0, end);
        input = input.slice(end + 2);
        if (!inBody || line === '.') answer(line);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return Object.assign(seen, {
    port: (server.address() as AddressInfo).port,
    chunks,
    shout: (text: string) => sockets.forEach((socket) => socket.write(text)),
  });
}
