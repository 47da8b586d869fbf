import { generateKeyPairSync } from 'node:crypto';
import { prepareDkim } from '../../src/domain/dkim';
import { dkimRecord } from '../../src/domain/dkim-record';
import { FakeDns, type Zone } from '../support/fake-dns';
import { cli, QUICK } from '../support/service';

/** The command, as an operator runs it: without Postgres and Redis. */

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const record = dkimRecord(prepareDkim({ domain: 'shop.example', selector: 'one', privateKey: pem }));
const GOOD: Zone = {
  'MX shop.example': ['mx.shop.example'],
  'TXT shop.example': ['v=spf1 mx -all'],
  'TXT one._domainkey.shop.example': [record],
  'TXT _dmarc.shop.example': ['v=DMARC1; p=none'],
};

let dns: FakeDns;
beforeAll(async () => void (dns = await FakeDns.start(GOOD)));
afterAll(() => dns?.close());
beforeEach(() => dns.set(GOOD));

const check = (args: string[], more: Record<string, string> = {}) =>
  cli(
    {
      PATH: process.env.PATH,
      ...QUICK,
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      REDIS_URL: 'redis://127.0.0.1:1',
      MAIL_FROM: 'Shop <news@shop.example>',
      DKIM_DOMAIN: 'shop.example',
      DKIM_SELECTOR: 'one',
      DKIM_PRIVATE_KEY: pem,
      DNS_SERVERS: dns.address,
      ...more,
    },
    ['check-domain', ...args],
  );

test('prints each record that it looked for and found', async () => {
  const { code, out } = await check(['shop.example']);
  for (const line of [
    'MX shop.example: "mx.shop.example"',
    'TXT shop.example: "v=spf1 mx -all"',
    `TXT one._domainkey.shop.example: "${record}"`,
    'TXT _dmarc.shop.example: "v=DMARC1; p=none"',
    'Nothing is wrong.',
  ])
    expect(out).toContain(line);
  expect(code).toBe(0);
});

test('says what to publish, and exits 1 if it would block a large mailing', async () => {
  dns.set({ ...GOOD, 'TXT one._domainkey.shop.example': [], 'TXT _dmarc.shop.example': [] });
  const { code, out } = await check([]);
  expect(code).toBe(1);
  expect(out).toContain(`publish: one._domainkey.shop.example TXT "${record}"`);
  expect(out).toContain('publish: _dmarc.shop.example TXT "v=DMARC1; p=none"');
  const told = await check(['SHOP.example', '--json']);
  expect(told.code).toBe(1);
  expect(JSON.parse(told.out)).toMatchObject({
    domain: 'shop.example',
    findings: [
      { code: 'DKIM_MISSING', level: 'block', values: { record } },
      { code: 'DMARC_MISSING', level: 'block' },
    ],
  });
  expect(told.out).not.toContain('PRIVATE');
});

test('what only warns, or is not answered, is no reason to exit 1', async () => {
  dns.set({ ...GOOD, 'TXT shop.example': ['v=spf1 mx', 'v=spf1 a'], 'MX shop.example': null });
  const { code, out } = await check(['shop.example']);
  expect(code).toBe(0);
  expect(out).toContain('warning: ');
  expect(out).toContain('MX shop.example: not answered');
});

test.each([
  [['no domain'], {}, 'is not a domain name'],
  [[], { DKIM_PRIVATE_KEY: 'nonsense' }, 'dkim.privateKey'],
  [[], { DNS_SERVERS: 'dns.example' }, 'DNS_SERVERS must be a comma list of IP addresses'],
])('what is wrong with %j is one line: %s', async (args, more, text) => {
  const { code, err } = await check(args, more);
  expect([code, err]).toEqual([1, expect.stringContaining(text)]);
});
