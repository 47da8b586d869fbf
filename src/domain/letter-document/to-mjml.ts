import type { Node } from 'prosemirror-model';
import { FOOTER_PLACE } from '../footer';
import { subjectTitle } from '../subject-title';
import { escapedLink, inlineHtml, sideOf } from './inline-html';
import { directionOf, languageOf } from './language-of';
import { element, type Mjml } from './mjml';
import { stylesOf } from './styles';
import { footerHtml, socialHtml, TEXT_BLOCKS, textHtml } from './text-html';
import { type Brand, type Look, lookOf } from './theme';
import { templateHtml, typedHtml } from './typed-text';

/** What a letter's HTML says beside its document. */
export interface Surroundings {
  subject: string;
  preheader: string;
  brand: Brand;
  /** What stands for the logo where pictures are not shown. */
  sender: string;
  /** The address under which letters find an uploaded picture; others are as the document says. */
  pictureUrl: (src: string) => string;
}

const WIDTH = 600;
/** Beside the text of a letter, and beside that of a column. */
const SIDE = 32;
const GAP = 12;

/** Where blocks stand: how wide they can be, and the room beside them. */
interface Room {
  width: number;
  side: number;
  /** The class of its texts. */
  kind: 't' | 'c' | '';
}

const WHOLE: Room = { width: WIDTH, side: SIDE, kind: 't' };

/**
 * The letter as MJML: tables for Outlook, one column on phones, colours for the dark. Depends on nothing but its
 * arguments, so the same document always becomes the same letter.
 */
export function documentToMjml(doc: Node, around: Surroundings): Mjml {
  const look = lookOf(around.brand);
  const { lang, dir } = languageOf(doc.textContent);
  return element('mjml', { lang, dir }, [
    headOf(around.subject, look),
    element('mj-body', { 'background-color': look.light.page, width: `${WIDTH}px`, 'css-class': 'page' }, [
      ...preheaderOf(around.preheader),
      element('mj-section', { padding: '12px 0' }, [element('mj-column', {}, [])]),
      ...logo(around, look, dir),
      ...sectionsOf(doc, look, around),
      section(
        [text('f', FOOTER_PLACE, look.light.muted, { padding: `12px ${SIDE}px 24px`, 'font-size': '13px' })],
        look,
      ),
      element('mj-section', { padding: '12px 0' }, [element('mj-column', {}, [])]),
    ]),
  ]);
}

/** MJML's own one is white on white as well, for which spam filters take points. */
const preheaderOf = (preheader: string): Mjml[] =>
  preheader.trim() === ''
    ? []
    : [
        element(
          'mj-raw',
          {},
          `<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">${templateHtml(preheader)}</div>`,
        ),
      ];

function headOf(subject: string, look: Look): Mjml {
  return element('mj-head', {}, [
    element('mj-title', {}, typedHtml(subjectTitle(subject))),
    element(
      'mj-raw',
      {},
      '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">',
    ),
    element('mj-attributes', {}, [element('mj-all', { 'font-family': look.font })]),
    element('mj-style', {}, stylesOf(look)),
  ]);
}

function logo({ brand, sender, pictureUrl }: Surroundings, look: Look, dir: 'ltr' | 'rtl'): Mjml[] {
  if (brand.logo === null) return [];
  const image = {
    src: pictureUrl(brand.logo),
    alt: typedHtml(sender),
    width: '160px',
    align: sideOf('start', dir),
    padding: `24px ${SIDE}px 0`,
    'css-class': 't',
  };
  return [section([element('mj-image', image)], look)];
}

/** Columns are rows of their own; what stands between two of them is one. */
function sectionsOf(doc: Node, look: Look, around: Surroundings): Mjml[] {
  const sections: Mjml[] = [];
  let run: Node[] = [];
  const flush = () => {
    if (run.length > 0) sections.push(section(blocksOf(run, WHOLE, look, around, sections.length === 0), look));
    run = [];
  };
  for (const node of doc.children) {
    if (node.type.name !== 'columns') {
      run.push(node);
      continue;
    }
    flush();
    sections.push(columnsOf(node, look, around));
  }
  flush();
  return sections;
}

const section = (children: Mjml[], look: Look): Mjml =>
  element('mj-section', { 'background-color': look.light.card, padding: '0', 'css-class': 'card' }, [
    element('mj-column', {}, children),
  ]);

function columnsOf(columns: Node, look: Look, around: Surroundings): Mjml {
  const side = SIDE - GAP;
  const room: Room = { width: Math.floor((WIDTH - 2 * side) / columns.childCount), side: GAP, kind: 'c' };
  return element(
    'mj-section',
    { 'background-color': look.light.card, padding: `0 ${side}px`, 'css-class': 'card' },
    columns.children.map((column) =>
      element('mj-column', { 'vertical-align': 'top' }, blocksOf(column.children, room, look, around, false)),
    ),
  );
}

/** @param isFirst whether the letter begins with them: a wide picture then fills the whole width, and others keep off the edge */
function blocksOf(nodes: readonly Node[], room: Room, look: Look, around: Surroundings, isFirst: boolean): Mjml[] {
  const made: Mjml[] = [];
  let texts: string[] = [];
  const flush = () => {
    if (texts.length > 0) made.push(text(room.kind, texts.join('\n'), look.light.text, { padding: paddingOf(room) }));
    texts = [];
  };
  const isBanner =
    isFirst && around.brand.logo === null && nodes[0]?.type.name === 'picture' && nodes[0].attrs.width === 100;
  if (isFirst && !isBanner) made.push(element('mj-spacer', { height: '28px' }));
  nodes.forEach((node, i) => {
    if (TEXT_BLOCKS.has(node.type.name)) {
      texts.push(textHtml(node, look));
      return;
    }
    flush();
    const isWide = isBanner && i === 0;
    made.push(...blockOf(node, isWide ? { ...room, side: 0, kind: '' } : room, look, around));
    if (isWide) made.push(element('mj-spacer', { height: '12px' }));
  });
  flush();
  return made;
}

const paddingOf = ({ side }: Room, above = 0, below = 0) => `${above}px ${side}px ${below}px`;

function blockOf(node: Node, room: Room, look: Look, around: Surroundings): Mjml[] {
  switch (node.type.name) {
    case 'picture':
      return [pictureOf(node, room, around)];
    case 'button':
      return [buttonOf(node, room, look)];
    case 'divider':
      return [
        element('mj-divider', {
          'border-width': '1px',
          'border-color': look.light.line,
          padding: paddingOf(room, 8, 24),
          'css-class': `line ${room.kind}`,
        }),
      ];
    case 'spacer':
      return [element('mj-spacer', { height: `${Number(node.attrs.height)}px` })];
    case 'social':
      return (node.attrs.links as unknown[]).length === 0
        ? []
        : [text(room.kind, socialHtml(node, look), look.light.text, { padding: paddingOf(room) })];
    case 'footer':
      return [
        text('f', footerHtml(node, look), look.light.muted, { padding: paddingOf(room, 8, 8), 'font-size': '13px' }),
      ];
    default:
      return [];
  }
}

/** `f` is small print; the others are named by their room. */
const text = (kind: Room['kind'] | 'f', html: string, color: string, more: Record<string, string>): Mjml =>
  element('mj-text', { color, 'font-size': '16px', 'line-height': '1.6', 'css-class': kind, ...more }, html);

function pictureOf({ attrs }: Node, room: Room, { pictureUrl }: Surroundings): Mjml {
  const width = Math.max(1, Math.round(((room.width - 2 * room.side) * Number(attrs.width)) / 100));
  const more: Record<string, string> = {};
  if (typeof attrs.href === 'string' && attrs.href !== '') more.href = escapedLink(attrs.href);
  // On phones columns stand below each other, so there is more room than on a desk.
  if (attrs.width === 100) more['fluid-on-mobile'] = 'true';
  return element('mj-image', {
    src: typedHtml(pictureUrl(String(attrs.src))),
    alt: typedHtml(String(attrs.alt)),
    width: `${width}px`,
    align: sideOf(attrs.align, null),
    padding: paddingOf(room, 0, 16),
    'css-class': room.kind,
    ...more,
  });
}

function buttonOf(node: Node, room: Room, look: Look): Mjml {
  const attributes = {
    href: escapedLink(String(node.attrs.href)),
    align: sideOf(node.attrs.align, directionOf(node.textContent)),
    'background-color': look.button.background,
    color: look.button.text,
    'border-radius': '6px',
    'font-size': '16px',
    'font-weight': 'bold',
    'line-height': '1.25',
    'inner-padding': '14px 28px',
    padding: paddingOf(room, 6, 22),
    'css-class': room.kind,
  };
  return element('mj-button', attributes, inlineHtml(node, look));
}
