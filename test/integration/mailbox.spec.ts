import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { InboundJudge } from '../../src/features/inbound/inbound-judge.service';
import { type Lease, MailboxSource } from '../../src/features/inbound/mailbox-source';
import { Mailbox } from '../../src/mailbox/mailbox';
import { parseMailboxUrl } from '../../src/mailbox/mailbox-url';
import { type Person, startApi, type TestApi } from '../support/api';
import { ImapServer } from '../support/imap-server';
import { exampleLetter, examples } from '../support/inbound-cases';
import { dsn } from '../support/inbound-letters';
import { about, INBOUND_SETTINGS, type SentLetter, sentTo } from '../support/inbound-rig';
import { TestReader } from '../support/mailbox-rig';
import { eventually } from '../support/service';

/** Letters that come back to a mailbox which people read, too: ours are kept, once, and put away; nothing else is touched. */

let api: TestApi;
let owner: Person;
let imap: ImapServer;
let readers: TestReader[] = [];

beforeAll(async () => {
  api = await startApi(INBOUND_SETTINGS);
  owner = await api.person();
});
afterAll(() => api?.close());
beforeEach(async () => {
  imap = await ImapServer.start();
});
afterEach(async () => {
  await Promise.all(readers.map((reader) => reader.stop()));
  readers = [];
  await imap.stop();
  await api.database.rows('DELETE FROM inbound_letters');
  await api.database.rows('DELETE FROM inbound_sources');
});

const query = <T>(sql: string, params: unknown[] = []) => api.database.rows<T>(sql, params);

function reader(worker = 1, settings: ConstructorParameters<typeof TestReader>[2] = {}): TestReader {
  const made = new TestReader(api, worker, { bounceMailboxUrl: imap.url(), ...settings });
  readers.push(made);
  return made;
}
let people = 0;
const sent = async (n = 1) =>
  sentTo(
    api,
    owner.id,
    Array.from({ length: n }, () => `box${people++}@client.example`),
  );
const report = (letter: SentLetter, text = 'gone') =>
  Buffer.concat([
    Buffer.from(`Return-Path: <>\r\nDelivered-To: ${letter.returnPair.bounce}\r\n`),
    dsn({ final: `rfc822; ${letter.email}`, status: '5.1.1', text }),
  ]);
const HUMAN =
  'Return-Path: <ann@x.example>\r\nFrom: ann@x.example\r\nTo: news@news.example.org\r\nSubject: Hello\r\n\r\nHi!\r\n';
const kept = async () => (await query<{ n: number }>('SELECT count(*)::int AS n FROM inbound_letters'))[0]!.n;
const source = async () =>
  (
    await query<{ lastUid: number; uidValidity: number; lastError: string | null; isRead: boolean; waiting: number }>(
      `SELECT last_uid, uid_validity, last_error, last_ok_at IS NOT NULL AS is_read, cardinality(to_file) AS waiting
         FROM inbound_sources`,
    )
  )[0];
const hasFailed = async () => ((await source())?.lastError ?? null) !== null;
const isUntouched = (uid: number) => imap.folder().some((letter) => letter.uid === uid && letter.flags.size === 0);
/** So many letters of ours were put away, and that is noted. */
const filed = (n: number) => async () => imap.folder('Gonets').length === n && (await source())?.waiting === 0;

/** Judges all that came in, as a worker does. */
async function judgeAll(): Promise<void> {
  const judge = api.app.get(InboundJudge, { strict: false });
  for (const { id } of await query<{ id: number }>('SELECT id FROM inbound_letters ORDER BY id')) await judge.judge(id);
}

describe('what is ours', () => {
  it('is known from the letter alone, and judged as by the other ways; all else stays unseen and where it is', async () => {
    const expected = new Map<number, { file: string; kind: string; reason: string; isOurs: boolean }>();
    for (const [i, of] of examples.cases.entries()) {
      const [letter] = (await sentTo(api, owner.id, [
        of.file.startsWith('39') ? of.address : `anna.k${i}@client.example`,
      ])) as [SentLetter];
      const envelope = `Return-Path: <${of.envelopeFrom}>\r\nDelivered-To: ${about(letter, of.envelopeTo)}\r\n`;
      const raw = `${envelope}${about(letter, exampleLetter(of.file).toString('latin1'))}`;
      const isOthers = /^(?:human|not_a_report|not_ours|unreadable|dmarc_report|tls_report)$/.test(of.reason);
      const { file, kind, reason } = of;
      expected.set(imap.deliver(Buffer.from(raw, 'latin1')), { file, kind, reason, isOurs: !isOthers });
    }
    const ours = [...expected.values()].filter(({ isOurs }) => isOurs);
    await reader().until(filed(ours.length), 'reading');
    expect(imap.folder().map(({ uid, flags }) => [expected.get(uid)?.file, flags.size])).toEqual(
      [...expected.values()].filter(({ isOurs }) => !isOurs).map(({ file }) => [file, 0]),
    );
    expect(imap.folder('Gonets').every(({ flags }) => flags.has('\\Seen'))).toBe(true);
    expect(imap.deletions).toEqual([]);
    await judgeAll();
    const letters = await query('SELECT kind, reason, source FROM inbound_letters ORDER BY id');
    expect(letters).toEqual(ours.map(({ kind, reason }) => ({ kind, reason, source: 'mailbox' })));
  });

  it('is not a copy of a mailing, an answer to it, or what a stranger writes', async () => {
    const [letter] = (await sent()) as [SentLetter];
    const mailing =
      `Return-Path: <${letter.returnPair.bounce}>\r\nFrom: news@news.example.org\r\nSubject: Out of office: holidays\r\n` +
      `Message-ID: <${letter.messageId}>\r\nPrecedence: bulk\r\nList-Unsubscribe: <${letter.link}>\r\n` +
      `To: ${letter.email}\r\n\r\nNews ${letter.link}\r\n`;
    const answer = `Return-Path: <${letter.email}>\r\nFrom: ${letter.email}\r\nIn-Reply-To: <${letter.messageId}>\r\nSubject: Re: News\r\n\r\nThanks! ${letter.link}\r\n`;
    const uids = [
      HUMAN,
      mailing,
      answer,
      report({ ...letter, returnPair: { bounce: 'x@y.example', unsubscribe: '' } }),
    ].map((raw) => imap.deliver(raw));
    const ours = imap.deliver(report(letter));
    await reader().until(filed(1), 'reading');
    expect(uids.map(isUntouched)).toEqual([true, true, true, true]);
    expect(isUntouched(ours)).toBe(false);
    expect(await kept()).toBe(1);
    expect(await source()).toMatchObject({ lastUid: ours, waiting: 0 });
  });

  it.each([
    [
      'NUL bytes',
      (letter: SentLetter) => `To: <\0@x.example>\r\nSubject: \0 <${letter.messageId}>\r\n\r\n\0@\0.example\0`,
    ],
    ['a NUL byte for a sender', () => 'Return-Path: <\0>\r\nFrom: \0\r\n\r\n\0'],
  ])('%s keep nobody from reading on', async (_, written) => {
    const [letter, other] = (await sent(2)) as [SentLetter, SentLetter];
    const bad = imap.deliver(written(letter));
    imap.deliver(Buffer.concat([Buffer.from('X-Bad: \0\r\n'), report(other, '\0gone')]));
    await reader().until(filed(1), 'reading');
    expect(isUntouched(bad)).toBe(true);
    await judgeAll();
    expect(await query('SELECT kind, problem FROM inbound_letters')).toEqual([{ kind: 'hard', problem: null }]);
  });

  it('can not be judged: it is left behind after some tries, and the others are read', async () => {
    const letters = await sent(2);
    const [bad] = letters.map((letter) => imap.deliver(report(letter)));
    const judge = api.app.get(InboundJudge, { strict: false });
    const decide = judge.decide.bind(judge);
    jest.spyOn(judge, 'decide').mockImplementation((letter) => {
      if (letter.envelopeTo === letters[0]!.returnPair.bounce) throw new Error('a fault of ours');
      return decide(letter);
    });
    const one = reader();
    await one.until(filed(1), 'reading').finally(() => jest.restoreAllMocks());
    expect(isUntouched(bad!)).toBe(true);
    expect(one.said.join('\n')).toContain('mailbox.letter_skipped');
  });

  it('is a wish to unsubscribe, written by a person', async () => {
    const [letter] = (await sent()) as [SentLetter];
    imap.deliver(
      `Return-Path: <${letter.email}>\r\nFrom: ${letter.email}\r\nTo: <${letter.returnPair.unsubscribe}>\r\nSubject: unsubscribe\r\n\r\n`,
    );
    await reader().until(filed(1), 'reading');
    const [found] = await query<{ envelopeTo: string; envelopeFrom: string }>(
      'SELECT envelope_to, envelope_from FROM inbound_letters',
    );
    expect(found).toEqual({ envelopeTo: letter.returnPair.unsubscribe, envelopeFrom: letter.email });
  });
});

describe('once', () => {
  it('two workers, of which one has the mailbox; when it stops the other goes on', async () => {
    const letters = await sent(30);
    for (const letter of letters.slice(0, 20)) imap.deliver(report(letter));
    const [one, two] = [reader(1), reader(2)];
    await one.reader.ask(1);
    await two.until(filed(20), 'the first');
    expect(imap.connections).toBe(1);
    await one.stop();
    for (const letter of letters.slice(20)) imap.deliver(report(letter));
    await two.until(filed(30), 'the second');
    expect([await kept(), imap.connections]).toEqual([30, 2]);
    // Nothing that was read is asked for again.
    const fetched = imap.commands.filter((command) => /FETCH/.test(command));
    expect(fetched.length).toBeLessThanOrEqual(2);
  });

  it('a worker that loses the mailbox to another one stops reading', async () => {
    const one = reader(1);
    await one.until(async () => (await source())?.isRead === true, 'the first');
    await query(`UPDATE inbound_sources SET lease_until = clock_timestamp() - interval '1 second'`);
    const two = reader(2);
    await two.until(() => imap.connections === 2, 'the second');
    const [letter] = (await sent()) as [SentLetter];
    await one.reader.ask(1);
    imap.deliver(report(letter));
    await two.until(filed(1), 'reading');
    expect([await kept(), imap.connections]).toEqual([1, 2]);
  });

  it('a lease of a time that is still to come, because the clock was put back, keeps nobody out', async () => {
    await reader(1).until(async () => (await source())?.isRead === true, 'the first');
    await query(`UPDATE inbound_sources SET lease_until = clock_timestamp() + interval '1 day'`);
    await reader(2).until(() => imap.connections === 2, 'the second');
  });

  it('letters that are numbered anew are looked at again, and kept once', async () => {
    const letters = await sent(3);
    imap.canCreate = false;
    for (const letter of letters) imap.deliver(report(letter));
    const uid = imap.deliver(HUMAN);
    const first = reader();
    await first.until(async () => (await source())?.lastUid === uid && (await source())?.waiting === 0, 'reading');
    await first.stop();
    imap.folders.get('INBOX')!.uidValidity = 8;
    const more = (await sent()) as [SentLetter];
    imap.deliver(report(more[0]));
    await reader(2).until(async () => (await kept()) === 4, 'reading again');
    expect(await source()).toMatchObject({ uidValidity: 8 });
    expect(isUntouched(uid)).toBe(true);
  });
});

describe('a connection that is lost', () => {
  it.each([
    ['while letters are read', /FETCH/],
    ['while they are put away', /STORE/],
    ['while they are moved', /MOVE/],
  ])('%s loses none', async (_, at) => {
    const letters = await sent(50);
    for (const letter of letters) imap.deliver(report(letter));
    let left = 2;
    imap.instead = (command) => (at.test(command) && left-- > 0 ? 'drop' : undefined);
    await reader().until(async () => (await filed(50)()) && !(await hasFailed()), 'reading');
    expect(left).toBeLessThan(0);
    expect([await kept(), imap.folder().length]).toEqual([50, 0]);
  });

  it('in the midst of a letter', async () => {
    const letters = await sent(3);
    for (const letter of letters) imap.deliver(report(letter));
    let left = 1;
    imap.instead = (command) => {
      if (!/FETCH/.test(command) || left-- <= 0) return undefined;
      setImmediate(() => imap.dropAll());
      return { say: '* 1 FETCH (UID 1 RFC822.SIZE 4000 BODY[]<0> {4000}\r\nReturn-Path: <>' };
    };
    await reader().until(filed(3), 'reading');
    expect(await kept()).toBe(3);
  });

  it('is opened again, and what came in meanwhile is read at once', async () => {
    const one = reader();
    await one.until(async () => (await source())?.isRead === true, 'reading');
    const letters = (await sent(2)) as [SentLetter, SentLetter];
    imap.deliver(report(letters[0]));
    // By IDLE: it is looked at every few minutes otherwise.
    await one.until(filed(1), 'the first');
    imap.dropAll();
    imap.deliver(report(letters[1]));
    await one.until(filed(2), 'the second');
  });
});

const isFetched = (command: string, uid: number) =>
  /FETCH/.test(command) && command.split(/[ ,]/).includes(String(uid));

describe('a server', () => {
  it('that can not move: copies, and deletes nothing', async () => {
    imap.capabilities = ['IMAP4rev1', 'IDLE'];
    const letters = await sent(2);
    for (const letter of letters) imap.deliver(report(letter));
    const human = imap.deliver(HUMAN);
    await reader().until(async () => (await source())?.lastUid === human && (await filed(2)()), 'reading');
    expect(imap.folder().map(({ flags }) => [...flags])).toEqual([['\\Seen'], ['\\Seen'], []]);
    expect(imap.deletions).toEqual([]);
  });

  it('that makes no folder: marks them as read where they are', async () => {
    imap.canCreate = false;
    const [letter] = (await sent()) as [SentLetter];
    imap.deliver(report(letter));
    const one = reader();
    await one.until(async () => (await source())?.waiting === 0 && (await kept()) === 1, 'reading');
    expect([...imap.folder()[0]!.flags]).toEqual(['\\Seen']);
    expect(one.said.join('\n')).toContain('mailbox.not_filed');
  });

  it('answers in any order', async () => {
    const letters = await sent(3);
    for (const letter of letters) imap.deliver(report(letter));
    const inbox = imap.folders.get('INBOX')!;
    inbox.letters.reverse();
    await reader().until(filed(3), 'reading');
    expect(await kept()).toBe(3);
  });

  it('gives of a large letter what is kept of it', async () => {
    const [letter] = (await sent()) as [SentLetter];
    imap.deliver(Buffer.concat([report(letter), Buffer.alloc(3_000_000, 'x')]));
    await reader().until(filed(1), 'reading');
    const [found] = await query<{ size: number; kept: number }>(
      'SELECT size, octet_length(raw) AS kept FROM inbound_letters',
    );
    expect(found!.size).toBeGreaterThan(3_000_000);
    expect(found!.kept).toBe(262_144);
    expect(imap.commands.filter((command) => /FETCH/.test(command)).join()).toContain('BODY.PEEK[]<0.262144>');
  });

  it('can not give one letter: it is left behind after some tries, and the others are read', async () => {
    const letters = await sent(3);
    const [, bad] = letters.map((letter) => imap.deliver(report(letter)));
    imap.instead = (command) => (isFetched(command, bad!) ? { say: 'TAG NO [SERVERBUG] broken\r\n' } : undefined);
    const one = reader();
    await one.until(filed(2), 'reading');
    expect(isUntouched(bad!)).toBe(true);
    expect(one.said.join('\n')).toContain('mailbox.letter_skipped');
    // A letter that has its number later, when all are numbered anew, is another one.
    imap.instead = () => undefined;
    imap.folders.get('INBOX')!.uidValidity++;
    imap.dropAll();
    await one.until(filed(3), 'reading anew');
  });

  it('ends the connection at one letter: it is left behind after some tries, and the others are read', async () => {
    const letters = await sent(3);
    const [, bad] = letters.map((letter) => imap.deliver(report(letter)));
    imap.instead = (command) => (isFetched(command, bad!) ? 'drop' : undefined);
    const one = reader();
    await one.until(filed(2), 'reading');
    expect(isUntouched(bad!)).toBe(true);
    expect(one.said.join('\n')).toContain('mailbox.letter_skipped');
  });

  it('has very many letters: they are found piece by piece, in order', async () => {
    const [raw, flags, count] = [Buffer.alloc(0), new Set<string>(), 600_000];
    const letters = Array.from({ length: count }, (_, i) => ({ uid: 3 * i + 1, raw, flags }));
    imap.folders.set('INBOX', { uidValidity: 7, uidNext: 3 * count, letters });
    const { signal } = new AbortController();
    const mailbox = await Mailbox.open(parseMailboxUrl(imap.url()), null, signal);
    const after = (uid: number) => mailbox.lettersAfter(uid, new Date(0));
    expect(await after(0)).toEqual(letters.slice(0, 20_000).map(({ uid }) => uid));
    expect(await after(letters.at(-3)!.uid)).toEqual(letters.slice(-2).map(({ uid }) => uid));
    expect(await after(letters.at(-1)!.uid)).toEqual([]);
    letters.splice(0, 599_000);
    expect(await after(0)).toEqual(letters.map(({ uid }) => uid));
    expect(imap.commands.filter((command) => /SEARCH/.test(command)).length).toBeLessThan(20);
  });

  it.each([
    ['a line without an end', `* OK ${'x'.repeat(5_000_000)}`],
    ['a letter that is larger than asked for', '* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[]<0> {900000000}\r\nx'],
    ['letters without an end', `* 1 FETCH (FLAGS ())\r\n`.repeat(5_000)],
    ['no IMAP', '* 1 FETCH ((((((((\r\nTAG OK\r\n'],
  ])('that sends %s is given up', async (_, say) => {
    imap.deliver('x');
    imap.instead = (command) => (/FETCH/.test(command) ? { say } : undefined);
    await reader().until(hasFailed, 'giving up');
    expect(await source()).toMatchObject({ lastError: 'broken', lastUid: 0 });
  });
});

describe('the login', () => {
  it('is refused: says so, without the password or what the server wrote', async () => {
    const url = imap.url().replace('secret', 'wr0ng-one');
    const one = reader(1, { bounceMailboxUrl: url });
    await one.until(hasFailed, 'a refusal');
    expect(await source()).toMatchObject({ lastError: 'login_refused', isRead: false });
    expect(one.said.join('\n')).toContain('login_refused');
    expect(one.said.join('\n')).not.toMatch(/wr0ng|news@|news%40/);
    // An account is not locked by many tries.
    for (let i = 0; i < 5; i++) await one.reader.ask(1);
    expect(imap.connections).toBe(1);
  });

  it('is not tried again at once by who asked for the mailbox while it was refused', async () => {
    const one = reader(1, { bounceMailboxUrl: imap.url().replace('secret', 'wr0ng-one') });
    await one.reader.ask(1);
    let goOn = () => {};
    const refused = new Promise<void>((resolve) => (goOn = resolve));
    const { take } = MailboxSource.prototype as { take: (...args: unknown[]) => Promise<Lease | null> };
    const taking = jest.spyOn(MailboxSource.prototype, 'take').mockImplementationOnce(async function (
      this: MailboxSource,
      ...args
    ) {
      const lease = await take.apply(this, args);
      await refused;
      return lease;
    });
    const asked = one.reader.ask(1);
    await eventually(hasFailed, 'a refusal');
    goOn();
    await asked;
    taking.mockRestore();
    // Nor by this worker's next question; and another worker may have the mailbox, which is held by nobody.
    await one.reader.ask(1);
    expect(imap.connections).toBe(1);
    await reader(2).until(async () => (await source())?.isRead === true, 'reading');
  });

  it('is not tried without TLS, unless the URL allows it', async () => {
    const elsewhere = imap.url().replace('127.0.0.1', '0.0.0.0');
    const one = reader(1, { bounceMailboxUrl: elsewhere });
    await one.until(hasFailed, 'a refusal');
    expect(await source()).toMatchObject({ lastError: 'tls_failed' });
    expect(imap.commands.join('\n')).not.toMatch(/LOGIN|AUTHENTICATE/);
    const allowed = reader(2, { bounceMailboxUrl: `${elsewhere}?allowPlainLogin=true` });
    await allowed.until(async () => (await source())?.isRead === true, 'reading');
  });

  it.each([
    ['trusts no certificate that nobody vouches for', '', 'tls_failed'],
    ['unless it is told to', '?rejectUnauthorized=false', null],
  ])('by STARTTLS %s', async (_, more, lastError) => {
    imap.offersTls = true;
    const one = reader(1, { bounceMailboxUrl: imap.url(more) });
    await one.until(async () => {
      return (await hasFailed()) || (await source())?.isRead === true;
    }, 'an answer');
    expect(await source()).toMatchObject({ lastError });
  });

  it('to a folder that is not there', async () => {
    const one = reader(1, { bounceMailboxUrl: imap.url().replace('/INBOX', '/Elsewhere') });
    await one.until(hasFailed, 'a refusal');
    expect(await source()).toMatchObject({ lastError: 'folder_missing' });
  });
});

describe('OAuth', () => {
  let tokens: Server;
  let tokenUrl: string;
  let asked: URLSearchParams[];
  let answers: { status?: number; body: object }[];

  beforeEach(async () => {
    asked = [];
    tokens = createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        asked.push(new URLSearchParams(body));
        const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body));
      });
    });
    tokens.listen(0, '127.0.0.1');
    await once(tokens, 'listening');
    tokenUrl = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
  });
  afterEach(async () => {
    tokens.close();
    await once(tokens, 'close');
  });

  const oauth = (worker: number, refresh: string) =>
    reader(worker, {
      bounceMailboxUrl: imap.url().replace(':secret@', '@'),
      bounceMailboxOauth: `${tokenUrl},the-client,the-secret,${refresh}`,
    });
  const isRead = async () => (await source())?.isRead === true;

  it('gets a token, and another one if that is refused; keeps the new refresh token', async () => {
    imap.accessTokens = ['good'];
    answers = [
      { body: { access_token: 'old', expires_in: 3600 } },
      { body: { access_token: 'good', refresh_token: 'r2' } },
    ];
    const one = oauth(1, 'r1');
    await one.until(isRead, 'reading');
    expect(imap.tokens).toEqual(['old', 'good']);
    expect(asked.map((form) => Object.fromEntries(form))).toEqual([
      { grant_type: 'refresh_token', client_id: 'the-client', client_secret: 'the-secret', refresh_token: 'r1' },
      { grant_type: 'refresh_token', client_id: 'the-client', client_secret: 'the-secret', refresh_token: 'r1' },
    ]);
    const [{ token } = { token: Buffer.alloc(0) }] = await query<{ token: Buffer }>(
      'SELECT refresh_token AS token FROM inbound_sources',
    );
    expect(token.length).toBeGreaterThan(20);
    expect(token.toString('latin1')).not.toContain('r2');
    await one.stop();
    // The next worker goes on with it; one that is set up anew counts instead.
    const two = oauth(2, 'r1');
    await two.until(() => asked.length === 3, 'the next worker');
    await two.stop();
    await oauth(3, 'r9').until(() => asked.length === 4, 'another token');
    expect(asked.slice(2).map((form) => form.get('refresh_token'))).toEqual(['r2', 'r9']);
    expect(one.said.join('\n')).not.toMatch(/the-secret|old|good|r1|r2/);
  });

  it('uses a token as long as it is good', async () => {
    imap.accessTokens = ['good'];
    answers = [{ body: { access_token: 'good', expires_in: 3600 } }];
    const one = oauth(1, 'r1');
    await one.until(isRead, 'reading');
    imap.dropAll();
    await one.until(() => imap.tokens.length === 2, 'again');
    expect(asked).toHaveLength(1);
  });

  it('without a refresh token the application logs in by itself', async () => {
    imap.accessTokens = ['good'];
    answers = [{ body: { access_token: 'good', expires_in: 3600 } }];
    await oauth(1, '').until(isRead, 'reading');
    expect(Object.fromEntries(asked[0]!)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'the-client',
      client_secret: 'the-secret',
      scope: 'https://127.0.0.1/.default',
    });
  });

  it.each([
    ['refuses', { status: 400, body: { error: 'invalid_grant', error_description: 'of the-secret' } }, 'token_refused'],
    ['is out of order', { status: 503, body: {} }, 'token_unreachable'],
    ['gives none', { body: {} }, 'token_refused'],
  ])('whose provider %s', async (_, answer, lastError) => {
    answers = [answer];
    const one = oauth(1, 'r1');
    await one.until(hasFailed, 'a refusal');
    expect(await source()).toMatchObject({ lastError });
    expect(one.said.join('\n')).not.toContain('the-secret');
  });
});
