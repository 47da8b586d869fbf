import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { composeLetter, prepareLetter } from '../../src/domain/compose';
import { dkimKeys, signLetter } from '../../src/domain/dkim';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const pem = { type: 'pkcs8', format: 'pem' } as const;
const spki = { type: 'spki', format: 'der' } as const;
const records = {
  'one._domainkey.example.org.': `v=DKIM1; k=rsa; p=${rsa.publicKey.export(spki).toString('base64')}`,
  'two._domainkey.example.org.': `v=DKIM1; k=ed25519; p=${ed.publicKey.export(spki).subarray(-32).toString('base64')}`,
};
const keys = dkimKeys({
  dkimDomain: 'example.org',
  dkimSelector: 'one',
  dkimPrivateKey: rsa.privateKey.export(pem) as string,
  dkimSelector2: 'two',
  dkimPrivateKey2: ed.privateKey.export(pem) as string,
});
const SCRIPT = join(__dirname, '../support/dkim-verify.py');

/** Needs Debian's python3-dkim and python3-nacl. */
function verified(letter: Buffer): { direct: boolean[]; relayed: boolean[] } {
  const known = Object.fromEntries(Object.entries(records).map(([name, text]) => [name.slice(0, -1), text]));
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', [SCRIPT, JSON.stringify(known)], { input: letter });
  if (status !== 0) throw new Error(`Install the Debian packages python3-dkim and python3-nacl: ${String(stderr)}`);
  return JSON.parse(String(stdout)) as { direct: boolean[]; relayed: boolean[] };
}

function letter(text: string, eightBitMime: boolean): Buffer {
  const prepared = prepareLetter({
    from: { name: 'Магазин', address: 'shop@example.org' },
    content: { render: () => ({ subject: text.slice(0, 60), text, html: `<p>${text}</p>` }) },
    listId: 'mailing-7.example.org',
    mailingName: 'Осень',
  });
  return composeLetter(prepared, {
    data: {
      client: { fullName: 'Анна', email: 'ann@example.net', comment: '' },
      mailing: { name: '' },
      sender: { name: '', email: '' },
      date: '',
    },
    messageId: '<1@example.org>',
    date: new Date(),
    boundary: '=_b',
    eightBitMime,
  });
}

const TEXTS = [
  'Hello',
  'Здравствуйте, мир! '.repeat(40),
  'Grüße an alle, die dies lesen.\n\n.\n..\n \t\nEnde',
  'x'.repeat(3_000),
  'ж',
];

it.each(TEXTS)('both signatures hold for dkimpy, also behind a relay that re-codes: %#', (text) => {
  expect(verified(signLetter(keys, letter(text, false), new Date()))).toEqual({
    direct: [true, true],
    relayed: [true, true],
  });
});

it('an 8-bit letter would not survive that relay, nor any letter a field that somebody adds', () => {
  const eightBit = signLetter(keys, letter('Здравствуйте', true), new Date());
  expect(verified(eightBit)).toEqual({ direct: [true, true], relayed: [false, false] });
  const signed = signLetter(keys, letter('Hello', false), new Date()).toString('latin1');
  for (const field of ['Reply-To', 'From', 'Subject', 'List-Unsubscribe', 'Cc', 'Sender']) {
    const changed = signed.replace('\r\n\r\n', `\r\n${field}: eve@example.com\r\n\r\n`);
    expect([field, verified(Buffer.from(changed, 'latin1')).direct]).toEqual([field, [false, false]]);
  }
});
