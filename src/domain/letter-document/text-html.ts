import type { Node } from 'prosemirror-model';
import { escapedLink, flow, inlineHtml } from './inline-html';
import { directionOf } from './language-of';
import { NETWORKS, type SocialLink } from './social';
import type { Look } from './theme';

/** Headings by level: size and height of lines. */
const HEADINGS = [
  { size: 28, line: 34 },
  { size: 22, line: 28 },
  { size: 18, line: 25 },
];

/** Blocks of text: one after another they share a cell. */
export const TEXT_BLOCKS = new Set('heading paragraph bullet_list ordered_list blockquote'.split(' '));

/** A block of text as HTML. Programs that know no style sheets need each style where it counts. */
export function textHtml(node: Node, look: Look): string {
  switch (node.type.name) {
    case 'heading':
      return headingHtml(node, look);
    case 'bullet_list':
    case 'ordered_list':
      return listHtml(node, look);
    case 'blockquote':
      return quoteHtml(node, look);
    default:
      return paragraphHtml(node, look, 16);
  }
}

function headingHtml(node: Node, look: Look): string {
  const level = Number(node.attrs.level);
  const { size, line } = HEADINGS[level - 1]!;
  const style = `margin:0 0 12px;font-size:${size}px;line-height:${line}px;font-weight:bold`;
  return `<h${level} ${flow(node)}${style}">${inlineHtml(node, look)}</h${level}>`;
}

const paragraphHtml = (node: Node, look: Look, below: number): string =>
  `<p ${flow(node)}margin:0 0 ${below}px">${inlineHtml(node, look) || '&nbsp;'}</p>`;

/** The room for marks on both sides, whichever way the text runs. */
function listHtml(list: Node, look: Look, isNested = false): string {
  const tag = list.type.name === 'bullet_list' ? 'ul' : 'ol';
  const items = list.children.map((item) => {
    const [first, ...others] = item.children.map((node) =>
      TEXT_BLOCKS.has(node.type.name) && node.type.name !== 'paragraph'
        ? listHtml(node, look, true)
        : inlineHtml(node, look),
    );
    const more = others.map((html) => (/^<[ou]l/.test(html) ? html : `<br />${html}`)).join('');
    return `<li style="margin:0 0 6px">${first}${more}</li>`;
  });
  const margin = isNested ? '6px 0 0' : '0 0 16px';
  const side = directionOf(list.textContent) === 'rtl' ? 'right' : 'left';
  const dir = side === 'right' ? 'dir="rtl"' : 'dir="auto"';
  return `<${tag} ${dir} style="text-align:${side};margin:${margin};padding:0 0 0 0;padding-${side}:26px">${items.join('')}</${tag}>`;
}

/** A table, since Outlook draws no line beside other elements. */
function quoteHtml(quote: Node, look: Look): string {
  const side = directionOf(quote.textContent) === 'rtl' ? 'right' : 'left';
  const inner = quote.children.map((node, i) => paragraphHtml(node, look, i < quote.childCount - 1 ? 12 : 0)).join('');
  const style = `border-${side}:4px solid ${look.button.background};padding:4px 18px;font-style:italic`;
  return (
    '<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%">' +
    `<tr><td class="q" style="${style}">${inner}</td></tr></table>` +
    '<p style="margin:0;font-size:16px;line-height:16px">&nbsp;</p>'
  );
}

export const footerHtml = (footer: Node, look: Look): string =>
  footer.children.map((node) => paragraphHtml(node, look, 8)).join('');

export function socialHtml(social: Node, look: Look): string {
  const links = (social.attrs.links as SocialLink[]).map(
    ({ network, url }) =>
      `<a href="${escapedLink(url)}" style="color:${look.light.link};text-decoration:underline">${NETWORKS[network]}</a>`,
  );
  return `<p style="margin:0 0 16px;text-align:center">${links.join(' &nbsp;&middot;&nbsp; ')}</p>`;
}
