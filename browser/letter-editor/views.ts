import type { Node } from 'prosemirror-model';
import type { NodeView, NodeViewConstructor } from 'prosemirror-view';
import { picturePath } from '../../src/domain/letter-document/links';
import type { SocialLink } from '../../src/domain/letter-document/social';
import { element, icon } from './elements';
import { variableName, type Words } from './words';

/** How blocks look where they are written; what can't be typed is set in the panel. */

/** A view that is drawn anew whenever its node is another one. */
class Drawn implements NodeView {
  constructor(
    private readonly kind: string,
    readonly dom: HTMLElement,
    private readonly draw: (dom: HTMLElement, node: Node) => void,
    node: Node,
  ) {
    draw(dom, node);
  }

  update(node: Node): boolean {
    if (node.type.name !== this.kind) return false;
    this.draw(this.dom, node);
    return true;
  }

  ignoreMutation(): boolean {
    return true;
  }
}

/** The label stands where people write, so its words are not read from there. */
class ButtonView implements NodeView {
  readonly dom = element('div', { 'data-button': '' });
  readonly contentDOM = element('span');

  constructor(node: Node) {
    this.dom.append(this.contentDOM);
    this.update(node);
  }

  update(node: Node): boolean {
    if (node.type.name !== 'button') return false;
    this.dom.dataset.align = String(node.attrs.align);
    this.dom.dir = 'auto';
    this.contentDOM.classList.toggle('le-empty', node.content.size === 0);
    return true;
  }
}

function drawPicture(dom: HTMLElement, { attrs }: Node, words: Words): void {
  const src = picturePath(String(attrs.src)) ?? String(attrs.src);
  dom.dataset.align = String(attrs.align);
  if (src === '')
    return dom.replaceChildren(element('span', { class: 'le-none' }, icon('picture'), words.live.emptyPicture));
  const shown = dom.querySelector('img');
  const picture = shown ?? element('img', { draggable: 'false' });
  if (picture.getAttribute('src') !== src) picture.src = src;
  picture.alt = String(attrs.alt);
  picture.style.width = `${Number(attrs.width)}%`;
  if (!shown) dom.replaceChildren(picture);
}

function drawSocial(dom: HTMLElement, { attrs }: Node, words: Words): void {
  const links = attrs.links as SocialLink[];
  dom.replaceChildren(
    ...(links.length === 0
      ? [element('span', { class: 'le-none' }, icon('social'), words.live.emptySocial)]
      : links.map(({ network }) => element('span', { class: 'le-network' }, words.networks[network] ?? network))),
  );
}

/** A chip that says in words what will stand there. */
function drawVariable(dom: HTMLElement, { attrs }: Node, words: Words): void {
  const fallback = String(attrs.fallback);
  dom.replaceChildren(variableName(String(attrs.name), words));
  dom.title = `{{ ${String(attrs.name)} }}`;
  if (fallback !== '') dom.append(element('span', { class: 'le-fallback' }, ` / ${fallback}`));
}

export function nodeViews(words: Words): Record<string, NodeViewConstructor> {
  const drawn =
    (kind: string, make: () => HTMLElement, draw: (dom: HTMLElement, node: Node) => void): NodeViewConstructor =>
    (node) =>
      new Drawn(kind, make(), draw, node);
  const block = (kind: string) => () => element('div', { class: `le-${kind}`, contenteditable: 'false' });
  return {
    picture: drawn('picture', block('picture'), (dom, node) => drawPicture(dom, node, words)),
    social: drawn('social', block('social'), (dom, node) => drawSocial(dom, node, words)),
    spacer: drawn('spacer', block('spacer'), (dom, { attrs }) => {
      dom.style.height = `${Number(attrs.height)}px`;
      dom.dataset.height = `${Number(attrs.height)} px`;
    }),
    variable: chipView(words),
    button: (node) => new ButtonView(node),
  };
}

/** For the lines above the letter, too. */
export const chipView =
  (words: Words): NodeViewConstructor =>
  (node) =>
    new Drawn(
      'variable',
      element('span', { class: 'le-chip', contenteditable: 'false' }),
      (dom, shown) => drawVariable(dom, shown, words),
      node,
    );
