import { generateKeyPairSync } from 'node:crypto';
import type { Config } from '../../src/config/config.module';
import { Dns, inTime } from '../../src/dns/dns';
import { prepareDkim } from '../../src/domain/dkim';
import { dkimRecord } from '../../src/domain/dkim-record';
import { LARGE } from '../../src/domain/preflight-rules';
import { askSpamd } from '../../src/spamd/spamd';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { Calendar } from '../support/calendar';
import { addresses, mailingBody, messageBody } from '../support/factories';
import { FakeDns, type Zone } from '../support/fake-dns';
import { FakeSpamd } from '../support/fake-spamd';

/** The check before the start, with a DNS server and a spam filter of our own. */

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const dkim = {
  dkimDomain: 'shop.example',
  dkimSelector: 'one',
  dkimPrivateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
};
const record = dkimRecord(
  prepareDkim({ domain: dkim.dkimDomain, selector: dkim.dkimSelector, privateKey: dkim.dkimPrivateKey }),
);
const KEY = 'TXT one._domainkey.shop.example';
const GOOD: Zone = {
  'MX shop.example': ['mx.shop.example'],
  'TXT shop.example': ['v=spf1 mx include:_spf.relay.example -all', 'another=text'],
  'TXT _spf.relay.example': ['v=spf1 ip4:192.0.2.0/24 -all'],
  [KEY]: [record],
  'TXT _dmarc.shop.example': ['v=DMARC1; p=none'],
  'PTR 1.2.0.192.in-addr.arpa': ['mail.shop.example'],
  'A mail.shop.example': ['192.0.2.1'],
  'PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': ['mail6.shop.example'],
  'AAAA mail6.shop.example': ['2001:db8::1'],
};
const SILENT: Zone = Object.fromEntries(
  [...Object.keys(GOOD), 'A mail6.shop.example', 'AAAA mail.shop.example'].map((name) => [name, null]),
);

interface Site {
  api: TestApi;
  owner: Person;
  mailingId: number;
}

/** Everything that was opened, last first. */
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
const kept = <T extends { close(): Promise<void> }>(one: T): T => {
  opened.push(one);
  return one;
};

/** An API that asks DNS with these records, and a mailing of a user. */
async function site(zone: Zone, more: Partial<Config> = {}, message: object = {}): Promise<Site & { dns: FakeDns }> {
  const dns = kept(await FakeDns.start(zone));
  const settings = { preflight: 'warn', mailFrom: 'Shop <news@shop.example>', dnsServers: [dns.address] } as const;
  const api = kept(
    await startApi({ ...settings, ...dkim, sendingIps: ['192.0.2.1', '2001:db8::1'], ...more }, [WebModule]),
  );
  const owner = await api.person();
  await api.make.clients(owner.id, ['ann@client.example']);
  const post = (path: string, body: object) => api.call('POST', `/api/v1${path}`, { token: owner.token, body });
  const messageId = (await post('/messages', messageBody(message))).body.id;
  const mailingId = (await post('/mailings', mailingBody(messageId))).body.id;
  return { api, owner, mailingId, dns };
}

interface Found {
  code: string;
  level: string;
  values: Record<string, unknown>;
  message: string;
  errors?: { field: string; message: string }[];
}
async function findings({ api, owner, mailingId }: Site): Promise<Found[]> {
  const { status, body } = await api.call('GET', `/api/v1/mailings/${mailingId}/preflight`, { token: owner.token });
  expect(status).toBe(200);
  return body.findings as Found[];
}
const codes = async (of: Site) => (await findings(of)).map(({ code, level }) => `${code} ${level}`);
const start = ({ api, owner, mailingId }: Site, body: object = {}, caller = owner) =>
  api.call('POST', `/api/v1/mailings/${mailingId}/start`, { token: caller.token, body });

it('a message that takes somebody made up over the limits of a letter keeps no page and no check from answering', async () => {
  const loops = '{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}';
  const body = `<p>Hello</p>{% if client.fullName == "Anna Example" %}${loops}{% endif %}`;
  const one = await site(GOOD, {}, { body });
  expect(await codes(one)).toEqual([]);
  const { cookie } = await one.api.signIn(one.owner.email);
  const pages = [`/mailings/${one.mailingId}`, `/mailings/${one.mailingId}/edit`, '/mailings/new', '/messages/1'];
  for (const page of pages) expect((await one.api.call('GET', page, { cookie })).status).toBe(200);
});

describe('DNS', () => {
  it.each<[string, Zone, string]>([
    ['no MX and no A', { 'MX shop.example': [] }, 'FROM_UNREACHABLE'],
    ['a null MX', { 'MX shop.example': [''] }, 'FROM_UNREACHABLE'],
    ['no SPF record', { 'TXT shop.example': ['another=text'] }, 'SPF_MISSING'],
    ['two SPF records', { 'TXT shop.example': ['v=spf1 mx', 'v=spf1 a'] }, 'SPF_SEVERAL'],
    ['too many look-ups', { 'TXT _spf.relay.example': [`v=spf1 ${'a '.repeat(9)}-all`] }, 'SPF_LOOKUPS'],
    ['an include of nothing', { 'TXT _spf.relay.example': [] }, 'SPF_BROKEN'],
    ['no DKIM record', { [KEY]: [] }, 'DKIM_MISSING'],
    ['another DKIM key', { [KEY]: ['v=DKIM1; k=rsa; p=AAAA'] }, 'DKIM_DIFFERENT'],
    ['no DMARC record', { 'TXT _dmarc.shop.example': [] }, 'DMARC_MISSING'],
    ['two DMARC records', { 'TXT _dmarc.shop.example': ['v=DMARC1; p=none', 'v=DMARC1; p=none'] }, 'DMARC_BROKEN'],
    ['an address without a name', { 'PTR 1.2.0.192.in-addr.arpa': [] }, 'PTR_MISSING'],
    ['a name that leads elsewhere', { 'A mail.shop.example': ['192.0.2.9'] }, 'PTR_DIFFERENT'],
  ])('with %s is told, and what is right is not', async (_, wrong, code) => {
    expect(await codes(await site({ ...GOOD, ...wrong }))).toEqual([`${code} warn`]);
  });

  it('is fine with all records; each is asked for once in ten minutes', async () => {
    const one = await site(GOOD);
    expect(await findings(one)).toEqual([]);
    const asked = one.dns.asked.length;
    expect(new Set(one.dns.asked).size).toBe(asked);
    expect(await findings(one)).toEqual([]);
    expect((await start(one)).status).toBe(200);
    expect(one.dns.asked).toHaveLength(asked);
  });

  it('that is silent is unknown, and blocks nothing, however strict the check', async () => {
    const one = await site(SILENT, { preflight: 'strict' });
    const found = await findings(one);
    expect(found).toMatchObject([{ code: 'DNS_UNANSWERED', level: 'unknown' }]);
    expect(found[0]!.message).toContain('shop.example (TXT)');
    expect((await start(one)).status).toBe(200);
  });

  it('that is not there, or refuses, is unknown too', async () => {
    const dns = await FakeDns.start({});
    await dns.close();
    expect(await new Dns([dns.address]).txt('shop.example')).toBeNull();
    expect(await new Dns([dns.address]).addresses('shop.example')).toBeNull();
  });

  it('is waited for no longer than agreed, for all questions together; what it answers later is known the next time', async () => {
    const dns = kept(await FakeDns.start({ 'TXT slow.example': ['late'], 'TXT other.example': ['late'] }));
    dns.delayMs = 500;
    const asked = new Dns([dns.address]);
    const lookup = inTime(asked, 200);
    const since = performance.now();
    const answers = await Promise.all(['slow.example', 'other.example'].map((name) => lookup.txt(name)));
    // One that begins when the time is over is not asked any more.
    answers.push(await lookup.txt('later.example'), await lookup.addresses('later.example'));
    expect(performance.now() - since).toBeLessThan(450);
    expect(answers).toEqual([null, null, null, null]);
    expect(dns.asked.sort()).toEqual(['TXT other.example', 'TXT slow.example']);
    expect(await asked.txt('slow.example')).toEqual(['late']);
    expect(await inTime(asked, 200).txt('slow.example')).toEqual(['late']);
    expect(dns.asked).toHaveLength(2);
  });

  it('answers are bounded, and joined', async () => {
    const many = Array.from({ length: 80 }, (_, i) => `${i}`);
    const dns = kept(await FakeDns.start({ 'TXT long.example': ['x'.repeat(9_000)], 'TXT many.example': many }));
    const asked = new Dns([dns.address]);
    expect((await asked.txt('long.example'))![0]).toHaveLength(8_192);
    expect(await asked.txt('many.example')).toHaveLength(50);
    expect(await asked.mx('none.example')).toEqual([]);
  });
});

describe('what is grave', () => {
  const NO_SPF: Zone = { ...GOOD, 'TXT shop.example': [] };

  it('blocks start and send of large mailings; a manager or admin gets past it for a reason', async () => {
    const one = await site(NO_SPF);
    await one.api.make.clients(one.owner.id, addresses(LARGE - 2));
    expect(await codes(one)).toContain('SPF_MISSING warn');
    await one.api.make.clients(one.owner.id, ['last@client.example']);
    expect(await codes(one)).toContain('SPF_MISSING block');
    for (const verb of ['start', 'send']) {
      const refused = await one.api.call('POST', `/api/v1/mailings/${one.mailingId}/${verb}`, {
        token: one.owner.token,
        body: {},
      });
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({
        code: 'PREFLIGHT_BLOCKED',
        findings: [{ code: 'SPF_MISSING', level: 'block' }],
      });
    }
    expect((await start(one, { override: 'I want to' })).status).toBe(403);
    const admin = await one.api.person('admin');
    expect((await start(one, { override: 'The relay has its own' }, admin)).status).toBe(200);
    const [audited] = await one.api.database.rows(`SELECT detail FROM audit_log WHERE action = 'mailing.override'`);
    expect(audited).toMatchObject({ detail: { why: 'The relay has its own' } });
  });

  it('blocks small ones with PREFLIGHT=strict; with PREFLIGHT=off nothing is asked at all', async () => {
    const strict = await site(NO_SPF, { preflight: 'strict' });
    expect((await start(strict)).body).toMatchObject({
      code: 'PREFLIGHT_BLOCKED',
      findings: [{ code: 'SPF_MISSING' }],
    });
    const off = await site(NO_SPF, { preflight: 'off' }, { body: '<a href="http://bit.ly/x">x</a>' });
    expect(await findings(off)).toEqual([]);
    expect((await start(off)).status).toBe(200);
    expect(off.dns.asked).toEqual([]);
  });

  it('keeps nobody from a start by hand, but does not keep the scheduler from an occurrence', async () => {
    const dns = kept(await FakeDns.start({}));
    const calendar = kept(
      await Calendar.open('2027-02-20T12:00:00Z', 1, { PREFLIGHT: 'strict', DNS_SERVERS: dns.address }),
    );
    const clientIds = await calendar.clients(2);
    const { id } = await calendar.mailing({ startAt: '2027-02-21T09:00:00Z', period: 'daily', clientIds });
    await expect(calendar.lifecycle.start(calendar.viewer, id)).rejects.toMatchObject({ code: 'PREFLIGHT_BLOCKED' });
    await calendar.lifecycle.start({ ...calendar.viewer, role: 'admin' }, id, 'It is a test');
    await calendar.set('2027-02-21T09:00:10Z');
    await calendar.tickAndDeliver();
    expect(await calendar.story(id)).toEqual(['2027-02-21T09:00 done']);
  });
});

describe('the letters', () => {
  const BODY = `<p>${'Some words of a letter. '.repeat(30)}</p>`;

  it.each<[string, object, string[]]>([
    [
      'no text',
      { body: '<p><img src="https://shop.example/a.png" alt=""></p>' },
      ['TEXT_EMPTY block', 'MOSTLY_PICTURES warn'],
    ],
    ['an empty text of their own', { body: BODY, bodyText: '{% if false %}x{% endif %}' }, ['TEXT_EMPTY block']],
    ['links without TLS', { body: `${BODY}<a href="http://shop.example">Shop</a>` }, ['HTTP_LINKS warn']],
    ['nothing wrong', { body: BODY }, []],
  ])('with %s', async (_, message, expected) => {
    expect(await codes(await site(GOOD, {}, message))).toEqual(expected);
  });

  it('that would hide the footer block, and no reason helps', async () => {
    const one = await site(GOOD, {}, { body: BODY });
    await one.api.database.rows(`UPDATE messages SET body = body || '<!--'`);
    expect(await codes(one)).toEqual(['UNSUBSCRIBE_HIDDEN block']);
    const admin = await one.api.person('admin');
    expect((await start(one, { override: 'Please' }, admin)).body.code).toBe('PREFLIGHT_BLOCKED');
  });

  it('are judged by spamd, once for the same letter', async () => {
    const spamd = kept(
      await FakeSpamd.start('SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6.4 / 5.0\r\n\r\nHTML_MESSAGE,MISSING_MID\r\n'),
    );
    const one = await site(GOOD, { spamd: spamd.address }, { body: BODY });
    for (let i = 0; i < 2; i++)
      expect(await findings(one)).toMatchObject([
        { code: 'SPAM_SCORE', level: 'warn', values: { score: 6.4, tests: 'HTML_MESSAGE, MISSING_MID' } },
      ]);
    expect(spamd.asked).toHaveLength(1);
    expect(spamd.asked[0]).toMatch(/^SYMBOLS SPAMC\/1\.5\r\nContent-length: \d+\r\n\r\nDKIM-Signature: /);
    expect(spamd.asked[0]).toContain('From: Shop <news@shop.example>');
  });

  it('are not known to be spam if spamd is silent', async () => {
    const spamd = kept(await FakeSpamd.start(null));
    const one = await site(GOOD, { spamd: spamd.address }, { body: BODY });
    expect(await codes(one)).toEqual(['SPAM_UNANSWERED unknown']);
    expect((await start(one)).status).toBe(200);
  });

  it.each<[string, string, object | null]>([
    [
      'a score',
      'SPAMD/1.1 0 EX_OK\r\nContent-length: 4\r\nSpam: False ; -0.1 / 5.0\r\n\r\nA,B',
      { score: -0.1, tests: ['A', 'B'] },
    ],
    ['no tests', 'SPAMD/1.1 0 EX_OK\r\nSpam: False ; 0 / 5.0\r\n\r\n', { score: 0, tests: [] }],
    ['an error', 'SPAMD/1.1 76 Bad header line\r\n\r\n', null],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', null],
    ['nothing', '', null],
    ['without end', `SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9 / 5\r\n\r\n${'A,'.repeat(100_000)}`, null],
  ])('spamd says: %s', async (_, answer, verdict) => {
    const spamd = kept(await FakeSpamd.start(answer));
    expect(await askSpamd(spamd.address, Buffer.from('Subject: x\r\n\r\nx\r\n'), 10_000)).toEqual(verdict);
  });

  it('spamd that is not there is no answer', async () => {
    const spamd = await FakeSpamd.start('');
    await spamd.close();
    expect(await askSpamd(spamd.address, Buffer.from('x'), 10_000)).toBeNull();
  });
});

describe('the list', () => {
  it('with many addresses that never got a letter, or that bounced the last time, is told', async () => {
    const one = await site(GOOD);
    const { api, owner, mailingId } = one;
    const clients = await api.make.clients(owner.id, addresses(99));
    expect(await codes(one)).toEqual(['NEW_ADDRESSES warn']);
    const [run] = await api.database.rows<{ id: number }>(
      `INSERT INTO runs (mailing_id, owner_id, trigger, status, on_unknown, subject, body)
       SELECT id, owner_id, 'demand', 'done', on_unknown, 'Hi', 'Hi' FROM mailings WHERE id = $1 RETURNING id`,
      [mailingId],
    );
    await api.database.rows(
      `INSERT INTO deliveries (run_id, client_id, email, status, attempts, reason)
       SELECT $1, id, email, 'sent', 1, NULL FROM clients WHERE id = ANY($2::bigint[])`,
      [run!.id, clients],
    );
    await api.database.rows(
      `INSERT INTO run_counts (run_id, slot, sent, failed, bounced, complained) VALUES ($1, 99, 96, 3, 2, 1)
       ON CONFLICT (run_id, slot) DO UPDATE SET sent = 96`,
      [run!.id],
    );
    await api.database.rows(
      `UPDATE deliveries SET status = 'failed', reason = 'user_unknown'
        WHERE id = (SELECT max(id) FROM deliveries WHERE run_id = $1)`,
      [run!.id],
    );
    const found = await findings(one);
    expect(found).toMatchObject([
      { code: 'LAST_RUN_BOUNCED', level: 'warn', values: { max: 2 } },
      { code: 'LAST_RUN_COMPLAINED', level: 'warn', values: { max: 0.1 } },
    ]);
  });
});

describe('the page of the mailing', () => {
  it('says in the language of the reader why no letter can be made', async () => {
    const one = await site(GOOD);
    await one.api.database.rows(`UPDATE messages SET subject = '{{ client.nick }}' WHERE owner_id = $1`, [
      one.owner.id,
    ]);
    const [found] = await findings(one);
    expect(found).toMatchObject({
      code: 'TEMPLATE_FAILED',
      values: {},
      errors: [{ field: 'subject', code: 'unknown_variable', values: { name: 'client.nick' } }],
    });
    expect(found!.message).toContain(`subject: ${found!.errors![0]!.message}`);
    await one.api.database.rows(`UPDATE users SET language = 'ru' WHERE id = $1`, [one.owner.id]);
    const { cookie } = await one.api.signIn(one.owner.email);
    const page = await one.api.call('GET', `/mailings/${one.mailingId}`, { cookie });
    expect(page.text).toContain('Тема: Строка 1, знак 4: Нет переменной «client.nick»');
    expect(page.text).not.toContain('No letter can be made');
  });

  it('names finding, level and the record to publish, in the language of the reader', async () => {
    const one = await site({ ...GOOD, [KEY]: [], 'TXT _dmarc.shop.example': [] }, { preflight: 'strict' });
    const { cookie } = await one.api.signIn(one.owner.email);
    const page = async (language: string) =>
      (await one.api.call('GET', `/mailings/${one.mailingId}`, { cookie, headers: { 'accept-language': language } }))
        .text;
    const english = await page('en');
    for (const text of ['Blocks', 'one._domainkey.shop.example', record.replaceAll('+', '+'), 'v=DMARC1; p=none'])
      expect(english).toContain(text);
    await one.api.database.rows(`UPDATE users SET language = 'ru' WHERE id = $1`, [one.owner.id]);
    const russian = await page('ru');
    for (const text of ['Не даёт отправить', 'Запись DNS, которую нужно добавить', 'Нет записи DMARC'])
      expect(russian).toContain(text);
  });
});
