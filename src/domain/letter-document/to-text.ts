import type { Node } from 'prosemirror-model';
import { variableSource } from './schema-things';
import { NETWORKS, type SocialLink } from './social';
import { linkTemplate, typedText } from './typed-text';

/** The text part of a letter, as a template: made from the document, not from its HTML. */
export function documentToText(doc: Node): string {
  return blocksText(doc).join('\n\n');
}

/** The texts of the blocks that say something. */
function blocksText(parent: Node): string[] {
  return parent.children.map(blockText).filter((text) => text !== '');
}

function blockText(node: Node): string {
  switch (node.type.name) {
    case 'heading':
    case 'paragraph':
      return inlineText(node).trim();
    case 'bullet_list':
    case 'ordered_list':
      return listText(node);
    case 'blockquote':
      return indented(blocksText(node).join('\n\n'), '> ', '> ');
    case 'picture':
      return pictureText(node);
    case 'button':
      return `${inlineText(node).trim()}: ${linkTemplate(String(node.attrs.href))}`;
    case 'divider':
      return '---';
    case 'social':
      return socialText(node);
    case 'columns':
    case 'column':
    case 'footer':
      return blocksText(node).join('\n\n');
    default:
      return '';
  }
}

function listText(list: Node): string {
  const isOrdered = list.type.name === 'ordered_list';
  return list.children
    .map((item, i) => {
      const mark = isOrdered ? `${i + 1}. ` : '* ';
      return indented(item.children.map(blockText).join('\n'), mark, ' '.repeat(mark.length));
    })
    .join('\n');
}

const indented = (text: string, first: string, others: string): string =>
  text
    .split('\n')
    .map((line, i) => ((i === 0 ? first : others) + line).trimEnd())
    .join('\n');

function pictureText({ attrs }: Node): string {
  const alt = typedText(String(attrs.alt).trim());
  if (attrs.href === null || attrs.href === '') return alt && `[${alt}]`;
  const href = linkTemplate(String(attrs.href));
  return alt === '' ? href : `[${alt}] [${href}]`;
}

const socialText = ({ attrs }: Node): string =>
  (attrs.links as SocialLink[]).map(({ network, url }) => `${NETWORKS[network]}: ${linkTemplate(url)}`).join('\n');

/** Links follow their text in brackets, once for all the parts of it that are written differently. */
function inlineText(parent: Node): string {
  let text = '';
  let [open, shown] = ['', ''];
  const close = () => {
    if (open !== '' && !isSame(open, shown)) text += ` [${linkTemplate(open)}]`;
    [open, shown] = ['', ''];
  };
  for (const node of parent.children) {
    const href = linkOf(node);
    if (href !== open) {
      close();
      open = href;
    }
    const part = node.isText
      ? typedText(node.text ?? '')
      : node.type.name === 'hard_break'
        ? '\n'
        : variableSource(String(node.attrs.name), String(node.attrs.fallback));
    shown += part;
    text += part;
  }
  close();
  return text;
}

const isSame = (href: string, shown: string): boolean =>
  [href, href.replace(/^(?:mailto:|tel:|https?:\/\/)/i, '')].includes(shown.trim());

const linkOf = (node: Node): string =>
  (node.marks.find(({ type }) => type.name === 'link')?.attrs.href as string | undefined) ?? '';
