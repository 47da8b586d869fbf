import { PICTURE_FILES } from '../../src/domain/media';
import type { Node } from 'prosemirror-model';
import { NodeSelection } from 'prosemirror-state';
import {
  ALIGNS,
  ALT_MAX,
  FALLBACK_MAX,
  PICTURE_WIDTH,
  SOCIAL_MAX,
  SPACER_HEIGHT,
} from '../../src/domain/letter-document/limits';
import { completedLink, isLink, isPictureSource } from '../../src/domain/letter-document/links';
import type { SocialLink } from '../../src/domain/letter-document/social';
import { chosenBlock } from './blocks';
import { linkRange, setAttributes, setLevel, setLink } from './commands';
import type { Desk } from './desk';
import { element } from './elements';
import { uploadPicture } from './upload';

/** What can be set of each kind of block. */

export interface Field {
  id: string;
  dom: HTMLElement;
  /** Shows what is set now, if nobody is writing in it. */
  show(): void;
  focus(): void;
}

interface Setting {
  id: string;
  label: string;
  value: () => string;
  /** @returns what is wrong */
  set: (value: string, isDone: boolean) => string | undefined;
  options?: { value: string; text: string }[];
  attributes?: Record<string, string>;
}

let made = 0;

function field({ id, label, value, set, options, attributes = {} }: Setting): Field {
  const name = `le-field-${++made}`;
  const input = options
    ? element('select', { id: name, class: 'form-select' })
    : element('input', { id: name, class: 'form-control', type: 'text', autocomplete: 'off', ...attributes });
  for (const option of options ?? []) input.append(element('option', { value: option.value }, option.text));
  const problem = element('p', { class: 'field-problem', id: `${name}-problem`, hidden: true });
  const apply = (isDone: boolean) => {
    const wrong = set(input.value, isDone);
    if (wrong && !isDone) return;
    problem.textContent = wrong ?? '';
    problem.hidden = !wrong;
    input.classList.toggle('is-invalid', Boolean(wrong));
    if (!wrong) return ['aria-invalid', 'aria-describedby'].forEach((one) => input.removeAttribute(one));
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', problem.id);
  };
  input.addEventListener('input', () => apply(false));
  input.addEventListener('change', () => apply(true));
  return {
    id,
    dom: element(
      'div',
      { class: 'le-field' },
      element('label', { for: name, class: 'form-label' }, label),
      input,
      problem,
    ),
    show() {
      if (document.activeElement !== input && problem.hidden) input.value = value();
    },
    focus: () => input.focus(),
  };
}

const isNone = (value: unknown): boolean => value === null || value === undefined;

export function fieldsFor(desk: Desk, node: Node, hasLink: boolean): Field[] {
  const { live } = desk.words;
  /** The chosen node, as it is by now: its block, or its chip. */
  const current = (): { node: Node; pos: number } | null => {
    const state = desk.active?.state;
    if (!state) return null;
    const { selection } = state;
    if (selection instanceof NodeSelection && selection.node.isInline)
      return { node: selection.node, pos: selection.from };
    return chosenBlock(state);
  };
  const put = (attributes: Record<string, unknown>) => {
    const now = current();
    if (now) desk.run(setAttributes(now.pos, attributes), false);
  };
  const valueOf = (name: string) => () => {
    const value: unknown = current()?.node.attrs[name];
    return isNone(value) ? '' : String(value);
  };
  const align = (): Field =>
    field({
      id: 'align',
      label: live.align,
      value: valueOf('align'),
      set: (value) => void put({ align: value }),
      options: ALIGNS.map((one) => ({ value: one, text: live.aligned[one] })),
    });
  const href = (label: string, none: null | ''): Field =>
    field({
      id: 'href',
      label,
      value: valueOf('href'),
      attributes: { inputmode: 'url' },
      set(value, isDone) {
        const link = isDone ? completedLink(value) : value;
        if (link !== '' && !isLink(link)) return live.badLink;
        put({ href: link === '' ? none : link });
      },
    });
  const number = (id: string, label: string, { min, max }: { min: number; max: number }): Field =>
    field({
      id,
      label,
      value: valueOf(id),
      attributes: { type: 'number', min: String(min), max: String(max), step: '1' },
      set(value, isDone) {
        const given = Math.round(Number(value));
        if (value === '' || !isDone ? !(given >= min && given <= max) : Number.isNaN(given)) return `${min}–${max}`;
        put({ [id]: Math.min(max, Math.max(min, given)) });
      },
    });
  const kind = (): Field =>
    field({
      id: 'kind',
      label: live.kind,
      value: () => String(current()?.node.type.name === 'heading' ? current()!.node.attrs.level : 0),
      set: (value) => void desk.run(setLevel(Number(value), current()?.node.attrs.align ?? 'start'), false),
      options: [desk.words.blocks.paragraph ?? '', ...desk.words.levels].map((text, i) => ({ value: String(i), text })),
    });
  const of: Record<string, () => Field[]> = {
    paragraph: () => [kind(), align()],
    heading: () => [kind(), align()],
    button: () => [href(live.hrefOf, ''), align()],
    spacer: () => [number('height', live.height, SPACER_HEIGHT)],
    social: () => socialFields(desk, current, put),
    picture: () => [
      upload(desk, () => current()?.pos),
      field({
        id: 'src',
        label: live.src,
        value: valueOf('src'),
        attributes: { inputmode: 'url' },
        set(value) {
          const src = value.trim();
          if (src !== '' && !isPictureSource(src)) return live.badSrc;
          put({ src });
        },
      }),
      field({
        id: 'alt',
        label: live.alt,
        value: valueOf('alt'),
        attributes: { maxlength: String(ALT_MAX) },
        set: (alt) => void put({ alt }),
      }),
      number('width', live.width, PICTURE_WIDTH),
      align(),
      href(live.href, null),
    ],
    variable: () => [
      field({
        id: 'fallback',
        label: live.fallback,
        value: valueOf('fallback'),
        attributes: { maxlength: String(FALLBACK_MAX) },
        // In the lines it stands between quotation marks of a template.
        set: (typed) => void put({ fallback: desk.active === desk.letter ? typed : typed.replace(/["{}]/g, '') }),
      }),
    ],
  };
  return [...(hasLink ? linkFields(desk) : []), ...(of[node.type.name]?.() ?? [])];
}

function linkFields(desk: Desk): Field[] {
  const { live } = desk.words;
  const range = () => (desk.letter ? linkRange(desk.letter.state) : null);
  const unlink = button(live.unlink, () => {
    const now = range();
    if (now) desk.run(setLink(now, ''));
  });
  return [
    field({
      id: 'link',
      label: live.link,
      value: () => range()?.href ?? '',
      attributes: { inputmode: 'url' },
      set(value, isDone) {
        const [now, link] = [range(), completedLink(value)];
        if (!isDone || !now) return undefined;
        if (link !== '' && !isLink(link)) return live.badLink;
        desk.run(setLink(now, link), false);
      },
    }),
    { id: 'unlink', dom: unlink, show: () => (unlink.hidden = !range()?.href), focus: () => unlink.focus() },
  ];
}

function socialFields(
  desk: Desk,
  current: () => { node: Node } | null,
  put: (attributes: Record<string, unknown>) => void,
): Field[] {
  const { live, networks } = desk.words;
  const links = () => (current()?.node.attrs.links ?? []) as SocialLink[];
  const change = (at: number, more: Partial<SocialLink>) =>
    put({ links: links().map((link, i) => (i === at ? { ...link, ...more } : link)) });
  const options = Object.entries(networks).map(([value, text]) => ({ value, text }));
  const rows = links().flatMap((_, at) => [
    field({
      id: `network-${at}`,
      label: live.network,
      value: () => links()[at]?.network ?? '',
      set: (network) => void change(at, { network: network as SocialLink['network'] }),
      options,
    }),
    field({
      id: `url-${at}`,
      label: live.url,
      value: () => links()[at]?.url ?? '',
      attributes: { inputmode: 'url' },
      set(value, isDone) {
        const url = isDone ? completedLink(value) : value;
        if (url !== '' && !isLink(url)) return live.badLink;
        change(at, { url });
      },
    }),
    still(
      `remove-${at}`,
      button(live.removeNetwork, () => put({ links: links().filter((_link, i) => i !== at) })),
    ),
  ]);
  const next = () => Object.keys(networks).find((one) => links().every(({ network }) => network !== one));
  const add = button(live.addNetwork, () =>
    put({ links: [...links(), { network: next() ?? 'website', url: '' }].slice(0, SOCIAL_MAX) }),
  );
  return [...rows, still('add', add)];
}

function upload(desk: Desk, pos: () => number | undefined): Field {
  const { live } = desk.words;
  const name = `le-field-${++made}`;
  const input = element('input', { id: name, type: 'file', accept: PICTURE_FILES });
  input.className = 'visually-hidden';
  input.addEventListener('change', () => {
    const [file, at] = [input.files?.[0], pos()];
    if (!file || at === undefined) return;
    const place = desk.hold(at);
    desk.complain('');
    void uploadPicture(desk, file).then((src) => {
      desk.release(place);
      if (src && desk.letter?.state.doc.nodeAt(place.pos)?.type.name === 'picture') {
        desk.active = desk.letter;
        desk.run(setAttributes(place.pos, { src }), false);
      }
      input.value = '';
    });
  });
  const dom = element('div', { class: 'le-field le-upload' });
  dom.append(input, element('label', { for: name, class: 'btn btn-secondary' }, live.upload));
  return { id: 'upload', dom, show: () => undefined, focus: () => input.focus() };
}

function button(text: string, press: () => void): HTMLButtonElement {
  const dom = element('button', { type: 'button', class: 'btn btn-sm btn-secondary' }, text);
  dom.addEventListener('click', press);
  return dom;
}

const still = (id: string, dom: HTMLElement): Field => ({ id, dom, show: () => undefined, focus: () => dom.focus() });
