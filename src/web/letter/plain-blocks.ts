import { Fragment, type Node } from 'prosemirror-model';
import { chipsIn } from '../../domain/letter-document/chips';
import { draftSchema } from '../../domain/letter-document/draft-schema';
import { variableSource } from '../../domain/letter-document/schema-things';
import { isNetwork, type SocialLink } from '../../domain/letter-document/social';
import { readLine, readText, writeLine, writeText } from './markdown';

/** A letter as the form without a script has it: blocks with fields. Paragraphs, lists and quotes in a row are one text. */

const { nodes } = draftSchema;

export const plainKinds = [
  ...(['text', 'heading', 'picture', 'button', 'two', 'three'] as const),
  ...(['divider', 'spacer', 'social', 'footer'] as const),
];
export type PlainKind = (typeof plainKinds)[number];
/** What a column may have. */
export const columnKinds: readonly PlainKind[] = ['text', 'heading', 'picture', 'button', 'divider', 'spacer'];

export interface PlainBlock {
  kind: PlainKind;
  fields: Record<string, string>;
  /** Of columns only. */
  columns: PlainBlock[][];
  /** Which nodes of the letter, or of the column, it stands for: from the first to before the last. */
  covers: [number, number];
}

const FIRST: Partial<Record<PlainKind, Record<string, string>>> = {
  heading: { level: '2', align: 'start' },
  text: { align: 'start' },
  picture: { width: '100', align: 'center' },
  button: { align: 'start' },
  spacer: { height: '24' },
};

export const newPlain = (kind: PlainKind): PlainBlock => ({
  kind,
  fields: { ...FIRST[kind] },
  columns: Array.from({ length: kind === 'two' ? 2 : kind === 'three' ? 3 : 0 }, () => [newPlain('text')]),
  covers: [0, 0],
});

const TEXTS = new Set(['paragraph', 'bullet_list', 'ordered_list', 'blockquote']);
const alignOf = (node: Node): string => (node.type === nodes.paragraph ? String(node.attrs.align) : 'start');

/** The blocks of a letter, or of a column. */
export function plainOf(parent: Node): PlainBlock[] {
  const found: PlainBlock[] = [];
  let text: Node[] = [];
  const endText = (before: number) => {
    if (text.length === 0) return;
    const fields = { text: writeText(text), align: alignOf(text[0]!) };
    found.push({ kind: 'text', fields, columns: [], covers: [before - text.length, before] });
    text = [];
  };
  parent.forEach((node, _offset, index) => {
    if (!TEXTS.has(node.type.name) || (text[0] && alignOf(text[0]) !== alignOf(node))) endText(index);
    if (TEXTS.has(node.type.name)) text.push(node);
    else found.push({ ...plainBlock(node), covers: [index, index + 1] });
  });
  endText(parent.childCount);
  return found;
}

function plainBlock(node: Node): Omit<PlainBlock, 'covers'> {
  const attrs = Object.fromEntries(
    Object.entries(node.attrs)
      .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
      .map(([name, value]) => [name, String(value as string | number)]),
  );
  const block = (kind: PlainKind, fields = attrs, columns: PlainBlock[][] = []) => ({ kind, fields, columns });
  switch (node.type.name) {
    case 'heading':
      return block('heading', { ...attrs, text: writeLine(node) });
    case 'button':
      return block('button', { ...attrs, text: labelOf(node) });
    case 'footer':
      return block('footer', { text: writeText(node.children) });
    case 'columns':
      return block(node.childCount === 3 ? 'three' : 'two', {}, node.children.map(plainOf));
    case 'social':
      return block('social', {
        links: (node.attrs.links as SocialLink[]).map(({ network, url }) => `${network} ${url}`).join('\n'),
      });
    default:
      return block(node.type.name as PlainKind);
  }
}

const labelOf = (node: Node): string =>
  node.textBetween(0, node.content.size, '', ({ attrs }) => variableSource(String(attrs.name), String(attrs.fallback)));

/** The letter of what was filled in; what is wrong with a field stays in it, for the check to find. */
export function documentOf(blocks: PlainBlock[]): Node {
  const content = blocks.flatMap((block) => nodesOf(block));
  return nodes.doc!.create(null, content.length > 0 ? content : nodes.paragraph!.create());
}

const wholeNumber = (text: string | undefined): number | string =>
  /^\d{1,9}$/.test(text ?? '') ? Number(text) : (text ?? '');

function nodesOf({ kind, fields, columns }: PlainBlock, inColumn = false): Node[] {
  const { text = '', align = 'start', href = '' } = fields;
  switch (kind) {
    case 'text':
      return readText(text)
        .flatMap((node) => (inColumn && node.type === nodes.blockquote ? [...node.children] : [node]))
        .map((node) => (node.type === nodes.paragraph ? node.type.create({ align }, node.content) : node));
    case 'heading':
      return [nodes.heading!.create({ level: wholeNumber(fields.level), align }, readLine(text))];
    case 'picture': {
      const { src = '', alt = '' } = fields;
      const width = wholeNumber(fields.width);
      return [nodes.picture!.create({ src: src.trim(), alt, width, align, href: href.trim() || null })];
    }
    case 'button': {
      const label = chipsIn(text.replace(/\s+/g, ' ').trim()).map((part) =>
        typeof part === 'string' ? draftSchema.text(part) : nodes.variable!.create(part),
      );
      return [nodes.button!.create({ href: href.trim(), align }, Fragment.from(label))];
    }
    case 'divider':
      return [nodes.divider!.create()];
    case 'spacer':
      return [nodes.spacer!.create({ height: wholeNumber(fields.height) })];
    case 'two':
    case 'three':
      return [nodes.columns!.create(null, columns.map(columnOf))];
    case 'social':
      return [nodes.social!.create({ links: linksIn(fields.links ?? '') })];
    case 'footer':
      return [nodes.footer!.create(null, readText(text).flatMap(paragraphsIn))];
  }
}

const columnOf = (blocks: PlainBlock[]): Node => {
  const content = blocks.flatMap((block) => nodesOf(block, true));
  return nodes.column!.create(null, content.length > 0 ? content : nodes.paragraph!.create());
};

function paragraphsIn(node: Node): Node[] {
  return node.type === nodes.paragraph ? [node] : node.children.flatMap(paragraphsIn);
}

/** A network and its address in each line; an address alone is a website's. */
const linksIn = (text: string): SocialLink[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [first = '', ...rest] = line.split(/[\s:]+(?!\/\/)/);
      const network = first.toLowerCase();
      return isNetwork(network) ? { network, url: rest.join('') } : { network: 'website', url: line };
    });
