import fc from 'fast-check';
import { attachmentName } from '../../src/domain/attachment';
import { ClientsCsv } from '../../src/domain/csv-clients';
import { CsvParser, RECORD_MAX } from '../../src/domain/csv-records';
import { exceededBound } from '../../src/domain/json-bounds';
import { problem } from '../../src/domain/problems';
import type { AuthenticatedRequest } from '../../src/http/viewer';
import { pageBefore } from '../../src/web/way-back';

/** That reading costs in proportion to what is read: work is counted, in characters, never timed. */

describe('CSV', () => {
  /** Characters looked at per character of the file. */
  function factor(text: string, pieces = 1): number {
    const parser = new CsvParser(',', 1);
    const size = Math.ceil(text.length / pieces);
    for (let at = 0; at < text.length; at += size) for (const item of parser.push(text.slice(at, at + size))) void item;
    for (const item of parser.end()) void item;
    return parser.work / text.length;
  }

  const LINES: [string, string][] = [
    ['quotes that close and open again', 'a","\n'],
    ['quotes that never close', 'a,"b\n'],
    ['quotes that close in every other line', '"a\nb"x\n'],
    ['doubled quotes', 'a,"""\n'],
    ['only quotes', '"'],
    ['quotes and breaks', '"\n'],
    ['no delimiter', 'aaaaaaaa\n'],
    ['spaces before quotes', '      "\n'],
    ['addresses', 'a@b.org,Ann,"c\n'],
    ['delimiters', ',,,,,,,\n'],
    ['empty lines', '\n'],
  ];

  test.each(LINES)('%s: at most four looks at each character, however long the file', (_, line) => {
    for (const length of [1_000, 100_000, 400_000])
      for (const pieces of [1, 7])
        expect(factor(line.repeat(length / line.length), pieces)).toBeLessThan(pieces === 1 ? 4 : 8);
  });

  test('whatever it is made of', () => {
    const part = fc.constantFrom('"', '""', ',', '\n', ' ', 'a', '"\n', ',"', '",', 'a@b.org');
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), (parts) => {
        const block = parts.join('');
        const [short, long] = [20_000, 40_000].map((n) => factor(block.repeat(Math.ceil(n / block.length))));
        expect(short).toBeLessThan(4);
        expect(long).toBeLessThan(4);
      }),
      { numRuns: 200 },
    );
  });

  test('empty lines, of a quoted field or none, are looked at once', () => {
    for (const text of ['\n'.repeat(400_000), `a,"${'\n'.repeat(90_000)}"\n`.repeat(4)])
      expect(factor(text)).toBeLessThan(2.1);
  });

  test('the same with chosen columns, fields, tags and states', () => {
    const field = (key: string) => ({ key, label: key, type: 'text' as const, options: [] });
    const mapping = {
      0: 'email',
      1: 'firstName',
      2: 'lastName',
      3: 'tags',
      4: 'status',
      5: 'fields.a',
      6: 'fields.b',
    } as const;
    for (const line of [
      'a@b.org,A,B,",,,;;;",x,y\n',
      'a","\n',
      'a,"b\n',
      `a@b.org,A,B,${';'.repeat(500)},x,${'(:'.repeat(50)},z\n`,
    ]) {
      const csv = new ClientsCsv({ mapping, definitions: [field('a'), field('b')] });
      const bytes = Buffer.from(`a,b,c,d,e,f,g\n${line.repeat(400_000 / line.length)}`);
      for (let at = 0; at < bytes.length; at += 9_999)
        for (const item of csv.push(bytes.subarray(at, at + 9_999))) void item;
      for (const item of csv.end()) void item;
      expect(csv.work / bytes.length).toBeLessThan(8);
    }
  });

  test('a file without any line of its header’s columns is given up', () => {
    const read = (rest: string) => {
      const csv = new ClientsCsv();
      return [...csv.push(Buffer.from(`email,full_name\n${rest}`)), ...csv.end()];
    };
    for (const line of ['x', 'a","', 'a,"b', 'a,b,c']) {
      const items = read(`${line}\n`.repeat(30_000));
      expect(items).toHaveLength(1_000);
      expect(items.at(-1)).toMatchObject({ kind: 'unusable', problem: { code: 'file_of_others' } });
    }
    // One that is no client, but a record, shows that the file is meant.
    for (const line of [',Ann', 'a@b.org,Ann'])
      expect(read(`${'x\n'.repeat(999)}${line}\n${'x\n'.repeat(2_000)}`)).toHaveLength(3_000);
  });

  test('is the same in pieces of any size', () => {
    const part = fc.constantFrom('"', '""', ',', '\n', ' ', 'a', '"\n', ',"', '",', 'b,c\n');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (parts, size) => {
        const text = parts.join('');
        const read = (step: number) => {
          const parser = new CsvParser(',', 1);
          const items = [];
          for (let at = 0; at < text.length; at += step) items.push(...parser.push(text.slice(at, at + step)));
          return [...items, ...parser.end()];
        };
        expect(read(size)).toEqual(read(Math.max(1, text.length)));
      }),
    );
  });

  test('a record that is too long costs its first line, and the lines in it are read for themselves', () => {
    const inside = 'b@x.org,Bob\n'.repeat(10_000);
    const items = [...new CsvParser(',', 1).push(`a@x.org,"Ann\n${inside}`)];
    expect(items[0]).toEqual({ ok: false, line: 1, problem: problem('quote_open'), text: 'a@x.org,"Ann' });
    expect(items.filter((item) => item.ok).length).toBeGreaterThan(RECORD_MAX / 12 - 2);
    expect(items.slice(1).every((item) => item.ok)).toBe(true);
  });

  test('a file that comes byte by byte is decoded and read in larger pieces', () => {
    const text = `email,full_name\n${'я@example.org,"Я\n'.repeat(3_000)}`;
    const bytes = Buffer.from(text);
    const csv = new ClientsCsv();
    for (const byte of bytes) for (const item of csv.push(Uint8Array.of(byte))) void item;
    for (const item of csv.end()) void item;
    expect(csv.work / bytes.length).toBeLessThan(8);
  });
});

describe('JSON', () => {
  const json = (text: string) => exceededBound(Buffer.from(text));

  test.each([
    ['{"a":1}', null],
    ['{"a":"[[[[{{{{,,,,::::"}', null],
    [`{"a":"${'\\\\'.repeat(1_000)}"}`, null],
    [`{"a":"${'\\"[[[['.repeat(1_000)}"}`, null],
    [`{"clientIds":[${'1,'.repeat(99_999)}1]}`, null],
    ['['.repeat(16) + ']'.repeat(16), null],
    ['['.repeat(17), 'depth'],
    [`[${'{},'.repeat(1_000)}]`, 'objects'],
    [`{${'"a":1,'.repeat(501)}}`, 'names'],
    [`[${','.repeat(150_001)}]`, 'values'],
    [`"\\\\"${'['.repeat(17)}`, 'depth'],
    [`[${'1'.repeat(100)},-${'1'.repeat(99)}]`, null],
    [`[${`${'9'.repeat(90)},`.repeat(1_000)}1]`, null],
    [`{"a":"${'1'.repeat(1_000)}","b":1}`, null],
    [`[1${'1'.repeat(100)}]`, 'digits'],
    [`{"a":1.${'1'.repeat(99)}}`, 'digits'],
    [`1e${'1'.repeat(101)}`, 'digits'],
    ['"', null],
    ['', null],
  ])('%.30s: %s', (text, problem) => {
    expect(json(text)).toBe(problem);
  });

  test('refuses what is nested deeper than 16 levels, and nothing else that is small', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 25 }), (text) => {
        const depth = (value: unknown): number =>
          typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
        expect(json(text) === null).toBe(depth(JSON.parse(text)) <= 16);
      }),
    );
  });
});

describe('the page on which a form was sent', () => {
  /** How often a route is looked at for it. */
  function looks(path: string): [string | null, number] {
    let matched = 0;
    const match = (asked: string) => {
      matched++;
      return asked === '/mailings/7';
    };
    const router = { stack: [{ route: { path: '/mailings/:id', methods: { get: true } }, match }] };
    const get = (name: string) => ({ referer: `https://gonets.example${path}`, host: 'gonets.example' })[name];
    const request = { app: { router }, get } as unknown as AuthenticatedRequest;
    return [pageBefore(request, 'https://gonets.example'), matched];
  }

  test.each([['/a'.repeat(8_000)], ['/'.repeat(16_000)], [`/mailings${'/7'.repeat(8_000)}`]])(
    '%.20s…: few addresses above it are tried, however long it is',
    (path) => expect(looks(path)[1]).toBeLessThan(12),
  );

  test('is still found above one that can not be opened', () => {
    expect(looks('/mailings/7/send')[0]).toBe('/mailings/7');
    expect(looks(`/mailings/7${'/send'.repeat(1_000)}`)[0]).toBe('/mailings/7');
  });
});

test('of a very long name of a file only the end is looked at', () => {
  // As a whole this one would take minutes.
  expect(attachmentName(`${'.'.repeat(500_000)}plan${' '.repeat(100)}.pdf`)).toBe(`plan${' '.repeat(100)}.pdf`);
});
