import * as fc from 'fast-check';
import { checkDocument } from '../../../src/domain/letter-document/check';
import {
  block,
  button,
  columns,
  documentOf,
  EVERYTHING,
  anyDocument,
  linkTo,
  list,
  paragraph,
  picture,
  variable,
  words,
  type Json,
} from '../../support/documents';

const problemOf = (input: unknown, fields: string[] = []) => {
  const checked = checkDocument(input, fields);
  if (checked.ok) return 'ok';
  const [{ field, code, values }] = checked.errors as [{ field: string; code: string; values: object }];
  const { known: _, ...told } = values as Json;
  return { field, code, values: told };
};
const at3 = { field: 'document.doc.content.2', code: 'document_block' };
const third = (third: Json) => documentOf(paragraph('1'), paragraph('2'), third);
const nested = (depth: number): Json =>
  depth === 0 ? paragraph('x') : list('bullet_list', [paragraph('x'), nested(depth - 1)]);

const repeated = (n: number, ...each: Json[]): Json[] => Array<Json[]>(n).fill(each).flat();

describe('a document from outside', () => {
  it('may have every kind of block, and comes back as the schema has it', () => {
    const checked = checkDocument(EVERYTHING, []);
    expect(checked.ok).toBe(true);
    if (checked.ok) expect(checkDocument(checked.document, [])).toEqual(checked);
  });

  it.each([
    ['no object', 'text', { field: 'document', code: 'document', values: { fault: 'shape' } }],
    ['null', null, { field: 'document', code: 'document', values: { fault: 'shape' } }],
    ['no blocks', documentOf(), { field: 'document', code: 'document', values: { fault: 'shape' } }],
    [
      'an unknown key',
      { ...documentOf(paragraph('x')), html: '' },
      { field: 'document', code: 'document', values: { fault: 'shape' } },
    ],
    [
      'another version',
      { ...documentOf(paragraph('x')), version: 2 },
      { field: 'document.version', code: 'document', values: { fault: 'version' } },
    ],
    [
      'a long preheader',
      { ...documentOf(paragraph('x')), preheader: 'x'.repeat(501) },
      { field: 'document.preheader', code: 'too_long', values: { max: 500 } },
    ],
    [
      'too many blocks',
      documentOf(...Array<Json>(501).fill(paragraph('x'))),
      { field: 'document', code: 'document', values: { fault: 'blocks', max: 500 } },
    ],
    [
      'too much text',
      documentOf(paragraph('x'.repeat(270_000))),
      { field: 'document', code: 'document', values: { fault: 'bytes', max: 256 } },
    ],
    ['an unknown block', third(block('video')), { ...at3, values: { block: 3, fault: 'type', text: 'video' } }],
    [
      'a name that every object has',
      third(block('constructor')),
      { ...at3, values: { block: 3, fault: 'type', text: 'constructor' } },
    ],
    [
      'columns in columns',
      third(columns([columns([paragraph('x')], [paragraph('y')])], [paragraph('z')])),
      { ...at3, values: { block: 3, fault: 'content' } },
    ],
    [
      'four columns',
      third(columns(...Array<Json[]>(4).fill([paragraph('x')]))),
      { ...at3, values: { block: 3, fault: 'content' } },
    ],
    [
      'a level that does not exist',
      third(block('heading', ['x'], { level: 7 })),
      { ...at3, values: { block: 3, fault: 'content' } },
    ],
    [
      'a mark on a button',
      third(block('button', [words('x', { type: 'strong' })], { href: 'https://a.example' })),
      { ...at3, values: { block: 3, fault: 'content' } },
    ],
    [
      'an item outside of a list',
      third(block('list_item', [paragraph('x')])),
      { ...at3, values: { block: 3, fault: 'content' } },
    ],
    ['lists in lists in lists in lists', third(nested(4)), { ...at3, values: { block: 3, fault: 'lists' } }],
    [
      'a script as a link',
      third(paragraph(words('x', linkTo('javascript:alert(1)')))),
      { ...at3, values: { block: 3, fault: 'link', text: 'javascript:alert(1)' } },
    ],
    [
      'a script behind a control',
      third(button('x', 'java\nscript:alert(1)')),
      { ...at3, values: { block: 3, fault: 'link', text: 'java\nscript:alert(1)' } },
    ],
    [
      'a variable as a host',
      third(button('x', 'https://{{ client.comment }}/')),
      { ...at3, values: { block: 3, fault: 'link', text: 'https://{{ client.comment }}/' } },
    ],
    ['a button without a link', third(button('x', '')), { ...at3, values: { block: 3, fault: 'no_link' } }],
    [
      'a button without a text',
      third(button(' ', 'https://a.example')),
      { ...at3, values: { block: 3, fault: 'no_text' } },
    ],
    [
      'a picture within the letter',
      third(picture({ src: 'data:image/png;base64,AA' })),
      { ...at3, values: { block: 3, fault: 'picture', text: 'data:image/png;base64,AA' } },
    ],
    [
      'a picture without TLS',
      third(picture({ src: 'http://a.example/x.png' })),
      { ...at3, values: { block: 3, fault: 'picture', text: 'http://a.example/x.png' } },
    ],
    [
      'a network without a link',
      third(block('social', undefined, { links: [{ network: 'vk', url: '' }] })),
      { ...at3, values: { block: 3, fault: 'no_link' } },
    ],
    [
      'a misspelt variable',
      third(paragraph(variable('client.fulName'))),
      {
        field: at3.field,
        code: 'document_variable',
        values: { block: 3, name: 'client.fulName', similar: 'client.fullName' },
      },
    ],
    [
      'an unknown variable in a link',
      third(button('x', 'https://a.example/?c={{ client.town }}')),
      { field: at3.field, code: 'document_variable', values: { block: 3, name: 'client.town', similar: null } },
    ],
  ])('is refused with %s', (_, input, expected) => {
    expect(problemOf(input)).toEqual(expected);
  });

  it('comes back without attributes that nobody knows', () => {
    const checked = checkDocument(documentOf(block('paragraph', ['x'], { onclick: 'y' })), []);
    expect(checked.ok && JSON.stringify(checked.document)).not.toContain('onclick');
  });

  it('may name its owner’s fields', () => {
    expect(problemOf(third(paragraph(variable('client.town'))), ['town'])).toBe('ok');
  });

  it('is told apart quickly, however deep and wide it is', () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 200_000; i++) deep = { type: 'paragraph', content: [deep] };
    const wide = { type: 'doc', content: Array(2_000_000).fill(0) };
    const began = process.cpuUsage();
    expect(problemOf({ version: 1, preheader: '', doc: deep })).toMatchObject({ code: 'document' });
    expect(problemOf({ version: 1, preheader: '', doc: wide })).toMatchObject({ code: 'document' });
    expect(process.cpuUsage(began).user).toBeLessThan(3_000_000);
  });

  it.each<[string, (n: number) => Json[]]>([
    ['texts', (n) => [paragraph(...repeated(n, words('a', { type: 'strong' }), words('b')))]],
    ['marks of one text', (n) => [paragraph(words('a', ...repeated(n, { type: 'strong' }, { type: 'em' })))]],
    ['breaks', (n) => [paragraph(...repeated(n, { type: 'hard_break' }))]],
    ['lists', (n) => repeated(n / 10, nested(3))],
    ['columns', (n) => repeated(n / 10, columns([paragraph('x')], [paragraph('y')]))],
    ['links', (n) => repeated(n / 10, button('x', `https://a.example/?${'{{ client.email }}'.repeat(20)}`))],
  ])(
    'costs in proportion to its size: each of its %s is looked at as often in a small one as in a large one',
    (_, of) => {
      const looks = (n: number): number => {
        let count = 0;
        const watched = <T>(value: T): T =>
          typeof value !== 'object' || value === null
            ? value
            : new Proxy(value, { get: (on, key) => (count++, watched(Reflect.get(on, key) as T)) });
        checkDocument(watched(documentOf(...of(n))), []);
        return count / n;
      };
      expect(looks(1_000)).toBeLessThan(looks(100) * 1.1);
      expect(looks(1_000)).toBeLessThan(100);
    },
  );

  it('is looked through as far as problems are told', () => {
    const many = Array.from({ length: 3_000 }, (_, i) => variable(`client.x${i}`));
    const checked = checkDocument(documentOf(paragraph(...many)), ['town']);
    expect(checked.ok ? 0 : checked.errors.length).toBe(21);
  });

  it('never throws, changes no prototype, and gives only what it would take again', () => {
    const keys = fc.constantFrom(
      'type',
      'attrs',
      'content',
      'marks',
      'text',
      '__proto__',
      'constructor',
      'href',
      'src',
      'links',
    );
    const values = fc.oneof(
      fc.constantFrom('doc', 'paragraph', 'picture', 'columns', 'social', 'toString', '__proto__', 'text'),
      fc.jsonValue(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        values,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(keys, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.boolean(), (value, isDoc) => {
        const doc = JSON.parse(JSON.stringify(isDoc ? { type: 'doc', content: [value] } : (value ?? null))) as unknown;
        const checked = checkDocument({ version: 1, preheader: '', doc }, []);
        expect(checked.ok || checked.errors.length > 0).toBe(true);
        if (checked.ok) expect(checkDocument(checked.document, [])).toEqual(checked);
      }),
    );
    expect(({} as Json).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
    const hostile = JSON.parse(
      '{"version":1,"preheader":"","doc":{"type":"doc","__proto__":{"polluted":1},"content":[{"type":"paragraph","attrs":{"__proto__":{"polluted":1}}}]}}',
    ) as unknown;
    problemOf(hostile);
    expect(({} as Json).polluted).toBeUndefined();
  });

  it('takes what an editor makes', () => {
    fc.assert(fc.property(anyDocument, (document) => expect(problemOf(document)).toBe('ok')));
  });
});
