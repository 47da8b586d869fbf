import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { prepareDkim, signLetter } from '../../src/domain/dkim';
import { checkSignatures } from '../../src/domain/dkim-verify';
import { cases } from '../support/cases';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem) as string;
const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem) as string;
const ed = generateKeyPairSync('ed25519').privateKey.export(pem) as string;
const keyOf = (selector: string, privateKey: string) => prepareDkim({ domain: 'example.org', selector, privateKey });
const KEYS = [keyOf('rsa', rsa), keyOf('ed', ed)];
const AT = new Date('2027-03-31T09:08:07Z');

const LETTER = Buffer.from(
  'From: a@example.org\r\nTo: b@example.net\r\nSubject: =?utf-8?q?=C3=A4?=\r\nList-Unsubscribe: <https://example.org/u>\r\n' +
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMessage-ID: <1@example.org>\r\n\r\nHello  world \r\n\r\n\r\n',
);
const signed = signLetter(KEYS, LETTER, AT).toString('latin1');
const fates = (text: string, keys = KEYS) => checkSignatures(keys, Buffer.from(text, 'latin1')).map(({ fate }) => fate);

test('what arrives as it was signed is good, and so is what relays may do to it', () => {
  expect(fates(signed)).toEqual(['good', 'good']);
  expect(fates(signed.replaceAll('\r\n', '\n'))).toEqual(['good', 'good']);
  expect(fates(`Received: by relay.example\r\n${signed}`)).toEqual(['good', 'good']);
  expect(fates(signed.replace('Subject: ', 'SUBJECT:\r\n\t'))).toEqual(['good', 'good']);
  expect(fates(signed.replace('Hello  world ', 'Hello world'))).toEqual(['good', 'good']);
  const [first] = checkSignatures(KEYS, Buffer.from(signed, 'latin1'));
  expect([...first!.covers]).toEqual(expect.arrayContaining(['from', 'list-unsubscribe', 'list-unsubscribe-post']));
});

test.each([
  ['body', signed.replace('world', 'World')],
  ['body', `${signed}footer\r\n`],
  ['header', signed.replace('<1@', '<2@')],
  ['header', `Subject: another\r\n${signed}`],
  ['header', `From: c@example.com\r\n${signed}`],
  ['header', signed.replaceAll('t=1', 't=2')],
  ['missing', signed.replace(/^DKIM-Signature:/gm, 'X-Signature:')],
  ['missing', signed.replace(/s=(rsa|ed);/g, 's=x;')],
])('%s: what was changed is found', (fate, text) => {
  expect(text).not.toBe(signed);
  expect(fates(text)).toEqual([fate, fate]);
});

test('another key of the same name does not verify it', () => {
  expect(fates(signed, [keyOf('rsa', other)])).toEqual(['header']);
});

test('of any bytes nothing is thrown, and of many equal fields not more is asked than they are long', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      fates(text);
      fates(`DKIM-Signature: d=example.org; s=rsa; a=rsa-sha256; h=${text}; b=${text}\r\n\r\n`);
    }),
    { numRuns: cases(300, 30) },
  );
  const took = (n: number) => {
    const text = `DKIM-Signature: d=example.org; s=rsa; a=rsa-sha256; h=${'x:'.repeat(n)}; b=\r\n${'x: y\r\n'.repeat(n)}\r\n`;
    const from = performance.now();
    fates(text);
    return performance.now() - from;
  };
  took(1_000);
  expect(took(40_000)).toBeLessThan(2_000);
});
