import { Fragment, type Node, Slice } from 'prosemirror-model';
import { chipsIn } from '../../src/domain/letter-document/chips';
import { isVariable, type Words } from './words';

/**
 * What is pasted from Word, Google Docs and pages of the web, made into plain HTML: headings, paragraphs, lists, links,
 * bold and italic. The schema drops attributes; here goes what it would take for content, and what says by style what
 * elements say otherwise becomes elements.
 */
export function cleanPasted(html: string): string {
  // From a letter: it is as it should be.
  if (/\bdata-pm-slice=/.test(html)) return html;
  const page = new DOMParser().parseFromString(inert(html), 'text/html');
  const { body } = page;
  for (const junk of body.querySelectorAll(JUNK)) junk.remove();
  for (const hidden of body.querySelectorAll('[data-style]'))
    if (/mso-hide:\s*all|display:\s*none/i.test(style(hidden))) hidden.remove();
  makeWordLists(body);
  for (const marked of body.querySelectorAll(
    'span[data-style], b, a[data-style], p[data-style], li[data-style], td[data-style]',
  ))
    markStyle(marked);
  for (const picture of body.querySelectorAll('img'))
    if (!/^https:/i.test(picture.getAttribute('src') ?? '')) picture.remove();
  for (const cell of body.querySelectorAll('td, th, footer, dt, dd, figcaption, caption, summary')) rename(cell, 'div');
  // Google's empty lines stand between blocks.
  for (const line of body.querySelectorAll('br'))
    if (line.parentElement === body || line.parentElement?.querySelector(BLOCKS)) line.remove();
  for (const all of body.querySelectorAll('*')) {
    const { localName } = all;
    if (localName.includes(':')) all.replaceWith(...all.childNodes);
    for (const { name } of [...all.attributes]) if (!KEPT.has(name)) all.removeAttribute(name);
  }
  // Word ends each cell and each heading with an empty paragraph.
  for (const empty of body.querySelectorAll('p, h1, h2, h3, h4, h5, h6, div'))
    if (empty.textContent?.replace(/\u00a0/g, ' ').trim() === '' && !empty.querySelector('img, hr')) empty.remove();
  return body.innerHTML;
}

const JUNK =
  'script, style, meta, link, title, noscript, template, iframe, object, svg, form, button, input, select, textarea';
const BLOCKS = ':scope > :is(p, ul, ol, div, blockquote, h1, h2, h3, h4, h5, h6)';
const KEPT = new Set(['href', 'src', 'alt', 'align']);

/** Styles are read, not applied, which the page's policy forbids; handlers of events are nothing to read. */
const inert = (html: string): string =>
  html
    .replace(/<style\b[^]*?<\/style>/gi, '')
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\s(style|on\w+)(?=\s*=)/gi, ' data-$1'));
const style = (element: Element): string => element.getAttribute('data-style') ?? '';
const says = (element: Element, property: string): string =>
  new RegExp(`(?:^|;)\\s*${property}:\\s*([^;]+)`, 'i').exec(style(element))?.[1]?.trim().toLowerCase() ?? '';

function rename(element: Element, tag: string): Element {
  const made = element.ownerDocument.createElement(tag);
  made.append(...element.childNodes);
  element.replaceWith(made);
  return made;
}

/** Bold and italic that are a style; and Google's <b> around everything that is not bold. */
function markStyle(element: Element): void {
  const weight = says(element, 'font-weight');
  if (element.localName === 'b') {
    if (/^(?:normal|400)$/.test(weight)) element.replaceWith(...element.childNodes);
    return;
  }
  const wrap = (tag: string) => {
    const made = element.ownerDocument.createElement(tag);
    made.append(...element.childNodes);
    element.append(made);
  };
  if (/^(?:bold|[6-9]00)$/.test(weight)) wrap('strong');
  if (says(element, 'font-style') === 'italic') wrap('em');
}

/** Word's lists are paragraphs that say `mso-list: l0 level1 lfo1` and have their marks as text. */
function makeWordLists(body: HTMLElement): void {
  /** The lists that are open, the innermost last. */
  let open: Element[] = [];
  let last: Element | null = null;
  for (const point of body.querySelectorAll('p')) {
    const [, level] = /mso-list:\s*\S+\s+level(\d)/i.exec(style(point)) ?? [];
    if (!level) continue;
    if (point.previousElementSibling !== last || last === null) open = [];
    const mark = [...point.querySelectorAll('span')].find((span) => /mso-list:\s*ignore/i.test(style(span)));
    const kind = /^\s*(?:\d+|[a-z]{1,4})[.)]/i.test(mark?.textContent ?? '') ? 'ol' : 'ul';
    mark?.remove();
    const depth = Math.min(Number(level), open.length + 1, 3);
    if (open.length >= depth && open[depth - 1]?.localName !== kind && depth === 1) open = [];
    open.length = Math.min(open.length, depth);
    if (open.length < depth) {
      const list = body.ownerDocument.createElement(kind);
      const around = open.at(-1)?.lastElementChild;
      if (around) around.append(list);
      else point.before(list);
      open.push(list);
    }
    const item = body.ownerDocument.createElement('li');
    open.at(-1)!.append(item);
    item.append(point);
    last = open[0]!;
  }
}

/** Pictures among files that are pasted or dropped. */
export const picturesIn = (data: DataTransfer | null): File[] =>
  [...(data?.files ?? [])].filter(({ type }) => /^image\/(?:jpeg|png|gif|webp)$/.test(type));

/** Variables that were written in what is pasted are chips, as those that are written here. */
export function withChips({ content, openStart, openEnd }: Slice, words: Words): Slice {
  const read = (fragment: Fragment): Fragment => Fragment.from(fragment.content.flatMap(parts));
  const parts = (node: Node): Node[] => {
    if (!node.isText) return [node.copy(read(node.content))];
    const { schema } = node.type;
    return chipsIn(node.text ?? '', (name) => isVariable(name, words)).map((part) =>
      typeof part === 'string' ? schema.text(part, node.marks) : schema.nodes.variable!.create(part, null, node.marks),
    );
  };
  return new Slice(read(content), openStart, openEnd);
}
