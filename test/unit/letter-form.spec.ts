import { Node } from 'prosemirror-model';
import { checkDocument } from '../../src/domain/letter-document/check';
import { draftSchema } from '../../src/domain/letter-document/draft-schema';
import { documentOf, plainOf } from '../../src/web/letter/plain-blocks';
import {
  documentField,
  givenDocument,
  isDeed,
  plainBlocks,
  readDocument,
  withDocument,
} from '../../src/web/letter/letter-form';

/** Letters in the form without a script: nothing of them is lost on the way there and back. */

const text = (words: string, ...marks: object[]) => ({ type: 'text', text: words, ...(marks.length > 0 && { marks }) });
const paragraph = (...content: object[]) => ({ type: 'paragraph', attrs: { align: 'start' }, content });
const item = (...content: object[]) => ({ type: 'list_item', content });
const link = (href: string) => ({ type: 'link', attrs: { href } });
const letter = (...content: object[]) => Node.fromJSON(draftSchema, { type: 'doc', content });
const chip = { type: 'variable', attrs: { name: 'client.fullName', fallback: 'dear "friend"'.replaceAll('"', '') } };

test.each<[string, object[]]>([
  ['marks', [paragraph(text('a '), text('b', { type: 'strong' }), text(' '), text('c', { type: 'em' }))]],
  ['a link with a variable', [paragraph(text('go', link('https://example.org/?n={{ client.email }}')))]],
  ['a link that is a variable', [paragraph(text('go', link('{{ unsubscribeUrl }}')))]],
  ['a chip in a text', [paragraph(text('Hi '), chip, text('!'))]],
  ['characters of Markdown', [paragraph(text('2 * 3 * 4 _x_ [y](z) `q` # 1 <b> &amp; \\ ~'))]],
  ['a text that looks like a list', [paragraph(text('- no')), paragraph(text('1. no')), paragraph(text('# no'))]],
  ['a text that looks like a quote', [paragraph(text('> no'))]],
  ['braces that were typed', [paragraph(text('{{ client.fullName }} {% if %} {x} {{{'))]],
  ['Arabic, Hebrew and emoji', [paragraph(text('مرحبا שלום 👩‍👩‍👧 🇦🇲'))]],
  ['a line break', [paragraph(text('a'), { type: 'hard_break' }, text('b'))]],
  [
    'lists in lists',
    [
      {
        type: 'bullet_list',
        content: [
          item(paragraph(text('one')), { type: 'ordered_list', content: [item(paragraph(text('in')))] }),
          item(paragraph(text('two'))),
        ],
      },
    ],
  ],
  ['a quote', [{ type: 'blockquote', content: [paragraph(text('a')), paragraph(text('b'))] }]],
  ['a heading', [{ type: 'heading', attrs: { level: 2, align: 'center' }, content: [text('# 1. a* '.trim()), chip] }]],
  ['a button', [{ type: 'button', attrs: { href: 'https://e.org', align: 'end' }, content: [text('2*3 '), chip] }]],
  [
    'a picture',
    [{ type: 'picture', attrs: { src: 'https://e.org/a.png', alt: 'A * b', width: 50, align: 'end', href: null } }],
  ],
  [
    'columns, and what stands between',
    [
      {
        type: 'columns',
        content: [
          { type: 'column', content: [paragraph(text('left')), { type: 'divider' }] },
          { type: 'column', content: [{ type: 'spacer', attrs: { height: 40 } }] },
        ],
      },
      { type: 'divider' },
      { type: 'social', attrs: { links: [{ network: 'telegram', url: 'https://t.me/x' }] } },
      { type: 'footer', content: [paragraph(text('small'))] },
    ],
  ],
])('%s comes back as it was', (_name, content) => {
  const doc = letter(...content);
  const back = documentOf(plainOf(doc));
  expect(back.toJSON()).toEqual(doc.toJSON());
});

const form = (fields: Record<string, string>) => ({ subject: 'S', ...fields });
const kindsAfter = (fields: Record<string, string>) => plainBlocks(withDocument(form(fields))).map(({ kind }) => kind);
const three = { 'b.0.kind': 'heading', 'b.0.text': 'A', 'b.1.kind': 'divider', 'b.2.kind': 'button', 'b.2.text': 'B' };

test.each<[string, string[]]>([
  ['', ['heading', 'divider', 'button']],
  ['up 2', ['heading', 'button', 'divider']],
  ['up 0', ['heading', 'divider', 'button']],
  ['down 0', ['divider', 'heading', 'button']],
  ['copy 1', ['heading', 'divider', 'divider', 'button']],
  ['remove 1', ['heading', 'button']],
  ['add 0 spacer', ['heading', 'spacer', 'divider', 'button']],
  ['add 0 nonsense', ['heading', 'divider', 'button']],
  ['remove 9', ['heading', 'divider', 'button']],
])('the button %j', (then, kinds) => {
  expect(kindsAfter({ ...three, then })).toEqual(kinds);
});

test('a button within a column', () => {
  const blocks = { 'b.0.kind': 'two', 'b.0.c1.0.kind': 'text', 'b.0.c1.0.text': 'right' };
  const [columns] = plainBlocks(withDocument(form({ ...blocks, then: 'add 0.c1.0 picture' })));
  expect(columns?.columns.map((list) => list.map(({ kind }) => kind))).toEqual([['text'], ['text', 'picture']]);
  expect(columns?.columns[1]?.[0]?.fields.text).toBe('right');
});

test('what is wrong in a field stays in it', () => {
  const [block] = plainBlocks(withDocument(form({ 'b.0.kind': 'spacer', 'b.0.height': 'tall' })));
  expect(block?.fields.height).toBe('tall');
});

test('a form of the editor passes as it is, and a document that cannot be read is none', () => {
  const values = form({ document: documentField(letter(paragraph(text('x'))).toJSON()), preheader: 'p' });
  expect(withDocument(values)).toBe(values);
  expect(readDocument(values)?.preheader).toBe('p');
  expect(readDocument(form({ document: '{' }))).toBeNull();
  expect(isDeed('find')).toBe(false);
});

test('a letter that is too long is not read, but told to be, and stays as it was typed', () => {
  const typed = { subject: '', 'b.0.kind': 'text', 'b.0.text': '**a'.repeat(100_000) };
  expect(withDocument(typed)).toBe(typed);
  expect(plainBlocks(typed)[0]?.fields.text).toBe(typed['b.0.text']);
  expect(checkDocument(givenDocument(typed), [])).toMatchObject({
    ok: false,
    errors: [{ values: { fault: 'bytes' } }],
  });
});
