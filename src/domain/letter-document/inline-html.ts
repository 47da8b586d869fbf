import type { Node } from 'prosemirror-model';
import { escapeHtml } from '../liquid';
import { directionOf } from './language-of';
import { variableSource } from './schema-things';
import type { Look } from './theme';
import { linkTemplate, typedHtml } from './typed-text';

const CENTER = 'center';

/** The side on which a block with this alignment begins, as attributes of HTML call it. */
export function sideOf(align: unknown, dir: 'ltr' | 'rtl' | null): 'left' | 'center' | 'right' {
  if (align === CENTER) return CENTER;
  return (align === 'end') === (dir === 'rtl') ? 'left' : 'right';
}

/** Where the reading begins, and the side: in words that Outlook knows, where the text itself says it. */
export function flow(node: Node): string {
  const dir = directionOf(node.textContent);
  const side = sideOf(node.attrs.align ?? 'start', dir);
  return `dir="${dir === 'rtl' ? dir : 'auto'}" style="${side === 'left' ? '' : `text-align:${side};`}`;
}

export function inlineHtml(parent: Node, look: Look): string {
  return parent.children.map((node) => inMarks(node, contentOf(node), look)).join('');
}

function contentOf(node: Node): string {
  if (node.isText) return typedHtml(node.text ?? '');
  if (node.type.name === 'hard_break') return '<br />';
  return variableSource(String(node.attrs.name), String(node.attrs.fallback));
}

function inMarks(node: Node, content: string, look: Look): string {
  return node.marks.reduceRight((html, { type, attrs }) => {
    if (type.name === 'strong') return `<strong>${html}</strong>`;
    if (type.name === 'em') return `<em>${html}</em>`;
    const href = escapedLink(String(attrs.href));
    return `<a href="${href}" style="color:${look.light.link};text-decoration:underline">${html}</a>`;
  }, content);
}

/** A link's template for an attribute: Liquid's own words need no escaping. */
export const escapedLink = (href: string): string =>
  linkTemplate(href)
    .split(/(\{\{[^{}]*\}\})/)
    .map((part, i) => (i % 2 === 1 ? part : escapeHtml(part)))
    .join('');
