import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type PreparedDkim, prepareDkim } from '../../src/domain/dkim';
import { dkimRecord, isRecordOf } from '../../src/domain/dkim-record';
import { isAligned, organisationOf, readDmarc } from '../../src/domain/dmarc';
import type { Answer, Lookup } from '../../src/domain/lookup';
import { findingCodes, type FindingCode, type PreflightMode } from '../../src/domain/preflight';
import {
  LARGE,
  listFindings,
  proofFindings,
  localFindings,
  type LocalFacts,
  senderFindings,
} from '../../src/domain/preflight-rules';
import { findingTexts } from '../../src/domain/preflight-texts';
import { problem } from '../../src/domain/problems';
import { examineSender, type SenderSetup, spfRecord } from '../../src/domain/sender-domain';
import { findingsRu } from '../../src/web/texts/preflight';

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const rsa = (bits: number, domain = 'shop.example', selector = 'one') =>
  prepareDkim({ domain, selector, privateKey: pem(generateKeyPairSync('rsa', { modulusLength: bits }).privateKey) });
const RSA = rsa(2048);
const SHORT = rsa(1024);
const OTHER = rsa(2048);
const STRANGER = rsa(2048, 'relay.example');
const ED25519 = prepareDkim({
  domain: 'shop.example',
  selector: 'two',
  privateKey: pem(generateKeyPairSync('ed25519').privateKey),
});

type Zone = Record<string, Answer>;
const GOOD: Zone = {
  'MX shop.example': ['mx.shop.example'],
  'TXT shop.example': ['v=spf1 include:_spf.relay.example -all'],
  'TXT _spf.relay.example': ['v=spf1 ip4:192.0.2.0/24 -all'],
  'TXT one._domainkey.shop.example': [dkimRecord(RSA)],
  'TXT _dmarc.shop.example': ['v=DMARC1; p=none'],
};
const SETUP: SenderSetup = {
  domain: 'shop.example',
  envelope: 'shop.example',
  keys: [RSA],
  relay: { host: 'smtp.relay.example', isPrivate: false, needsTls: true },
  complaints: null,
  ips: [],
};

const lookupIn = (zone: Zone): Lookup => {
  const ask = (type: string) => (name: string) =>
    Promise.resolve(`${type} ${name}` in zone ? zone[`${type} ${name}`]! : []);
  return { txt: ask('TXT'), mx: ask('MX'), addresses: ask('A'), names: ask('PTR') };
};

interface Case {
  zone?: Zone;
  setup?: Partial<SenderSetup>;
  mode?: PreflightMode;
  recipients?: number | null;
}
async function found({ zone = {}, setup = {}, mode = 'warn', recipients = 10 }: Case) {
  const facts = await examineSender({ ...SETUP, ...setup }, lookupIn({ ...GOOD, ...zone }));
  return senderFindings(facts, mode, recipients);
}
const codes = (findings: { code: string }[]) => findings.map(({ code }) => code);

describe('the sender', () => {
  test('nothing is found if all is well', async () => {
    expect(await found({})).toEqual([]);
    const zone = { 'PTR 192.0.2.1': ['mail.shop.example'], 'A mail.shop.example': ['192.0.2.7', '192.0.2.1'] };
    expect(await found({ zone, setup: { ips: ['192.0.2.1'] } })).toEqual([]);
  });

  const none = (name: string): Zone => ({ [name]: [] });
  const KEY = 'TXT one._domainkey.shop.example';
  test.each<[string, FindingCode, Case, object?]>([
    ['no MX and no A', 'FROM_UNREACHABLE', { zone: none('MX shop.example') }, { domain: 'shop.example' }],
    ['a null MX', 'FROM_UNREACHABLE', { zone: { 'MX shop.example': [''] } }],
    [
      'no SPF record',
      'SPF_MISSING',
      { zone: { 'TXT shop.example': ['something=else'] } },
      { name: 'shop.example', record: 'v=spf1 a:smtp.relay.example ~all' },
    ],
    ['two SPF records', 'SPF_SEVERAL', { zone: { 'TXT shop.example': ['v=spf1 a', 'v=spf1 mx'] } }, { found: 2 }],
    [
      'eleven look-ups',
      'SPF_LOOKUPS',
      { zone: { 'TXT shop.example': [`v=spf1 ${'a '.repeat(11)}-all`] } },
      { lookups: 11, max: 10 },
    ],
    ['an include of nothing', 'SPF_BROKEN', { zone: none('TXT _spf.relay.example') }, { at: '_spf.relay.example' }],
    ['no signature', 'DKIM_OFF', { setup: { keys: [] } }],
    [
      'no DKIM record',
      'DKIM_MISSING',
      { zone: none(KEY) },
      { name: 'one._domainkey.shop.example', record: dkimRecord(RSA) },
    ],
    ['the record of another key', 'DKIM_DIFFERENT', { zone: { [KEY]: [dkimRecord(OTHER)] } }],
    ['a revoked key', 'DKIM_DIFFERENT', { zone: { [KEY]: ['v=DKIM1; p='] } }],
    ['a key that was cut', 'DKIM_DIFFERENT', { zone: { [KEY]: [dkimRecord(RSA).slice(0, -10)] } }],
    ['a short key', 'DKIM_SHORT', { setup: { keys: [SHORT] }, zone: { [KEY]: [dkimRecord(SHORT)] } }, { bits: 1024 }],
    [
      'Ed25519 alone',
      'DKIM_ED25519_ALONE',
      { setup: { keys: [ED25519] }, zone: { 'TXT two._domainkey.shop.example': [dkimRecord(ED25519)] } },
    ],
    [
      'no DMARC record',
      'DMARC_MISSING',
      { zone: none('TXT _dmarc.shop.example') },
      { name: '_dmarc.shop.example', record: 'v=DMARC1; p=none' },
    ],
    [
      'two DMARC records',
      'DMARC_BROKEN',
      { zone: { 'TXT _dmarc.shop.example': ['v=DMARC1; p=none', 'v=DMARC1;p=reject'] } },
    ],
    ['a DMARC record without a policy', 'DMARC_BROKEN', { zone: { 'TXT _dmarc.shop.example': ['v=DMARC1; p=all'] } }],
    [
      'neither signature nor envelope of the domain',
      'NOT_ALIGNED',
      {
        setup: { envelope: 'relay.example', keys: [STRANGER] },
        zone: { 'TXT relay.example': ['v=spf1 a -all'], 'TXT one._domainkey.relay.example': [dkimRecord(STRANGER)] },
      },
      { envelope: 'relay.example', dkim: 'relay.example' },
    ],
    ['no name of an address', 'PTR_MISSING', { setup: { ips: ['192.0.2.1'] } }, { ip: '192.0.2.1' }],
    [
      'a name that leads elsewhere',
      'PTR_DIFFERENT',
      { setup: { ips: ['2001:db8::1'] }, zone: { 'PTR 2001:db8::1': ['x.example'], 'A x.example': ['192.0.2.2'] } },
      { host: 'x.example' },
    ],
    [
      'no TLS',
      'RELAY_WITHOUT_TLS',
      { setup: { relay: { host: 'smtp.relay.example', isPrivate: false, needsTls: false } } },
      { host: 'smtp.relay.example' },
    ],
    [
      'complaints to a stranger',
      'FBL_NOT_ALIGNED',
      { setup: { complaints: { address: 'fbl@else.example', usable: false } } },
    ],
  ])('%s: %s', async (_, code, given, values = {}) => {
    const findings = await found(given);
    expect(codes(findings)).toContain(code);
    expect(findings.find((one) => one.code === code)).toMatchObject({ level: 'warn', values });
  });

  const GRAVE: FindingCode[] = ['FROM_UNREACHABLE', 'SPF_MISSING', 'DKIM_MISSING', 'DMARC_MISSING'];
  const nothing: Zone = Object.fromEntries(Object.keys(GOOD).map((name) => [name, []]));
  test.each<[PreflightMode, number | null, string]>([
    ['warn', LARGE - 1, 'warn'],
    ['warn', LARGE, 'block'],
    ['warn', null, 'block'],
    ['strict', 1, 'block'],
  ])('what is grave, with PREFLIGHT=%s and %p recipients: %s', async (mode, recipients, level) => {
    const findings = await found({ zone: nothing, mode, recipients });
    expect(findings).toEqual(GRAVE.map((code) => expect.objectContaining({ code, level }) as unknown));
  });

  test('what is not grave never blocks', async () => {
    const setup = { keys: [], ips: ['192.0.2.1'], relay: { host: 'h.example', isPrivate: false, needsTls: false } };
    const findings = await found({ setup, mode: 'strict', zone: { 'TXT shop.example': ['v=spf1 nonsense'] } });
    expect(findings.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn', 'warn']);
  });

  describe("an envelope of another organisation's domain", () => {
    const zone = { 'TXT relay.example': ['v=spf1 a -all'], 'TXT one._domainkey.relay.example': [dkimRecord(STRANGER)] };
    const levels = async (keys: PreparedDkim[], given: Case) =>
      (await found({ zone, setup: { envelope: 'relay.example', keys }, ...given })).map(
        ({ code, level }) => `${code} ${level}`,
      );

    test.each<Case>([{ recipients: LARGE }, { recipients: null }, { mode: 'strict' }])(
      'blocks with a signature of that domain, but not without keys, as the relay may sign: %p',
      async (given) => {
        expect(await levels([STRANGER], given)).toEqual(['NOT_ALIGNED block']);
        expect(await levels([], given)).toEqual(['DKIM_OFF warn', 'NOT_ALIGNED warn']);
        expect(await levels([RSA], given)).toEqual([]);
      },
    );

    test('is said to fail for every letter only if that is known', () => {
      const values = { domain: 'shop.example', envelope: 'relay.example' };
      for (const [texts, words] of [
        [findingTexts, ['DMARC check fails for every letter', 'unless your mail server signs']],
        [findingsRu, ['Проверку DMARC не пройдёт ни одно письмо', 'если их не подписывает']],
      ] as const) {
        expect(texts.NOT_ALIGNED({ ...values, dkim: 'relay.example' })).toContain(words[0]);
        expect(texts.NOT_ALIGNED({ ...values, dkim: '' })).not.toContain(words[0]);
        expect(texts.NOT_ALIGNED({ ...values, dkim: '' })).toContain(words[1]);
      }
    });
  });

  test('of two keys one whose record is right is enough', async () => {
    const findings = await found({ setup: { keys: [RSA, ED25519] }, mode: 'strict' });
    expect(findings).toEqual([
      {
        code: 'DKIM_MISSING',
        level: 'warn',
        values: { name: 'two._domainkey.shop.example', record: dkimRecord(ED25519) },
      },
    ]);
  });

  test('what is not answered is unknown and nothing else, and never blocks', async () => {
    const silent: Zone = Object.fromEntries(['PTR 192.0.2.1', ...Object.keys(GOOD)].map((name) => [name, null]));
    const findings = await found({ zone: silent, setup: { ips: ['192.0.2.1'] }, mode: 'strict' });
    expect(findings).toEqual([
      {
        code: 'DNS_UNANSWERED',
        level: 'unknown',
        values: { names: expect.stringContaining('_dmarc.shop.example (TXT)') as unknown },
      },
    ]);
    for (const name of Object.keys(GOOD)) {
      const one = await found({ zone: { [name]: null }, mode: 'strict' });
      expect(codes(one)).toEqual(['DNS_UNANSWERED']);
    }
  });
});

describe('DMARC', () => {
  const read = (domain: string, zone: Record<string, string[]>) =>
    readDmarc(domain, (name) => Promise.resolve(zone[name] ?? []));

  test("of a subdomain: its own record, else its organisation's with the policy for subdomains", async () => {
    const zone = { '_dmarc.shop.co.uk': ['v=DMARC1; p=reject; sp=none'] };
    expect(await read('news.mail.shop.co.uk', zone)).toMatchObject({ name: '_dmarc.shop.co.uk', policy: 'none' });
    expect(await read('shop.co.uk', zone)).toMatchObject({ policy: 'reject' });
    const own = { ...zone, '_dmarc.news.shop.co.uk': ['v=DMARC1; p=quarantine; adkim=s'] };
    expect(await read('news.shop.co.uk', own)).toMatchObject({
      policy: 'quarantine',
      strictDkim: true,
      strictSpf: false,
    });
    expect(await read('other.co.uk', zone)).toBeUndefined();
  });

  test('other texts are no records; a policy nobody knows is none if reports are asked for', async () => {
    expect(
      await read('a.example', { '_dmarc.a.example': ['v=spf1 a', 'v=DMARC2; p=none', 'p=none; v=DMARC1'] }),
    ).toBeUndefined();
    expect(await read('a.example', { '_dmarc.a.example': ['v=DMARC1; rua=mailto:x@a.example'] })).toMatchObject({
      policy: 'none',
    });
  });

  test.each<[string, string, boolean, boolean]>([
    ['shop.example', 'SHOP.example', true, true],
    ['mail.shop.example', 'shop.example', false, true],
    ['mail.shop.example', 'shop.example', true, false],
    ['shop.example', 'shop.org', false, false],
    ['one.co.uk', 'two.co.uk', false, false],
    ['one.github.io', 'two.github.io', false, false],
    ['co.uk', 'two.co.uk', false, false],
  ])('%s vouches for %s (strict: %p): %p', (domain, from, strict, aligned) => {
    expect(isAligned(domain, from, strict)).toBe(aligned);
  });

  test('an organisation of names that nobody could register is the name itself', () => {
    expect(['com', 'localhost', 'a.b.example'].map(organisationOf)).toEqual(['com', 'localhost', 'b.example']);
  });
});

describe('a DKIM record', () => {
  test.each<[string, (key: PreparedDkim) => string, boolean]>([
    ['as we write it', dkimRecord, true],
    ['without version and type', (key) => dkimRecord(key).replace('v=DKIM1; k=rsa; ', ''), true],
    ['with spaces in the key', (key) => dkimRecord(key).replace(/.{40}/g, '$& '), true],
    [
      'with RSAPublicKey',
      (key) => `k=rsa; p=${createPublicKey(key.key).export({ type: 'pkcs1', format: 'der' }).toString('base64')}`,
      true,
    ],
    ['of another version', (key) => dkimRecord(key).replace('DKIM1', 'DKIM2'), false],
    ['of another type', (key) => dkimRecord(key).replace('k=rsa', 'k=ed25519'), false],
    ['of another key', () => dkimRecord(OTHER), false],
    ['that is empty', () => '', false],
  ])('%s', (_, record, right) => expect(isRecordOf(record(RSA).trim(), RSA)).toBe(right));

  test('of an Ed25519 key has its 32 octets', () => {
    const [, key = ''] = /^v=DKIM1; k=ed25519; p=(.+)$/.exec(dkimRecord(ED25519)) ?? [];
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    expect(isRecordOf(dkimRecord(ED25519), ED25519)).toBe(true);
  });
});

test.each<[string, Partial<SenderSetup>, string]>([
  [
    'a relay we know',
    { relay: { host: 'email-smtp.eu-west-1.amazonaws.com', isPrivate: false, needsTls: true } },
    'v=spf1 include:amazonses.com ~all',
  ],
  ['any other relay', {}, 'v=spf1 a:smtp.relay.example ~all'],
  [
    'a relay beside us, with known addresses',
    { relay: { host: '127.0.0.1', isPrivate: true, needsTls: false }, ips: ['192.0.2.1', '2001:db8::1'] },
    'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all',
  ],
  ['a relay beside us', { relay: { host: 'mail', isPrivate: true, needsTls: false } }, 'v=spf1 ip4:… ~all'],
])('the SPF record for %s', (_, setup, record) => expect(spfRecord({ ...SETUP, ...setup })).toBe(record));

describe('the letters and whom they reach', () => {
  const BROKEN: LocalFacts['templateErrors'] = [{ field: 'body', ...problem('template', { text: 'no' }) }];
  const FINE: LocalFacts = {
    kind: 'marketing',
    postalAddress: 'High Street 1',
    templateErrors: [],
    hidesFooter: false,
    textEmpty: false,
    chosen: 10,
    eligible: 10,
    publicUrl: 'https://mail.shop.example',
    production: true,
  };
  test.each<[Partial<LocalFacts>, string[]]>([
    [{}, []],
    [{ postalAddress: '' }, ['POSTAL_ADDRESS_MISSING']],
    [{ postalAddress: '', publicUrl: 'http://x', kind: 'transactional' }, []],
    [{ templateErrors: BROKEN }, ['TEMPLATE_FAILED']],
    [{ templateErrors: BROKEN, hidesFooter: true }, ['UNSUBSCRIBE_HIDDEN']],
    [{ textEmpty: true }, ['TEXT_EMPTY']],
    [{ publicUrl: 'http://x' }, ['PUBLIC_URL_NOT_HTTPS']],
    [{ publicUrl: 'http://x', production: false }, []],
    [{ eligible: 0 }, ['NOBODY_ELIGIBLE']],
    [{ chosen: 0, eligible: 0 }, []],
    [{ chosen: null, eligible: null }, ['AUDIENCE_NOT_COUNTED']],
  ])('%j: %j', (facts, expected) => expect(codes(localFindings({ ...FINE, ...facts }))).toEqual(expected));
});

test.each<[Parameters<typeof listFindings>[0], object[]]>([
  [{ never: null, last: null }, []],
  [{ never: { of: 1_000, never: 300 }, last: { sent: 1_000, bounced: 20, complained: 1 } }, []],
  [{ never: { of: 1_000, never: 301 }, last: null }, [{ code: 'NEW_ADDRESSES', values: { percent: 30, max: 30 } }]],
  [{ never: { of: 49, never: 49 }, last: { sent: 49, bounced: 49, complained: 49 } }, []],
  [
    { never: null, last: { sent: 1_000, bounced: 21, complained: 2 } },
    [
      { code: 'LAST_RUN_BOUNCED', values: { percent: 2.1, max: 2 } },
      { code: 'LAST_RUN_COMPLAINED', values: { percent: 0.2, max: 0.1 } },
    ],
  ],
])('the list: %j', (facts, expected) => expect(listFindings(facts)).toMatchObject(expected));

test.each<[Parameters<typeof proofFindings>[0], object[]]>([
  [{ last: { failed: 0 } }, []],
  [{ last: { failed: 2 } }, [{ code: 'PROOF_FAILED', level: 'warn', values: { n: 2 } }]],
  [{ last: null }, [{ code: 'PROOF_MISSING', level: 'unknown' }]],
])('the last proof letter: %j', (facts, expected) => expect(proofFindings(facts)).toMatchObject(expected));

test('every finding is worded for values that it never saw', () => {
  for (const code of findingCodes)
    for (const texts of [findingTexts, findingsRu]) expect(texts[code]({}).length).toBeGreaterThan(20);
});
