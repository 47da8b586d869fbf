import fc from 'fast-check';
import { emailKey, emailDomain, parseEmailAddress, singleLineProblem } from '../../src/domain/email-address';
import { english } from '../../src/domain/problem-texts';
import { problem } from '../../src/domain/problems';

describe('parseEmailAddress', () => {
  it.each([
    ['bob@example.org', 'bob@example.org'],
    ['  bob@example.org\t', 'bob@example.org'],
    ['\u00A0bob@example.org\u2003', 'bob@example.org'],
    ['Bob.Smith+Tag@Example.ORG', 'Bob.Smith+Tag@example.org'],
    ["o'brien!#$%&*/=?^_`{|}~-@a-b.co", "o'brien!#$%&*/=?^_`{|}~-@a-b.co"],
    ['a@b.c', 'a@b.c'],
    ['bob@пример.рф', 'bob@xn--e1afmkfd.xn--p1ai'],
    ['bob@XN--E1AFMKFD.xn--p1ai', 'bob@xn--e1afmkfd.xn--p1ai'],
    ['bob@münchen。de', 'bob@xn--mnchen-3ya.de'],
    ['bob@ＥＸＡＭＰＬＥ.org', 'bob@example.org'],
    ['bob@1.example', 'bob@1.example'],
    [`${'l'.repeat(64)}@example.org`, `${'l'.repeat(64)}@example.org`],
    [`bob@${'d'.repeat(63)}.org`, `bob@${'d'.repeat(63)}.org`],
  ])('accepts %j', (input, email) => {
    expect(parseEmailAddress(input)).toEqual({ ok: true, email });
  });

  it.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['bob', 'no @'],
    ['@example.org', 'before the @'],
    ['bob@', 'after the @'],
    ['bob@@example.org', 'more than one @'],
    ['a@b@example.org', 'more than one @'],
    ['bob@example.org\r\nBcc: eve@example.org', 'control'],
    ['bob@example.org\n', 'control'],
    ['\rbob@example.org', 'control'],
    ['bo\0b@example.org', 'control'],
    ['bo\x7Fb@example.org', 'control'],
    ['bo\x85b@example.org', 'control'],
    ['bo\u2028b@example.org', 'control'],
    ['bob@exam\u00ADple.org', 'invisible'],
    ['bob\u200B@example.org', 'invisible'],
    ['\uFEFFbob@example.org', 'invisible'],
    ['bob\uD800@example.org', 'broken'],
    ['"bob smith"@example.org', 'quoted'],
    ['bob(comment)@example.org', 'comment'],
    ['bob@(comment)example.org', 'comment'],
    ['bob smith@example.org', 'not allowed'],
    ['bob,eve@example.org', 'not allowed'],
    ['<bob@example.org>', 'not allowed'],
    ['Bob <bob@example.org>', 'not allowed'],
    ['.bob@example.org', 'dot'],
    ['bob.@example.org', 'dot'],
    ['b..ob@example.org', 'dot'],
    ['почта@example.org', 'SMTPUTF8'],
    ['bob@localhost', 'no dot'],
    ['bob@example.org.', 'Every part'],
    ['bob@.example.org', 'Every part'],
    ['bob@example..org', 'Every part'],
    ['bob@-example.org', 'Every part'],
    ['bob@example-.org', 'Every part'],
    ['bob@exa_mple.org', 'Every part'],
    [`bob@${'d'.repeat(64)}.org`, 'Every part'],
    ['bob@[127.0.0.1]', 'literal'],
    ['bob@127.0.0.1', 'number'],
    ['bob@example.1', 'number'],
    ['bob@１２７.1', 'number'],
    ['bob@exam%70le.org', 'not allowed'],
    ['bob@example.org/x', 'not allowed'],
    ['bob@example.org:25', 'not allowed'],
    ['bob@xn--é.org', 'internationalised'],
    ['bob@a\u0301\u200Db.org', 'internationalised'],
    [`${'l'.repeat(65)}@example.org`, '64'],
    [`bob@${'d23456789.'.repeat(26)}org`, '254'],
    [`bob@${'пример.'.repeat(30)}рф`, '254'],
  ])('refuses %j', (input, why) => {
    const parsed = parseEmailAddress(input);
    expect(parsed.ok || english(parsed.problem)).toContain(why);
  });

  it('gives the same address when it reads its own answer', () => {
    const word = fc.stringMatching(/^[\w!#$%&'*+/=?^`{|}~.-]{1,20}$/);
    const domain = fc.oneof(
      fc.domain(),
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((s) => `${s}.example`),
    );
    fc.assert(
      fc.property(word, domain, (local, host) => {
        const parsed = parseEmailAddress(`${local}@${host}`);
        if (!parsed.ok) return;
        expect(parseEmailAddress(parsed.email)).toEqual(parsed);
        expect(emailDomain(parsed.email)).toBe(parsed.email.split('@')[1]);
      }),
      { numRuns: 1000 },
    );
  });

  it('accepts only what needs no quoting in an envelope or a header', () => {
    const nasty = fc.constantFrom(
      ...'ab.@ \t\r\n\0<>(),:;"[]\\%é漢\u200B\uFEFF\u2028-',
      '@example.org',
      'xn--',
      'пример.рф',
    );
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 12 }), (parts) => {
        const parsed = parseEmailAddress(parts.join(''));
        if (!parsed.ok) return;
        expect(parsed.email).toMatch(/^[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/);
        expect(parsed.email.length).toBeLessThanOrEqual(254);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('singleLineProblem', () => {
  it.each(['', 'Привет, мир', '👩‍👩‍👧 "family", Ltd.', '😀'.repeat(10)])('accepts %j', (text) => {
    expect(singleLineProblem(text, 30)).toBeNull();
  });

  it.each(['\r', '\n', '\0', '\t', '\x1B', '\x7F', '\x85', '\u2028', '\u2029', '\uDC00'])('refuses %j', (character) => {
    expect(singleLineProblem(`a${character}b`, 30)).not.toBeNull();
  });

  it('counts code points', () => {
    expect(singleLineProblem('😀'.repeat(30), 30)).toBeNull();
    expect(singleLineProblem('😀'.repeat(31), 30)).toEqual(problem('too_long', { max: 30 }));
  });
});

describe('emailKey', () => {
  test.each([
    ['INFO@Example.ORG', 'info@example.org'],
    [' info@example.org\t', 'info@example.org'],
    ['Info@ПРИМЕР.рф', 'info@xn--e1afmkfd.xn--p1ai'],
    ['info@ｅｘａｍｐｌｅ。org', 'info@example.org'],
    ['İnfo@example.org', null],
    ['ınfo@example.org', null],
    ['info', null],
    ['', null],
  ])('of %j is %j', (text, key) => expect(emailKey(text)).toBe(key));

  test('is its own key, and folds the letters A to Z and no others', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].join('');
    expect(emailKey(`${letters}@x.org`)).toBe('abcdefghijklmnopqrstuvwxyz@x.org');
    expect(emailKey(emailKey('A.b+C@X.org') ?? '')).toBe('a.b+c@x.org');
  });
});
