import fc from 'fast-check';
import { decide, type InboundEnvelope, inboundKinds, type Match, unwrap } from '../../src/domain/inbound-decision';
import { cluesIn } from '../../src/domain/inbound-clues';
import { INBOUND_KEPT_BYTES } from '../../src/domain/read-letter';
import { judgeBounce } from '../../src/domain/bounce-rules';
import { tokenTextsIn } from '../../src/domain/bounce-address';
import { cases } from '../support/cases';
import { dsn, plain, RCPT, VERP } from '../support/inbound-letters';
import { exampleLetter, examples } from '../support/inbound-cases';

/** Whatever comes in, it is judged, and takes time in proportion to its length. */

const MATCH: Match = { by: 'verp', deliveryId: 7, email: RCPT };
const ENVELOPE: InboundEnvelope = {
  from: '',
  toKind: 'bounce',
  isFeedbackAddress: false,
  sender: VERP,
};

async function judged(raw: Uint8Array) {
  const letters = await unwrap(raw);
  tokenTextsIn(cluesIn(letters));
  return decide(letters, ENVELOPE, MATCH);
}

test('any bytes are judged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (raw) => {
      expect(inboundKinds).toContain((await judged(raw)).kind);
    }),
    { numRuns: cases(300, 30) },
  );
});

test('examples with bytes changed, cut out, or repeated are judged', async () => {
  const files = examples.cases.map(({ file }) => exampleLetter(file));
  const change = fc.record({
    file: fc.constantFrom(...files),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(400),
    by: fc.uint8Array({ maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ file, at, length, by }) => {
      const place = Math.floor(at * file.length);
      const raw = Buffer.concat([file.subarray(0, place), by, file.subarray(place + length)]);
      expect(inboundKinds).toContain((await judged(raw)).kind);
    }),
    { numRuns: cases(1_000, 100) },
  );
});

test('words of any kind are ruled on', () => {
  const word = fc.constantFrom(
    'user',
    'unknown',
    'mailbox',
    'full',
    'spam',
    'domain',
    'not',
    'found',
    'ящик',
    '.',
    '550',
    '5.1.1',
    'blocked',
    'using',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 200 }), fc.constantFrom(0, 450, 550), (words, code) => {
      const { kind, blame } = judgeBounce({
        code,
        enhanced: null,
        text: words.join(' '),
        from: 'n@n.example',
        to: RCPT,
      });
      if (kind === 'hard') expect(blame).toBe('recipient');
      if (code === 450) expect(kind).toBe('soft');
    }),
    { numRuns: cases(2_000, 200) },
  );
});

const nested = (levels: number): Buffer =>
  Buffer.from(
    Array.from({ length: levels }, (_, i) => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`).join(
      '',
    ) +
      'Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; anna.k@client.example\r\nAction: failed\r\nStatus: 5.1.1\r\n',
  );

test('60 levels of parts are not read', async () => {
  expect(await judged(nested(60))).toMatchObject({ kind: 'ignore', reason: 'unreadable' });
  expect(await judged(nested(30))).toMatchObject({ kind: 'hard' });
});

const FULL = INBOUND_KEPT_BYTES;
const many = (text: string) => text.repeat(Math.ceil(FULL / text.length));
const enclosing = 'From: postmaster@x.example\nContent-Type: message/rfc822\n\n';
const both = (html: string) =>
  Buffer.from(
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html\n\n' + html + '\n--b--\n',
  );
const HOSTILE: [string, () => Buffer][] = [
  ['one long header line', () => Buffer.from(`Subject: ${many('a')}\r\n\r\nx`)],
  ['many headers', () => Buffer.from(`${many('X: y\r\n')}\r\nx`)],
  ['many parts', () => Buffer.from(`Content-Type: multipart/report; boundary=b\r\n\r\n${many('--b\r\n\r\nx\r\n')}`)],
  [
    'many recipients',
    () => dsn({ status_part: many('Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\n\r\n') }),
  ],
  [
    'many continuation lines',
    () => dsn({ status_part: `Final-Recipient: rfc822; ${RCPT}\r\nDiagnostic-Code: smtp; 550\r\n${many(' x\r\n')}` }),
  ],
  ['many addresses in a text', () => plain({ text: many(`${RCPT}\n`) })],
  ['no address in one long line', () => plain({ text: many('a.') })],
  ['codes without end', () => plain({ text: many('550 5.1.') })],
  ['spaces', () => plain({ text: `${RCPT}\n${many(' ')}` })],
  ['dashes', () => plain({ text: many('-') })],
  ['brackets', () => plain({ from: `x@y.example ${'('.repeat(5_000)}`, text: many('<') })],
  ['nested HTML', () => plain({ type: 'text/html', text: many('<div><p>') })],
  ['escapes', () => dsn({ final: `utf-8; ${many('\\x{430}')}`, status: '5.1.1' })],
  ['encoded words', () => plain({ subject: many('=?utf-8?B?0J0=?= '), text: 'x' })],
  ['tokens', () => plain({ text: many('abcdefghijklmnopqrstuvwxyz@') })],
  ['lines', () => plain({ text: many('\n') })],
  ['words of bounces', () => plain({ text: many('mailbox user recipient account address domain host not ') })],
  ['asterisks', () => plain({ text: many('*') })],
  ['asterisks and spaces', () => plain({ text: many('* ') })],
  ['quotation marks', () => plain({ text: many('>') })],
  ['quoted lines', () => plain({ text: many('> \n') })],
  ['bare line feeds', () => Buffer.from(`From: postmaster@x.example\n\n${many('\n')}`)],
  ['lines of one character', () => Buffer.from(`From: postmaster@x.example\n\n${many('x\n')}`)],
  ['empty lines in base64', () => plain({ extra: 'Content-Transfer-Encoding: base64', text: many('\n') })],
  ['empty lines as quoted-printable', () => plain({ encoding: 'quoted-printable', text: many('=\n') })],
  ['empty lines in HTML', () => plain({ type: 'text/html', text: many('\n') })],
  ['spaces in HTML', () => plain({ type: 'text/html', text: many(' ') })],
  ['text and HTML', () => both(many('<p\n'))],
  ['text and comments of HTML', () => both(many('<!-- '))],
  ['text and scripts of HTML', () => both(many('<script '))],
  ['text and spaces in HTML', () => both(many(' \n'))],
  ['many short headers', () => Buffer.from(`${many('X:\n')}\nx`)],
  ['folded headers', () => Buffer.from(`Content-Type: text/plain;\n${many(' a=b;\n')}\nx`)],
  ['numbered parameters', () => Buffer.from(`Content-Type: text/plain;${many(' a*1*=b;')}\n\nx`)],
  ['brackets in a type', () => Buffer.from(`Content-Type: text/plain; ${many(' (')}\n\nx`)],
  ['boundaries', () => Buffer.from(`Content-Type: multipart/mixed; boundary=b\n\n${many('--b\n')}`)],
  [
    'boundaries without end',
    () => Buffer.from(many('Content-Type: multipart/mixed; boundary=b\n\n--b\n').slice(0, 1_500) + many('\n--b-\n')),
  ],
  ['letters in a letter', () => Buffer.from(`${enclosing.repeat(6)}\n${many('x\n')}`)],
  ['letters of lines in a letter', () => Buffer.from(`${enclosing.repeat(6)}\n${many('\n')}`)],
  ['letters of headers in a letter', () => Buffer.from(`${enclosing.repeat(6)}${many('X: y\n')}\nx`)],
  ['letters of asterisks in a letter', () => Buffer.from(`${enclosing.repeat(6)}\n${many('*')}`)],
  ['empty lines in a report', () => dsn({ status_part: `Final-Recipient: rfc822; ${RCPT}\n${many(' \n')}` })],
  ['the name of a file', () => Buffer.from(`Content-Type: application/zip; name="${many('a')}"\n\nx`)],
  ['delays', () => plain({ text: many('warning will be попытки ') })],
];

test.each(HOSTILE)('%s: twice the length takes about twice as long', async (_, make) => {
  const raw = make().subarray(0, FULL);
  const half = raw.subarray(0, FULL / 2);
  const cpuMs = async (of: Uint8Array) => {
    const from = process.cpuUsage();
    await judged(of);
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1_000;
  };
  await judged(half);
  const [one, two] = [Math.min(await cpuMs(half), await cpuMs(half)), Math.min(await cpuMs(raw), await cpuMs(raw))];
  expect(two).toBeLessThan(3 * one + 100);
  expect(two).toBeLessThan(1_000);
});
