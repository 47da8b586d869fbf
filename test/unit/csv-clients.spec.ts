import fc from 'fast-check';
import { type ClientItem, ClientsCsv, readHeader } from '../../src/domain/csv-clients';
import { csvRow } from '../../src/domain/csv-records';
import { english } from '../../src/domain/problem-texts';

function read(file: string | Uint8Array, pieceSize = Infinity) {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  const csv = new ClientsCsv();
  const items: ClientItem[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize) items.push(...csv.push(bytes.subarray(at, at + pieceSize)));
  items.push(...csv.end());
  return { csv, items };
}

/** `line:address` of good clients, `line!field` of others. */
const brief = (items: ClientItem[]) =>
  items.map((item) => {
    if (item.kind === 'client') return `${item.line}:${item.client.email}`;
    return item.kind === 'rejected' ? `${item.line}!${item.errors.map((e) => e.field).join('+')}` : 'unusable';
  });

/** What is said of files that are unusable. */
const said = (items: ClientItem[]) => items.map((item) => (item.kind === 'unusable' ? english(item.problem) : null));

const HEAD = 'email,full_name,comment\n';

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
const windows1251 = (text: string) =>
  Buffer.from(
    [...text].map((c) => {
      const code = c.charCodeAt(0);
      if (code < 0x80) return code;
      if (code >= 0x410 && code <= 0x44f) return code - 0x410 + 0xc0;
      return { ё: 0xb8, Ё: 0xa8, '«': 0xab, '»': 0xbb, '№': 0xb9, '—': 0x97 }[c] ?? 0x3f;
    }),
  );

describe('the encoding of a file of clients', () => {
  const text = 'почта;имя;комментарий\r\nanna@example.com;Анна Ёлкина;«первая» № 1 — да\r\n';
  it.each([
    ['UTF-8', Buffer.from(text), 'utf-8'],
    ['UTF-8 with BOM', Buffer.from(`\ufeff${text}`), 'utf-8'],
    ['UTF-16 LE with BOM', Buffer.from(`\ufeff${text}`, 'utf16le'), 'utf-16le'],
    ['UTF-16 BE with BOM', utf16be(`\ufeff${text}`), 'utf-16be'],
    ['UTF-16 LE without BOM', Buffer.from(text, 'utf16le'), 'utf-16le'],
    ['UTF-16 BE without BOM', utf16be(text), 'utf-16be'],
    ['Windows-1251', windows1251(text), 'windows-1251'],
  ])('%s is recognised, in pieces of any size', (_, bytes, encoding) => {
    for (const size of [1, 7, Infinity]) {
      const { csv, items } = read(bytes, size);
      const client = { email: 'anna@example.com', fullName: 'Анна Ёлкина', comment: '«первая» № 1 — да' };
      expect(items).toEqual([{ kind: 'client', line: 2, client }]);
      expect({ encoding: csv.encoding, delimiter: csv.header?.delimiter }).toEqual({ encoding, delimiter: ';' });
    }
  });

  it.each([
    ['utf-8', (text: string) => Buffer.from(text)],
    ['windows-1251', windows1251],
  ])('is %s though the first such character comes after a megabyte', (encoding, encode) => {
    const ascii = Array.from({ length: 30_000 }, (_, i) => `client${i}@example.com,Client ${i},nothing to say\n`).join(
      '',
    );
    const { csv, items } = read(encode(`${HEAD}${ascii}zoya@example.com,Зоя Щукина,\n`), 65_536);
    expect(items).toHaveLength(30_001);
    expect(items.at(-1)).toMatchObject({ kind: 'client', line: 30_002, client: { fullName: 'Зоя Щукина' } });
    expect(csv.encoding).toBe(encoding);
  });

  it('stays UTF-8 with one broken character, which costs one line', () => {
    const good = Array.from({ length: 5 }, (_, i) => `c${i}@example.com,Пётр Иванов,\n`).join('');
    const broken = Buffer.concat([
      Buffer.from(`${HEAD}bad@example.com,Пёт`),
      Buffer.from([0xd1]),
      Buffer.from(`,\n${good}`),
    ]);
    const { csv, items } = read(broken);
    expect(csv.encoding).toBe('utf-8');
    expect(brief(items)).toEqual(['2!fullName', ...[0, 1, 2, 3, 4].map((i) => `${i + 3}:c${i}@example.com`)]);
  });

  it.each([
    ['an Excel workbook', [0x50, 0x4b, 3, 4, 20, 0, 6, 0]],
    ['an old Excel workbook', [0xd0, 0xcf, 0x11, 0xe0, 0xa1]],
    ['a gzip archive', [0x1f, 0x8b, 8, 0]],
  ])('names %s instead of reading it', (what, bytes) => {
    const { items } = read(Uint8Array.from(bytes));
    expect(said(items)).toEqual([expect.stringContaining(what)]);
  });
});

describe('the header', () => {
  it.each([
    ['email,full_name,comment', { delimiter: ',', email: 0, fullName: 1, comment: 2 }],
    ['Email;Full Name', { delimiter: ';', email: 0, fullName: 1, comment: -1 }],
    ['fullName\tE-Mail', { delimiter: '\t', email: 1, fullName: 0, comment: -1 }],
    ['"Почта";"Имя";"Комментарий"', { delimiter: ';', email: 0, fullName: 1, comment: 2 }],
    [' ФИО , Эл. почта ', { delimiter: ',', email: 1, fullName: 0, comment: -1 }],
    ['name,full_name,email', { email: 2, fullName: 1, ignored: ['name'] }],
    ['id,email,phone,full_name,', { width: 5, email: 1, fullName: 3, ignored: ['id', 'phone'] }],
    ['email;full_name;"comment, if any"', { delimiter: ';', ignored: ['comment, if any'] }],
  ])('%s is understood', (line, expected) => expect(readHeader(line)).toMatchObject(expected));

  it.each(['name,comment', 'email', 'anna@example.com,Anna', 'email|full_name', '"email,full_name'])(
    '%s is refused, and the message tells what is wanted',
    (line) => {
      const [item] = said(read(`${line}\nanna@example.com,Anna\n`).items);
      expect(item).toContain('email, full_name');
      expect(item).toContain(line);
    },
  );

  it("takes Excel's sep line, and empty lines before it", () => {
    const { csv, items } = read('\nsep=|\r\n\r\nemail|full_name\r\nanna@example.com|Anna; or Anne\r\n');
    expect(csv.header?.delimiter).toBe('|');
    expect(brief(items)).toEqual(['5:anna@example.com']);
  });

  it.each([
    ['', 'empty'],
    ['\n\n', 'empty'],
    [HEAD, 'no clients'],
    [`${HEAD}\n,,\n ; \n`.replace(' ; \n', ''), 'no clients'],
  ])('a file without clients (%j) is an error', (file, message) => {
    expect(said(read(file).items)).toEqual([expect.stringContaining(message)]);
  });
});

describe('the lines', () => {
  it.each([
    ['a field in quotes', 'a@b.ru,"Ivan, Jr.","said ""hi"""\n', ['2:a@b.ru']],
    ['a comment over several lines', 'a@b.ru,Ivan,"one\ntwo\n\nfour"\nc@d.ru,Olga,\n', ['2:a@b.ru', '6:c@d.ru']],
    ['lone CR and CRLF', 'a@b.ru,Ivan,\rc@d.ru,Olga,\r\ne@f.ru,Petr,', ['2:a@b.ru', '3:c@d.ru', '4:e@f.ru']],
    ['empty lines', 'a@b.ru,Ivan,\n\n , ,\nc@d.ru,Olga,\n', ['2:a@b.ru', '5:c@d.ru']],
    ['a short line', 'a@b.ru,Ivan\nc@d.ru\n', ['2:a@b.ru', '3!line']],
    ['a long line', 'a@b.ru,Ivan,x,y\nc@d.ru,Olga,x,,\n', ['2!line', '3:c@d.ru']],
    ['bad fields', 'ab.ru,,\nc@d.ru,Olga,\n', ['2!email', '3:c@d.ru']],
    ['quotation marks within a field', 'a@b.ru,Ivan "Ace" Orlov,5" nails\n', ['2:a@b.ru']],
    ['an unclosed quotation mark', 'a@b.ru,"Ivan,\nc@d.ru,Olga,\ne@f.ru,"Petr",\n', ['2!line', '3:c@d.ru', '4:e@f.ru']],
    [
      'an unclosed one before plain lines only',
      'a@b.ru,Ivan,"x\nc@d.ru,Olga,\ne@f.ru,Petr,\n',
      ['2!line', '3:c@d.ru', '4:e@f.ru'],
    ],
    [
      'one that the next line closes',
      'a@b.ru,"Ivan,\nc@d.ru,Olga",\ne@f.ru,Petr,\n',
      ['2!line', '3:c@d.ru', '4:e@f.ru'],
    ],
    [
      'one that a later comment closes',
      'a@b.ru,Ivan,"x\nc@d.ru,Olga,y\ne@f.ru,Petr,z"\n',
      ['2!line', '3:c@d.ru', '4:e@f.ru'],
    ],
    ['text behind a closing one', 'a@b.ru,"Ivan" x,\nc@d.ru,Olga,\n', ['2!line', '3:c@d.ru']],
    ['control characters', 'a@b.ru,Iv\0an,\u0007\nc@d.ru,Olga,\n', ['2!fullName+comment', '3:c@d.ru']],
    ['an endless line', `a@b.ru,${'x'.repeat(300_000)},\nc@d.ru,Olga,\n`, ['2!line', '3:c@d.ru']],
    ['an endless quotation', `a@b.ru,Ivan,"${'long\n'.repeat(30_000)}`, undefined],
  ])('%s', (_, lines, expected) => {
    const whole = brief(read(HEAD + lines).items);
    if (expected) expect(whole).toEqual(expected);
    expect(whole[0]).toBe(expected?.[0] ?? '2!line');
    expect(brief(read(HEAD + lines, 5).items.slice(0, 10))).toEqual(whole.slice(0, 10));
  });

  it('one error per field, even if two things are wrong with it', () => {
    const [item] = read(`${HEAD}a@b.ru,Ivan,"${'x'.repeat(10_001)}\u0007"\n`).items;
    expect(item).toMatchObject({ kind: 'rejected', errors: [{ field: 'comment' }] });
  });
});

describe('any file', () => {
  const word = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'aЖ"\',;=+-@ \t|é漢') });
  const comment = fc.string({ maxLength: 20, unit: fc.constantFrom(...'aЖ"\',;=+-@ \n\té漢') });
  const person = fc.record({
    fullName: word.map((w) => `x${w.replaceAll('\t', ' ')}`.trim()),
    comment: comment.map((c) => c.trim()),
  });

  it('that we write is read back as it was, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(person, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (people, size) => {
        const clients = people.map((p, i) => ({ email: `${['', '+', '=', "'+"][i % 4]}c${i}@example.com`, ...p }));
        const file =
          csvRow(['email', 'full_name', 'comment']) +
          clients.map((c) => csvRow([c.email, c.fullName, c.comment])).join('');
        const { items } = read(`\ufeff${file}`, size);
        expect(items.map((item) => (item.kind === 'client' ? item.client : item))).toEqual(clients);
      }),
    );
  });

  it('however broken a line is, the lines behind it are read', () => {
    const junk = fc.string({ maxLength: 30, unit: fc.constantFrom(...'a",; \t\'@.') });
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (lines, size) => {
        const tail = ['anna@example.com,"Anna",', 'olga@example.com,Olga,"tea"', 'petr@example.com,Petr,'];
        const { items } = read(`${HEAD}${[...lines, ...tail].join('\n')}\n`, size);
        const found = brief(items);
        const first = 2 + lines.length;
        expect(found).toEqual(
          expect.arrayContaining([`${first + 1}:olga@example.com`, `${first + 2}:petr@example.com`]),
        );
        const at = items.flatMap((item) => (item.kind === 'unusable' ? [] : [item.line]));
        expect(at).toEqual([...at].sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it('of random bytes in random pieces ends without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (bytes, size) => {
        expect(brief(read(bytes, size).items)).toEqual(brief(read(bytes).items));
      }),
    );
  });
});
