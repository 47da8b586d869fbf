import fc from 'fast-check';
import { simpleParser, type AddressObject, type ParsedMail } from 'mailparser';
import MailComposer from 'nodemailer/lib/mail-composer';
import { composeLetter, prepareLetter, type LetterOptions } from '../../src/domain/compose';
import { ValidationError } from '../../src/domain/errors';
import { type RenderedContent } from '../../src/domain/template';
import { cases } from '../support/cases';

const DATE = new Date('2027-03-31T09:08:07Z');
const MESSAGE_ID = '<0123456789abcdef@example.org>';
const BOUNDARY = '=_0123456789abcdef';

interface Letter extends RenderedContent {
  fromName: string;
  toName: string;
  eightBitMime: boolean;
}
const LETTER: Letter = {
  fromName: 'Shop',
  toName: 'Ann',
  subject: 'Hi',
  text: 'Hello',
  html: '<p>Hello</p>',
  eightBitMime: false,
};

const DATA_OF_LETTER = {
  client: { fullName: 'Ann', email: 'ann@example.net', comment: '' },
  mailing: { name: '' },
  sender: { name: 'Shop', email: 'shop@example.org' },
  date: DATE.toISOString(),
};

function compose(part: Partial<Letter>, options: Partial<LetterOptions> = {}): Buffer {
  const letter = { ...LETTER, ...part };
  const prepared = prepareLetter({
    from: { name: letter.fromName, address: 'shop@example.org' },
    content: { render: () => letter },
    ...options,
  });
  return composeLetter(prepared, {
    data: {
      client: { fullName: letter.toName, email: 'ann@example.net', comment: '' },
      mailing: { name: '' },
      sender: { name: letter.fromName, email: 'shop@example.org' },
      date: DATE.toISOString(),
    },
    messageId: MESSAGE_ID,
    date: DATE,
    boundary: BOUNDARY,
    eightBitMime: letter.eightBitMime,
  });
}

/** nodemailer leaves a bare CR as it is. */
const lines = (text: string) => text.replace(/\r\n?|\n/g, '\n');

function composeByNodemailer(letter: Letter): Promise<Buffer> {
  return new MailComposer({
    from: { name: letter.fromName, address: 'shop@example.org' },
    to: { name: letter.toName, address: 'ann@example.net' },
    subject: letter.subject,
    text: lines(letter.text) || ' ', // it leaves an empty part out
    html: lines(letter.html),
    messageId: MESSAGE_ID,
    date: DATE,
  })
    .compile()
    .build();
}

const header = (letter: Buffer) => letter.toString('latin1').split('\r\n\r\n', 1)[0]!;
const parse = (letter: Buffer) => simpleParser(letter, { skipTextToHtml: true, skipTextLinks: true });

const facts = (mail: ParsedMail) => ({
  from: mail.from?.value,
  to: (mail.to as AddressObject).value,
  subject: mail.subject,
  messageId: mail.messageId,
  date: mail.date?.toISOString(),
  text: mail.text,
  html: mail.html,
});

/** Q as URI escapes, whose decoder throws at half a character. */
const escapeQ = (encoded: string) => encoded.replace(/%/g, '=25').replace(/=/g, '%');

function checkWire(letter: Buffer, eightBitMime: boolean): void {
  const wire = letter.toString('latin1');
  expect(/\r(?!\n)|(?<!\r)\n/.test(wire)).toBe(false);
  expect(wire.includes('\0')).toBe(false);
  expect(Math.max(...wire.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  const sevenBitPart = eightBitMime ? header(letter) : wire;
  expect(/[^\0-\x7F]/.test(sevenBitPart)).toBe(false);
  for (const line of header(letter).split('\r\n')) {
    if (line.includes('=?utf-8?')) expect(line.length).toBeLessThanOrEqual(76);
    for (const [word, kind, encoded] of line.matchAll(/=\?utf-8\?([BQ])\?([^?]*)\?=/g)) {
      expect(word.length).toBeLessThanOrEqual(75);
      const octets =
        kind === 'B' ? Buffer.from(encoded!, 'base64') : Buffer.from(decodeURIComponent(escapeQ(encoded!)));
      expect(() => new TextDecoder('utf-8', { fatal: true }).decode(octets)).not.toThrow();
    }
  }
}

describe('composeLetter', () => {
  const script = fc.constantFrom(
    ...[
      'Hello',
      'World.',
      'naïve',
      'Привет',
      'мир',
      'Ελλάδα',
      'שלום',
      'مرحبا',
      '漢字',
      '안녕',
      'ไทย',
      '😀',
      '👩‍👩‍👧',
      'e\u0301',
      '\u202Ertl',
      '𝕏',
    ],
    ...[
      '=',
      '=?utf-8?Q?x?=',
      '=?',
      '?=',
      '=3D',
      '.',
      '..',
      "O'Neil",
      '"q"',
      'a,b',
      ';',
      ':',
      '<x>',
      '(c)',
      '\\',
      '@',
      '_',
      '-',
      '&amp;',
    ],
    ...['x'.repeat(80), 'ж'.repeat(80), 'W'.repeat(300)],
  );
  const phrase = fc.oneof(
    fc.array(script, { maxLength: 12 }).map((words) => words.join(' ')),
    fc.array(script, { maxLength: 5 }).map((words) => words.join('')),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.stringMatching(/^[\x20-\x7E]{0,150}$/),
  );
  const subject = phrase.map((text) => text.replace(/[\s\p{Cc}]+/gu, ' ').trim());
  const line = fc.oneof(
    { weight: 4, arbitrary: fc.array(script, { maxLength: 15 }).map((words) => words.join(' ')) },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
    fc.constantFrom(
      '',
      '.',
      '..',
      '.x',
      ' ',
      'trailing ',
      'tab\t',
      '\t',
      `--${BOUNDARY}x`,
      '--',
      'From me',
      'x'.repeat(998),
      'x'.repeat(999),
    ),
    fc.integer({ min: 900, max: 3000 }).map((length) => 'long word '.repeat(length / 10)),
    fc.integer({ min: 300, max: 2000 }).map((length) => '漢'.repeat(length)),
  );
  const body = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n', '\r'))
    .map(([lines, newline]) => lines.join(newline));
  const letters: fc.Arbitrary<Letter> = fc.record({
    fromName: subject,
    toName: subject,
    subject,
    text: body,
    html: body.map((text) => `<p>${text}</p>`),
    eightBitMime: fc.boolean(),
  });

  /** nodemailer loses text that looks like an encoded word, and some double spaces; ours is checked for those below. */
  const tame = (text: string) => text.replace(/=+\?+/g, '').replace(/ +/g, ' ').trim();

  it('is read like what nodemailer composes', async () => {
    await fc.assert(
      fc.asyncProperty(letters, async (any) => {
        const letter = { ...any, fromName: tame(any.fromName), toName: tame(any.toName), subject: tame(any.subject) };
        const own = compose(letter);
        checkWire(own, letter.eightBitMime);
        expect(compose(letter).equals(own)).toBe(true);
        const [ours, theirs] = await Promise.all([parse(own), composeByNodemailer(letter).then(parse)]);
        expect(facts(ours)).toEqual({
          ...facts(theirs),
          ...(letter.text === '' && { text: expect.any(String) as string }),
        });
      }),
      { numRuns: cases(2000, 500) },
    );
  });

  it('gives back exactly what was put in', async () => {
    await fc.assert(
      fc.asyncProperty(letters, async (letter) => {
        const mail = await parse(compose(letter));
        expect(mail.subject ?? '').toBe(letter.subject.trim());
        expect((mail.to as AddressObject).value).toEqual([{ address: 'ann@example.net', name: letter.toName.trim() }]);
        if (letter.text) expect(mail.text).toBe(lines(letter.text));
        expect(mail.html).toBe(lines(letter.html));
      }),
      { numRuns: cases(500, 50) },
    );
  });

  it.each([
    ['ASCII', 'Hello, world. '],
    ['quoted-printable', `${'Hello, world. '.repeat(20)}naïve = `],
    ['base64', 'Привет, мир. 😀 '],
  ])('carries a big part in %s', async (_, sentence) => {
    const text = `${sentence.repeat(40)}\n`.repeat(Math.ceil(1_000_000 / sentence.length / 40)).trim();
    const letter = compose({ text, html: text, toName: sentence.repeat(20), subject: sentence.repeat(200).trim() });
    checkWire(letter, false);
    const mail = await parse(letter);
    expect([mail.text === text, mail.html === text, mail.subject]).toEqual([true, true, sentence.repeat(200).trim()]);
    expect((mail.to as AddressObject).value[0]?.name).toBe(sentence.repeat(20).trim());
  });

  it('lets no value add a line to the header', () => {
    const evil = fc
      .array(
        fc.constantFrom(
          '\r',
          '\n',
          '\r\n',
          '\r\n ',
          '\0',
          '\x0B',
          '\x85',
          '\u2028',
          'Bcc: e@e.org',
          ' ',
          'é',
          '"',
          '\\',
          '>',
          `\r\n--${BOUNDARY}`,
        ),
      )
      .map((parts) => parts.join(''));
    const names = (letter: Buffer) =>
      header(letter)
        .split('\r\n')
        .filter((l) => !/^\s/.test(l))
        .map((l) => l.split(':')[0]);
    const expected = 'From To Subject Message-ID Date List-Id MIME-Version Content-Type'.split(' ');
    fc.assert(
      fc.property(evil, evil, evil, (fromName, toName, value) => {
        const letter = compose({ fromName, toName, subject: value }, { listId: 'l.example.org', mailingName: value });
        checkWire(letter, false);
        expect(names(letter)).toEqual(expected);
      }),
      { numRuns: cases(1000, 250) },
    );
  });

  it.each([
    ['ASCII', 'Hello\n.dot', false, '7bit'],
    ['998 octets', 'x'.repeat(998), false, '7bit'],
    ['999 octets', 'x'.repeat(999), false, 'quoted-printable'],
    ['NUL', 'a\0b', true, 'quoted-printable'],
    ['few non-ASCII', `${'plain text '.repeat(10)}é`, false, 'quoted-printable'],
    ['mostly non-ASCII', 'Привет, мир', false, 'base64'],
    ['non-ASCII on an 8BITMIME server', 'Привет, мир', true, '8bit'],
    ['500 Cyrillic letters on an 8BITMIME server', 'ж'.repeat(500), true, 'base64'],
  ])('encodes %s', (_, text, eightBitMime, encoding) => {
    const plain = compose({ text, eightBitMime }).toString('latin1').split(`--${BOUNDARY}`)[1]!;
    expect(plain).toContain(`Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n`);
    expect(encoding !== 'quoted-printable' || plain.split('\r\n').every((l) => l.length <= 76)).toBe(true);
  });

  it('writes the text, then the HTML, and headers in a fixed order', () => {
    const letter = compose(
      { toName: 'Ann, "the" Client' },
      {
        replyTo: { name: 'Помощь', address: 'help@пример.рф' },
        listId: 'mailing-7.example.org',
        mailingName: 'Весна 2027',
        autoSubmitted: true,
        headers: { 'List-Help': `<https://example.org/${'u'.repeat(90)}>, <mailto:u@example.org>` },
      },
    );
    expect(letter.toString('latin1')).toBe(
      [
        'From: Shop <shop@example.org>',
        'To: "Ann, \\"the\\" Client" <ann@example.net>',
        'Subject: Hi',
        'Message-ID: <0123456789abcdef@example.org>',
        'Date: Wed, 31 Mar 2027 09:08:07 +0000',
        'Reply-To: =?utf-8?B?0J/QvtC80L7RidGM?= <help@xn--e1afmkfd.xn--p1ai>',
        'List-Id: =?utf-8?B?0JLQtdGB0L3QsCAyMDI3?= <mailing-7.example.org>',
        'Auto-Submitted: auto-generated',
        `List-Help: <https://example.org/${'u'.repeat(90)}>, <mailto:u@example.org>`,
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative;',
        ` boundary="${BOUNDARY}"`,
        '',
        `--${BOUNDARY}`,
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Hello',
        `--${BOUNDARY}`,
        'Content-Type: text/html; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        '<p>Hello</p>',
        `--${BOUNDARY}--`,
        '',
      ].join('\r\n'),
    );
  });

  it.each<[string, Partial<LetterOptions>]>([
    ['from', { from: { address: 'not an address' } }],
    ['replyTo', { replyTo: { address: 'a@b.org\r\nBcc: x@y.org' } }],
    ['listId', { listId: 'x>\r\nBcc: x@y.org' }],
    ['headers.Bcc', { headers: { Bcc: 'x@y.org' } }],
    ['headers.Content-Type', { headers: { 'Content-Type': 'text/plain' } }],
    ['headers.X: y', { headers: { 'X: y': 'z' } }],
    ['headers.X', { headers: { X: 'a\r\nBcc: x@y.org' } }],
    ['headers.X', { headers: { X: 'x'.repeat(999) } }],
  ])('refuses a bad %s', (field, options) => {
    expect(() => compose({}, options)).toThrow(ValidationError);
    expect(() => compose({}, options)).toThrow(field);
  });

  it('names the way out in one line, where it is a letter that people may leave', () => {
    const data = { ...DATA_OF_LETTER, unsubscribeUrl: `https://news.example.org/${'u'.repeat(300)}` };
    const write = (leavable: boolean) => {
      const prepared = prepareLetter({
        from: { address: 'shop@example.org' },
        content: { render: () => LETTER },
        leavable,
      });
      const head = { messageId: MESSAGE_ID, boundary: BOUNDARY, date: DATE, eightBitMime: false };
      return composeLetter(prepared, { data, ...head })
        .toString('latin1')
        .split('\r\n');
    };
    expect(write(true)).toContain(`List-Unsubscribe: <${data.unsubscribeUrl}>`);
    expect(write(true)).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    expect(write(true)).toContain('Precedence: bulk');
    expect(write(false).join('\n')).not.toMatch(/^(list-unsub|precedence)/im);
  });

  it.each([undefined, '', 'ftp://a/b', 'https://a/b>', 'https://a/ b', 'https://a/b\r\nBcc: x@y.zz', 'https://é/'])(
    'refuses %p as the link to unsubscribe',
    (unsubscribeUrl) => {
      const prepared = prepareLetter({
        from: { address: 'shop@example.org' },
        content: { render: () => LETTER },
        leavable: true,
      });
      const data = { ...DATA_OF_LETTER, ...(unsubscribeUrl !== undefined && { unsubscribeUrl }) };
      const head = { messageId: MESSAGE_ID, boundary: BOUNDARY, date: DATE, eightBitMime: false };
      expect(() => composeLetter(prepared, { data, ...head })).toThrow(ValidationError);
    },
  );

  it('refuses a Message-ID, a boundary, a date and an address that would break out', () => {
    const prepared = prepareLetter({ from: { address: 'a@b.org' }, content: { render: () => LETTER } });
    const client = { fullName: '', email: 'a@b.org', comment: '' };
    const data = { client, mailing: { name: '' }, sender: { name: '', email: '' }, date: '' };
    const good = { data, messageId: MESSAGE_ID, boundary: BOUNDARY, date: DATE, eightBitMime: false };
    expect(() => composeLetter(prepared, good)).not.toThrow();
    for (const bad of [
      { messageId: '<a@b>\r\nX: y' },
      { messageId: 'a@b' },
      { boundary: 'a"b' },
      { boundary: '' },
      { date: new Date(NaN) },
      { data: { ...data, client: { ...client, email: 'a@b.org>\r\nX: y' } } },
    ]) {
      expect(() => composeLetter(prepared, { ...good, ...bad })).toThrow(ValidationError);
    }
  });
});
