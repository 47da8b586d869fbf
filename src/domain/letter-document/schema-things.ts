import type { NodeSpec } from 'prosemirror-model';
import { ALT_MAX, FALLBACK_MAX, PICTURE_WIDTH, SOCIAL_MAX, SPACER_HEIGHT, VARIABLE_NAME } from './limits';
import { isLink, isPictureSource, picturePath } from './links';
import { align, attribute, blockAttributes, type Element, readAlign, text, within } from './schema-attributes';
import { isNetwork, type SocialLink } from './social';

const link = (value: unknown) => typeof value === 'string' && (value === '' || isLink(value));

/** The source as the document has it, from what the editor or another page shows. */
function pictureSource(dom: Element): string {
  const given = attribute(dom, 'data-src') || attribute(dom, 'src');
  const [, hash] = /\/media\/([0-9a-f]{64})(?:[.?#]|$)/.exec(given) ?? [];
  const [, starter] = /\/assets\/starters\/([a-z]{1,40})\.png$/.exec(given) ?? [];
  return hash ? `media:${hash}` : starter ? `starter:${starter}` : given;
}

export const picture: NodeSpec = {
  group: 'block columnblock',
  atom: true,
  draggable: true,
  attrs: {
    src: { validate: (value) => text('src', value, isPictureSource) },
    alt: { default: '', validate: (value) => text('alt', value, (alt) => alt.length <= ALT_MAX) },
    width: { default: 100, validate: within('width', PICTURE_WIDTH) },
    align: { default: 'center', validate: align },
    href: { default: null, validate: (value) => value === null || text('href', value, link) },
  },
  parseDOM: [
    {
      tag: 'img',
      getAttrs(found) {
        const dom = found as Element;
        const src = pictureSource(dom);
        if (!isPictureSource(src)) return false;
        const href = attribute(dom, 'data-href') || (dom.closest?.('a')?.getAttribute('href') ?? '');
        const width = Number(attribute(dom, 'data-width'));
        return {
          src,
          alt: attribute(dom, 'alt').slice(0, ALT_MAX),
          width: Number.isInteger(width) && width >= PICTURE_WIDTH.min && width <= PICTURE_WIDTH.max ? width : 100,
          align: readAlign(dom, 'center'),
          href: href !== '' && isLink(href) ? href : null,
        };
      },
    },
  ],
  toDOM({ attrs }) {
    const src = String(attrs.src);
    return [
      'img',
      {
        src: picturePath(src) ?? src,
        alt: String(attrs.alt),
        'data-src': src,
        'data-width': String(attrs.width),
        'data-align': String(attrs.align),
        ...(attrs.href !== null && { 'data-href': String(attrs.href) }),
        style: `width:${Number(attrs.width)}%`,
      },
    ];
  },
};

export const button: NodeSpec = {
  group: 'block columnblock',
  content: '(text | variable)*',
  marks: '',
  defining: true,
  attrs: {
    href: { default: '', validate: (value) => text('href', value, link) },
    align: { default: 'start', validate: align },
  },
  parseDOM: [
    {
      tag: 'div[data-button]',
      getAttrs(found) {
        const dom = found as Element;
        const href = attribute(dom, 'data-href');
        return { href: isLink(href) ? href : '', align: readAlign(dom) };
      },
    },
  ],
  toDOM: ({ attrs }) => [
    'div',
    { 'data-button': '', 'data-href': String(attrs.href), ...blockAttributes(attrs) },
    ['span', 0],
  ],
};

export const spacer: NodeSpec = {
  group: 'block columnblock',
  atom: true,
  attrs: { height: { default: 24, validate: within('height', SPACER_HEIGHT) } },
  parseDOM: [
    {
      tag: 'div[data-spacer]',
      getAttrs(dom) {
        const height = Math.round(Number(attribute(dom, 'data-spacer')));
        return { height: Math.min(SPACER_HEIGHT.max, Math.max(SPACER_HEIGHT.min, height || 24)) };
      },
    },
  ],
  toDOM: ({ attrs }) => ['div', { 'data-spacer': String(attrs.height), style: `height:${Number(attrs.height)}px` }],
};

function readSocial(json: string): SocialLink[] {
  try {
    const links = JSON.parse(json) as unknown;
    return Array.isArray(links) ? links.filter(isSocialLink).slice(0, SOCIAL_MAX) : [];
  } catch {
    return [];
  }
}

function isSocialLink(value: unknown): value is SocialLink {
  if (typeof value !== 'object' || value === null) return false;
  const { network, url } = value as Record<string, unknown>;
  return (
    isNetwork(network) && typeof url === 'string' && (url === '' || isLink(url)) && Object.keys(value).length === 2
  );
}

export const social: NodeSpec = {
  group: 'block',
  atom: true,
  draggable: true,
  attrs: {
    links: {
      default: [],
      validate(value) {
        if (!Array.isArray(value) || value.length > SOCIAL_MAX || !value.every(isSocialLink))
          throw new RangeError('links: not a list of links to networks');
      },
    },
  },
  parseDOM: [{ tag: 'div[data-social]', getAttrs: (dom) => ({ links: readSocial(attribute(dom, 'data-social')) }) }],
  toDOM: ({ attrs }) => [
    'div',
    { 'data-social': JSON.stringify(attrs.links) },
    (attrs.links as SocialLink[]).map(({ network }) => network).join(' · '),
  ],
};

/** As templates write it, harmless in HTML, too; the fallback is what stands there where the value is empty. */
export const variableSource = (name: string, fallback = ''): string =>
  fallback === ''
    ? `{{ ${name} }}`
    : `{{ ${name} | default: "${fallback.replace(/[^\p{L}\p{N} .,:;!?()-]/gu, escaped)}" }}`;

const escaped = (character: string) =>
  [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');

export const variable: NodeSpec = {
  group: 'inline',
  inline: true,
  atom: true,
  attrs: {
    name: { validate: (value) => text('name', value, (name) => VARIABLE_NAME.test(name)) },
    fallback: {
      default: '',
      validate: (value) => text('fallback', value, (fallback) => fallback.length <= FALLBACK_MAX),
    },
  },
  leafText: ({ attrs }) => variableSource(String(attrs.name), String(attrs.fallback)),
  parseDOM: [
    {
      tag: 'span[data-variable]',
      getAttrs(found) {
        const dom = found as Element;
        const name = attribute(dom, 'data-variable');
        if (!VARIABLE_NAME.test(name)) return false;
        return { name, fallback: attribute(dom, 'data-fallback').slice(0, FALLBACK_MAX) };
      },
    },
  ],
  toDOM: ({ attrs }) => [
    'span',
    { 'data-variable': String(attrs.name), 'data-fallback': String(attrs.fallback) },
    `{{ ${String(attrs.name)} }}`,
  ],
};
