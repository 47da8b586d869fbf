import fc from 'fast-check';
import type { FieldDefinition } from '../../src/domain/client-fields';
import { keyProblem } from '../../src/domain/client-fields';
import { checkMapping, mapSurely, suggestMapping } from '../../src/domain/csv-mapping';
import { CsvSample } from '../../src/domain/csv-sample';
import { readStatus } from '../../src/domain/csv-status';
import { tagsInCells } from '../../src/domain/csv-tags';
import { HEADER_FORMS } from './fixtures/headers';

const field = (key: string, label = key, type: FieldDefinition['type'] = 'text'): FieldDefinition => ({
  key,
  label,
  type,
  options: [],
});

/** The mapping without what is ignored. */
const taken = (targets: readonly string[]) =>
  Object.fromEntries(targets.flatMap((target, i) => (target === 'ignore' ? [] : [[String(i), target]])));

describe('the columns of known files', () => {
  it('are at least those of twenty services and offices', () => expect(HEADER_FORMS.length).toBeGreaterThan(20));

  it.each(HEADER_FORMS)('$of', ({ header, delimiter, rows = [], expected }) => {
    const sample = new CsvSample({}, 100);
    sample.push(Buffer.from([header, ...rows, ''].join('\r\n')));
    const found = sample.end(true);
    if (!found.ok) throw new Error(found.problem.code);
    expect(found.delimiter).toBe(delimiter);
    const [names = [], ...values] = found.records;
    const columns = names.map((name, i) => ({ header: name, samples: values.map((row) => row[i] ?? '') }));
    const suggested = suggestMapping(columns, [field('city')]).map(({ target }) => target);
    if (!('3' in expected && expected[3] === 'fields.city'))
      expect(taken(suggestMapping(columns, []).map(({ target }) => target))).toEqual(expected);
    else expect(taken(suggested)).toEqual(expected);
  });
});

describe('a column', () => {
  const of = (headers: string[], definitions: FieldDefinition[] = []) => taken(mapSurely(headers, definitions));

  it.each<[string[], Record<string, string>]>([
    [['email', 'Город', 'AGE'], { 0: 'email', 1: 'fields.city', 2: 'fields.age' }],
    [['e-mail', 'status', 'state', 'category', 'tags'], { 0: 'email', 1: 'status', 4: 'tags' }],
    [['email', 'email'], { 0: 'email' }],
    [['name', 'email', 'line', 'reason'], { 0: 'fullName', 1: 'email' }],
    [['', 'email'], { 1: 'email' }],
  ])('%j is known by its name alone', (headers, expected) =>
    expect(of(headers, [field('city', 'Город'), field('age', 'Возраст', 'number')])).toEqual(expected),
  );

  it('called after one of the owner’s fields is that one, unless it is the address', () => {
    expect(of(['email', 'Status', 'Notes'], [field('a', 'status'), field('b', 'notes'), field('c', 'E-Mail')])).toEqual(
      {
        0: 'email',
        1: 'fields.a',
        2: 'fields.b',
      },
    );
  });

  it('of addresses is the address, whatever it is called, and one without is not', () => {
    const columns = [
      { header: 'E-mail', samples: ['yes', 'no'] },
      { header: 'Kontakt', samples: ['a@b.ru', '', 'c@d.ru', 'x'] },
    ];
    expect(suggestMapping(columns, []).map((s) => s.target)).toEqual(['ignore', 'email']);
  });

  it.each([
    ['2024-01-31', 'date'],
    ['31.12.2024', 'date'],
    ['12,5', 'number'],
    ['1', 'boolean'],
    ['да', 'boolean'],
    ['+7 900 123', 'text'],
    ['0123', 'text'],
    ['89001234567', 'text'],
    ['', 'text'],
  ])('with %j could be a field of the type %s', (sample, type) =>
    expect(suggestMapping([{ header: 'X', samples: [sample] }], [])[0]?.newField.type).toBe(type),
  );

  it('gets a key that is a key, and that no other column or field has', () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('Город', 'City', 'name', 'ÄÖ', '1', 'constructor'))),
        (headers) => {
          const keys = suggestMapping(
            headers.map((header) => ({ header, samples: [] })),
            [field('city'), field('gorod')],
          ).map((s) => s.newField.key);
          for (const key of keys) expect([key, keyProblem(key)]).toEqual([key, null]);
          expect(new Set(['city', 'gorod', ...keys.map((key) => key.toLowerCase())]).size).toBe(keys.length + 2);
        },
      ),
    ));
});

it('a suggestion is a mapping that is accepted, if there is an address', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('email', 'name', 'vorname', 'фио', 'status', 'tags', 'x', 'city', 'city', 'notes')),
      (headers) => {
        const suggested = suggestMapping(
          headers.map((header) => ({ header, samples: [] })),
          [field('city')],
        );
        const { errors } = checkMapping(Object.fromEntries(suggested.map((s, i) => [i, s.target])), headers.length, [
          field('city'),
        ]);
        expect(errors.map((e) => e.code)).toEqual(headers.includes('email') ? [] : ['no_email_column']);
      },
    ),
  ));

describe('a state', () => {
  it.each<[string, string, string | null]>([
    ['status', 'Unsubscribed', 'unsubscribed'],
    ['Status', 'opted out', 'unsubscribed'],
    ['статус', 'Отписан', 'unsubscribed'],
    ['status', 'blocklisted', 'manual'],
    ['status', 'cleaned', 'hard_bounce'],
    ['status', 'Hard bounce: mailbox full', 'hard_bounce'],
    ['status', 'complained', 'complaint'],
    ['status', 'pending', 'manual'],
    ['status', 'subscribed', 'gets_mail'],
    ['status', 'ACTIVE', 'gets_mail'],
    ['status', 'lead', 'unknown'],
    ['status', '1', 'unknown'],
    ['status', '', null],
    ['Unsubscribed', '1', 'unsubscribed'],
    ['Unsubscribed', 'no', 'gets_mail'],
    ['UNSUB_TIME', '2024-05-01 10:00:00', 'unsubscribed'],
    ['CLEAN_TIME', '2024-05-01 10:00:00', 'hard_bounce'],
    ['unsubscribed_at', '0000-00-00 00:00:00', 'gets_mail'],
    ['unsubscribed_at', '0000-00-00T00:00:00.000Z', 'gets_mail'],
    ['bounced_at', '00.00.0000', 'gets_mail'],
    ['hard bounces', '0.00', 'gets_mail'],
    ['hard bounces', '10', 'hard_bounce'],
    ['OPT_IN', '0000-00-00', 'unsubscribed'],
    ['doNotContact', 'true', 'manual'],
    ['OPT_IN', 'false', 'unsubscribed'],
    ['Subscribed', '2024-05-01', 'gets_mail'],
    ['Email hard bounce reason', 'UNKNOWN_USER', 'hard_bounce'],
    ['Email hard bounce reason', 'SPAM', 'hard_bounce'],
    ['Email hard bounce reason', 'none', 'gets_mail'],
    ['Email hard bounce reason', '-', 'gets_mail'],
    ['Email hard bounce reason', ' ', null],
    ['Unsubscribe reason', 'Too many', 'unsubscribed'],
    ['Marketing status', 'Transactional', 'unsubscribed'],
    ['Marketing contact status', 'Non-marketing contact', 'manual'],
  ])('%s: %s means %s', (header, value, expected) => {
    const said = readStatus(header, value);
    expect(said !== null && typeof said === 'object' ? said.reason : said).toBe(expected);
  });
});

describe('tags', () => {
  it.each<[string[], string[]]>([
    [['a, b;c'], ['a', 'b', 'c']],
    [['"VIP","Old ones"'], ['VIP', 'Old ones']],
    [['* myContacts ::: Friends ::: * starred'], ['Friends']],
    [
      ['a', '', 'a;d'],
      ['a', 'd'],
    ],
    [[' , ;'], []],
  ])('of %j are %j', (cells, tags) => expect(tagsInCells(cells)).toEqual({ ok: true, tags }));

  it('have bounds', () => {
    expect(tagsInCells([Array.from({ length: 51 }, (_, i) => i).join()])).toMatchObject({ ok: false });
    expect(tagsInCells(['x'.repeat(101)])).toMatchObject({ ok: false });
    expect(tagsInCells(['a\u0001b'])).toMatchObject({ ok: false });
  });
});
