import { type NodeSpec, type ParseRule, Schema } from 'prosemirror-model';
import { isLink } from './links';
import { align, attribute, blockAttributes, type Element, oneOfNumbers, readAlign, text } from './schema-attributes';
import { button, picture, social, spacer, variable } from './schema-things';

/**
 * What a letter made of blocks consists of. Server and browser share this file: it imports nothing but ProseMirror's model.
 * The attributes named `data-…` are how the editor's page, and what is copied from it, say what HTML has no word for.
 */
const heading: NodeSpec = {
  group: 'block columnblock',
  content: 'inline*',
  defining: true,
  attrs: { level: { default: 1, validate: oneOfNumbers([1, 2, 3]) }, align: { default: 'start', validate: align } },
  parseDOM: [1, 2, 3, 4, 5, 6].map((level) => ({
    tag: `h${level}`,
    getAttrs: (dom) => ({ level: Math.min(level, 3), align: readAlign(dom) }),
  })),
  toDOM: ({ attrs }) => [`h${Number(attrs.level)}`, blockAttributes(attrs), 0],
};

const paragraph: NodeSpec = {
  group: 'block columnblock',
  content: 'inline*',
  attrs: { align: { default: 'start', validate: align } },
  parseDOM: [{ tag: 'p', getAttrs: (dom) => ({ align: readAlign(dom) }) }],
  toDOM: ({ attrs }) => ['p', blockAttributes(attrs), 0],
};

const list = (tag: 'ul' | 'ol'): NodeSpec => ({
  group: 'block columnblock',
  content: 'list_item+',
  parseDOM: [{ tag }],
  toDOM: () => [tag, 0],
});

const list_item: NodeSpec = {
  content: 'paragraph (paragraph | bullet_list | ordered_list)*',
  defining: true,
  parseDOM: [{ tag: 'li' }],
  toDOM: () => ['li', { dir: 'auto' }, 0],
};

const blockquote: NodeSpec = {
  group: 'block',
  content: 'paragraph+',
  defining: true,
  parseDOM: [{ tag: 'blockquote' }],
  toDOM: () => ['blockquote', { dir: 'auto' }, 0],
};

const divider: NodeSpec = {
  group: 'block columnblock',
  parseDOM: [{ tag: 'hr' }],
  toDOM: () => ['hr'],
};

const columns: NodeSpec = {
  group: 'block',
  content: 'column{2,3}',
  isolating: true,
  parseDOM: [{ tag: 'div[data-columns]' }],
  toDOM: ({ childCount }) => ['div', { 'data-columns': String(childCount) }, 0],
};

const column: NodeSpec = {
  content: 'columnblock+',
  isolating: true,
  parseDOM: [{ tag: 'div[data-column]' }],
  toDOM: () => ['div', { 'data-column': '' }, 0],
};

const footer: NodeSpec = {
  group: 'block',
  content: 'paragraph+',
  defining: true,
  parseDOM: [{ tag: 'footer' }],
  toDOM: () => ['footer', { dir: 'auto' }, 0],
};

const hard_break: NodeSpec = {
  group: 'inline',
  inline: true,
  selectable: false,
  leafText: () => '\n',
  parseDOM: [{ tag: 'br' }],
  toDOM: () => ['br'],
};

/** Google Docs wraps all it copies into a <b> that is not bold. */
const bold: ParseRule[] = [
  { tag: 'strong' },
  { tag: 'b', getAttrs: (dom) => ((dom as Element).style?.fontWeight === 'normal' ? false : null) },
  { style: 'font-weight=400', clearMark: ({ type }) => type.name === 'strong' },
  { style: 'font-weight', getAttrs: (value) => (/^(?:bold(?:er)?|[6-9]00)$/.test(value) ? null : false) },
];

export const letterSchema = new Schema({
  nodes: {
    doc: { content: 'block+' },
    // The first is what an empty letter, and what a new line, begins with.
    paragraph,
    heading,
    bullet_list: list('ul'),
    ordered_list: list('ol'),
    list_item,
    blockquote,
    picture,
    button,
    divider,
    spacer,
    columns,
    column,
    social,
    footer,
    text: { group: 'inline' },
    hard_break,
    variable,
  },
  marks: {
    link: {
      attrs: { href: { validate: (value) => text('href', value, isLink) } },
      inclusive: false,
      parseDOM: [
        {
          tag: 'a[href]',
          getAttrs(dom) {
            const href = attribute(dom, 'href');
            return isLink(href) ? { href } : false;
          },
        },
      ],
      toDOM: ({ attrs }) => ['a', { href: String(attrs.href), rel: 'noopener noreferrer' }, 0],
    },
    em: {
      parseDOM: [
        { tag: 'i' },
        { tag: 'em' },
        { style: 'font-style=italic' },
        { style: 'font-style=normal', clearMark: ({ type }) => type.name === 'em' },
      ],
      toDOM: () => ['em', 0],
    },
    strong: { parseDOM: bold, toDOM: () => ['strong', 0] },
  },
});

export const DOCUMENT_VERSION = 1;

/** What `messages.document` holds. */
export type LetterDocument = {
  version: typeof DOCUMENT_VERSION;
  /** What mailboxes show beside the subject; text with `{{ variables }}`. */
  preheader: string;
  /** ProseMirror's JSON of a `doc`. */
  doc: Record<string, unknown>;
};
