import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { dkimVerify } from 'mailauth/lib/dkim/verify';
import { composeLetter, prepareLetter } from '../../src/domain/compose';
import { dkimKeys, prepareDkim, signLetter, type PreparedDkim } from '../../src/domain/dkim';
import { ValidationError } from '../../src/domain/errors';
import { cases } from '../support/cases';

const SIGNED_AT = new Date('2027-03-31T09:08:07Z');
const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const records: Record<string, string> = {
  'rsa._domainkey.example.org': `v=DKIM1; k=rsa; p=${spki(rsa.publicKey).toString('base64')}`,
  'ed._domainkey.example.org': `v=DKIM1; k=ed25519; p=${spki(ed.publicKey).subarray(-32).toString('base64')}`,
};
const identities = {
  rsa: prepareDkim({ domain: 'example.org', selector: 'rsa', privateKey: pem(rsa.privateKey) }),
  ed: prepareDkim({ domain: 'Example.org', selector: 'ed', privateKey: pem(ed.privateKey) }),
};

async function verdict(letter: Buffer) {
  const resolver = (name: string) => Promise.resolve([[records[name] ?? '']]);
  const { results } = await dkimVerify(letter, { resolver });
  expect(results).toHaveLength(1);
  return results[0]!.status.result;
}

function compose(subject: string, text: string, html: string, eightBitMime = false): Buffer {
  const prepared = prepareLetter({
    from: { name: 'Магазин', address: 'shop@example.org' },
    content: { render: () => ({ subject, text, html }) },
    listId: 'mailing-7.example.org',
    leavable: true,
    feedbackId: 'm7:o1:marketing:example-org',
    complaintsTo: 'fbl@example.org',
  });
  const client = { fullName: 'Ann', email: 'ann@example.net', comment: '' };
  return composeLetter(prepared, {
    data: {
      client,
      mailing: { name: '' },
      sender: { name: '', email: '' },
      date: '',
      unsubscribeUrl: 'https://example.org/u',
    },
    messageId: '<1@example.org>',
    date: SIGNED_AT,
    boundary: '=_b',
    eightBitMime,
  });
}

const LETTER = compose('Привет', 'Hello\n', '<p>Hello</p>');

describe.each(Object.entries(identities))('signLetter with %s', (selector, identity: PreparedDkim) => {
  it('is verified by an independent implementation', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('', ' ', '\t', 'a  b', 'tail \t', '.', 'x'.repeat(1200), 'ж'.repeat(300)),
    );
    const body = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));
    await fc.assert(
      fc.asyncProperty(line, body, body, fc.boolean(), async (subject, text, html, eightBitMime) => {
        const letter = compose(subject.replace(/\s+/g, ' '), text, html, eightBitMime);
        expect(await verdict(signLetter([identity], letter, SIGNED_AT))).toBe('pass');
      }),
      { numRuns: cases(300, 60) },
    );
  });

  it.each([
    ['no body', 'From: a@example.org\r\n\r\n'],
    ['only empty lines', 'From: a@example.org\r\n\r\n\r\n\r\n'],
    ['only blanks', 'From: a@example.org\r\n\r\n \t\r\n \r\n'],
    ['no last line break', 'From: a@example.org\r\n\r\nx \t y \t'],
    ['tabs and folded headers', 'From:\ta@example.org \r\nSubject:  a\r\n\t b  c\t\r\n\r\n\tx\t \r\ny\r\n\r\n'],
    ['a field twice', 'From: a@example.org\r\nList-Id: <1.x>\r\nList-Id: <2.x>\r\n\r\nx\r\n'],
  ])('is verified for a letter with %s', async (_, letter) => {
    expect(await verdict(signLetter([identity], Buffer.from(letter), SIGNED_AT))).toBe('pass');
  });

  it.each([
    ['the body', (letter: string) => letter.replace('<p>Hello</p>', '<p>Hallo</p>')],
    ['the subject', (letter: string) => letter.replace('Subject: ', 'Subject: x')],
    ...'From To Subject Date Message-ID MIME-Version Content-Type List-Id List-Unsubscribe List-Unsubscribe-Post Feedback-ID CFBL-Address Precedence'
      .split(' ')
      .flatMap((name): [string, (letter: string) => string][] => [
        [`a second ${name} above`, (letter) => letter.replace(`\r\n${name}: `, `\r\n${name}: x\r\n${name}: `)],
        [`a second ${name} below`, (letter) => letter.replace('\r\n\r\n', `\r\n${name}: x\r\n\r\n`)],
      ]),
    ...'Cc Sender Reply-To Content-Transfer-Encoding'
      .split(' ')
      .map((name): [string, (letter: string) => string] => [
        `a ${name} that it had not`,
        (letter) => letter.replace('\r\n\r\n', `\r\n${name}: eve@example.org\r\n\r\n`),
      ]),
    ['the recipient', (letter: string) => letter.replace('ann@example.net', 'eve@example.net')],
    ['the time', (letter: string) => letter.replace(/t=\d+/, 't=1')],
    ['a cut body', (letter: string) => letter.slice(0, -10)],
  ])('fails once tampered with: %s', async (_, tamper) => {
    const signed = signLetter([identity], LETTER, SIGNED_AT).toString('latin1');
    const tampered = tamper(signed);
    expect(tampered).not.toBe(signed);
    expect(await verdict(Buffer.from(tampered, 'latin1'))).not.toBe('pass');
  });

  it('prepends one header of short lines and leaves the letter as it is', () => {
    const signed = signLetter([identity], LETTER, SIGNED_AT);
    expect(signed.subarray(-LETTER.length).equals(LETTER)).toBe(true);
    const field = signed.subarray(0, -LETTER.length).toString('latin1');
    expect(field).toMatch(/^DKIM-Signature: v=1; [^]*\r\n$/);
    expect(Math.max(...field.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
    const tags = new Map(
      field
        .slice(16)
        .split(';')
        .map((tag) => tag.replace(/\s/g, '').split(/=(.*)/s) as [string, string]),
    );
    expect(tags.get('t')).toBe(String(SIGNED_AT.getTime() / 1000));
    expect(tags.get('s')).toBe(selector);
    expect(tags.get('d')).toBe('example.org');
    const occurring =
      'content-type:mime-version:list-unsubscribe-post:list-unsubscribe:list-id:date:message-id:subject:to:from:' +
      'precedence:feedback-id:cfbl-address';
    const sealed =
      'precedence:feedback-id:cfbl-address:' +
      'cc:sender:reply-to:content-transfer-encoding:from:to:subject:date:message-id:mime-version:content-type:list-id:' +
      'list-unsubscribe:list-unsubscribe-post';
    expect((tags.get('h') ?? '').split(':').sort()).toEqual([...occurring.split(':'), ...sealed.split(':')].sort());
  });

  it('gives the same octets again', () => {
    expect(signLetter([identity], LETTER, SIGNED_AT).equals(signLetter([identity], LETTER, SIGNED_AT))).toBe(true);
  });
});

describe('two keys', () => {
  const both = dkimKeys({
    dkimDomain: 'example.org',
    dkimSelector: 'rsa',
    dkimPrivateKey: pem(rsa.privateKey),
    dkimSelector2: 'ed',
    dkimPrivateKey2: pem(ed.privateKey),
  });

  it('make two signatures, each of which stands alone', async () => {
    const signed = signLetter(both, LETTER, SIGNED_AT);
    const resolver = (name: string) => Promise.resolve([[records[name] ?? '']]);
    const { results } = await dkimVerify(signed, { resolver });
    expect(results.map((result) => [result.selector, result.status.result])).toEqual([
      ['rsa', 'pass'],
      ['ed', 'pass'],
    ]);
    const second = signed.toString('latin1').lastIndexOf('DKIM-Signature:');
    expect(await verdict(signed.subarray(second))).toBe('pass');
  });

  it('are named by their setting when they are wrong; without a domain nothing is signed', () => {
    const settings = {
      dkimDomain: 'example.org',
      dkimSelector: 'a',
      dkimPrivateKey: pem(rsa.privateKey),
      dkimSelector2: 'b',
      dkimPrivateKey2: pem(ed.privateKey),
    };
    expect(() => dkimKeys({ ...settings, dkimPrivateKey2: 'nonsense' })).toThrow('dkim.privateKey2');
    expect(() => dkimKeys({ ...settings, dkimSelector2: 'a b' })).toThrow('dkim.selector2');
    expect(() => dkimKeys({ ...settings, dkimSelector2: 'a' })).toThrow('dkim.selector2');
    expect(dkimKeys({ ...settings, dkimPrivateKey2: '' })).toHaveLength(1);
    expect(dkimKeys({ ...settings, dkimDomain: '' })).toEqual([]);
  });
});

describe('prepareDkim', () => {
  const good = { domain: 'example.org', selector: 'mail', privateKey: pem(ed.privateKey) };

  it('reads PKCS#1 too', () => {
    const privateKey = rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
    expect(prepareDkim({ ...good, privateKey }).algorithm).toBe('rsa-sha256');
  });

  it.each([
    ['domain', { domain: 'localhost' }],
    ['domain', { domain: 'x.org; s=y' }],
    ['selector', { selector: '' }],
    ['selector', { selector: 'a b' }],
    ['selector', { selector: 'a;b=c' }],
    ['privateKey', { privateKey: 'secret nonsense' }],
    ['privateKey', { privateKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) }],
    ['privateKey', { privateKey: pem(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey) }],
  ])('refuses a bad %s %#', (field, bad) => {
    expect(() => prepareDkim({ ...good, ...bad })).toThrow(ValidationError);
    expect(() => prepareDkim({ ...good, ...bad })).toThrow(`dkim.${field}`);
    expect(() => prepareDkim({ ...good, ...bad })).not.toThrow('nonsense');
  });
});
