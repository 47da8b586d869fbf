import MarkdownIt from 'markdown-it';
import type { Token } from 'markdown-it';
import { MarkdownParser, MarkdownSerializer } from 'prosemirror-markdown';
import type { Node } from 'prosemirror-model';
import { chipsIn } from '../../domain/letter-document/chips';
import { isLink } from '../../domain/letter-document/links';
import { draftSchema } from '../../domain/letter-document/draft-schema';
import { variableSource } from '../../domain/letter-document/schema-things';

/** The text of letters for the form without a script: Markdown for bold, italic, links, lists and quotes. */

const { nodes } = draftSchema;

const markdown = new MarkdownIt('commonmark', { html: false });
markdown.disable(['code', 'fence', 'hr', 'html_block', 'html_inline', 'image', 'backticks', 'reference', 'lheading']);
markdown.disable(['autolink', 'entity', 'heading']);
markdown.validateLink = isLink;
/** No variable with its fallback is longer. */
const CHIP_MAX = 500;

// `{{ variable }}` is known only before `{` begins a text that a rule of Markdown reads.
markdown.inline.ruler.before('escape', 'variable', (state, silent) => {
  if (!state.src.startsWith('{{', state.pos)) return false;
  const source = state.src.slice(state.pos, state.pos + CHIP_MAX);
  const length = source.indexOf('}}') + 2;
  const [chip, ...more] = chipsIn(source.slice(0, length));
  if (chip === undefined || typeof chip === 'string' || more.length > 0) return false;
  if (!silent) state.push('variable', '', 0).meta = chip;
  state.pos += length;
  return true;
});

const tokens = {
  paragraph: { block: 'paragraph' },
  blockquote: { block: 'blockquote' },
  list_item: { block: 'list_item' },
  bullet_list: { block: 'bullet_list' },
  ordered_list: { block: 'ordered_list' },
  hardbreak: { node: 'hard_break' },
  softbreak: { node: 'hard_break' },
  variable: { node: 'variable', getAttrs: ({ meta }: Token) => meta as { name: string; fallback: string } },
  em: { mark: 'em' },
  strong: { mark: 'strong' },
  link: { mark: 'link', getAttrs: (token: Token) => ({ href: token.attrGet('href') ?? '' }) },
};
// A link's address is as it was typed, and not encoded: there may be a variable in it.
markdown.normalizeLink = (href) => href;

const blocks = new MarkdownParser(draftSchema, markdown, tokens);
const inline = new MarkdownParser(
  draftSchema,
  {
    parse: (text: string, env: unknown) => [
      { type: 'paragraph_open' },
      ...markdown.parseInline(text, env),
      { type: 'paragraph_close' },
    ],
  } as unknown as MarkdownIt,
  tokens,
);

const serializer = new MarkdownSerializer(
  {
    paragraph: (state, node) => {
      state.renderInline(node);
      state.closeBlock(node);
    },
    blockquote: (state, node) => state.wrapBlock('> ', null, node, () => state.renderContent(node)),
    bullet_list: (state, node) => state.renderList(node, '  ', () => '- '),
    ordered_list: (state, node) => state.renderList(node, '   ', (i) => `${i + 1}. `),
    list_item: (state, node) => state.renderContent(node),
    text: (state, node, parent, index) => {
      const isFirst = index === 0 || parent.child(index - 1).type === nodes.hard_break;
      // Braces that were typed stay braces.
      state.text(state.esc(node.text ?? '', isFirst).replaceAll('{{', '\\{{'), false);
    },
    hard_break: (state) => state.write('\\\n'),
    variable: (state, { attrs }) => state.write(variableSource(String(attrs.name), String(attrs.fallback))),
  },
  {
    em: { open: '*', close: '*', mixable: true, expelEnclosingWhitespace: true },
    strong: { open: '**', close: '**', mixable: true, expelEnclosingWhitespace: true },
    link: { open: '[', close: (_state, { attrs }) => `](<${String(attrs.href)}>)`, mixable: true },
  },
);

/** The blocks of a text; an empty one is an empty paragraph. */
export function readText(text: string): Node[] {
  const doc = text.trim() === '' ? null : blocks.parse(text);
  return doc && doc.childCount > 0 ? [...doc.children] : [nodes.paragraph!.create()];
}

export const writeText = (content: readonly Node[]): string =>
  serializer.serialize(nodes.doc!.create(null, content), { tightLists: true });

/** The content of one line. */
export const readLine = (text: string) => inline.parse(text.replace(/\s+/g, ' ').trim()).firstChild!.content;

export const writeLine = (node: Node): string =>
  serializer.serialize(nodes.doc!.create(null, nodes.paragraph!.create(null, node.content))).replaceAll('\\\n', ' ');
