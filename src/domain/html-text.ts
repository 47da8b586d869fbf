import { compile, type DomNode, type FormatCallback } from 'html-to-text';

/** A conversion tells here what it met that depends on values which are not known yet. */
interface Findings {
  unprovable: boolean;
}

/** Private-use characters around the index of an output stand for its value while a template is converted. */
const MARK = /\uE000(\d+)\uE001/;
const MARKS = new RegExp(MARK, 'g');

/** A value whose place in the text is the place of its mark: words with single spaces between them, nothing else. */
export const isPlainValue = (value: string): boolean => /^[^\s\0\u200b]+(?: [^\s\0\u200b]+)*$/.test(value);

const formatLink: FormatCallback = (element, walk, builder) => {
  const target = attribute(element, 'href');
  const href = target.replace(/^mailto:/i, '');
  let text = '';
  builder.pushWordTransform((word) => {
    text += word;
    return word;
  });
  walk(element.children, builder);
  builder.popWordTransform();
  const [bareHref, bareText] = [withoutSpace(href), withoutSpace(text)];
  const { metadata } = builder as unknown as { metadata?: Findings };
  if (metadata && !isLinkProvable(target, bareHref, bareText)) metadata.unprovable = true;
  if (href === '' || href.startsWith('#') || bareHref === bareText) return;
  builder.addInline(bareText === '' ? href : ` [${href}]`, { noWordTransform: true });
};

const withoutSpace = (text: string) => text.replace(/[\s\u200b]+/g, '');

/** Whether what `formatLink` decides is the same for all plain values. */
function isLinkProvable(target: string, href: string, text: string): boolean {
  if (!MARK.test(target) && !MARK.test(text)) return true;
  if (href === '' || href.startsWith('#')) return true;
  if (MARK.test(target) && !/^(?:https?:\/\/|mailto:)/i.test(target)) return false;
  if (href === text) return true;
  const [fixedHref, fixedText] = [href, text].map((part) => part.split('\uE000', 1)[0]!) as [string, string];
  if (fixedHref === '') return false;
  return text === '' || (!fixedHref.startsWith(fixedText) && !fixedText.startsWith(fixedHref));
}

const formatImage: FormatCallback = (element, _walk, builder) => {
  const alt = attribute(element, 'alt');
  if (alt !== '') builder.addInline(alt, {});
};

const attribute = (element: DomNode, name: string): string =>
  (element.attribs as Record<string, string> | undefined)?.[name] ?? '';

const block = { format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } };

const convert: (html: string, findings?: Findings) => string = compile({
  wordwrap: false,
  // Conversion is recursive: what lies deeper than anybody nests is left out, instead of overflowing the stack.
  limits: { maxDepth: 300 },
  formatters: { link: formatLink, alt: formatImage },
  selectors: [
    { selector: 'a', format: 'link' },
    { selector: 'img', format: 'alt' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ...['table', 'tr', 'td', 'th'].map((selector) => ({ selector, ...block })),
    ...['head', 'style', 'script', 'title', 'template'].map((selector) => ({ selector, format: 'skip' })),
  ],
});

/** The text part for an HTML part: links in brackets after their text, lists, images by their alt text; lines are not wrapped. */
export const htmlToText = (html: string): string => convert(html);

/**
 * The text part of a template that only puts values between fixed HTML: the same fixed texts and outputs, for text.
 * For all values that are plain, filling it gives exactly `htmlToText` of the filled (and escaped) HTML.
 * @returns null where that cannot be known beforehand: a value in a comment, a script, a tag outside the quoted attributes
 * that don't matter, beside an unfinished `<` or `&`, or in a link whose target could equal its text
 */
export function textTemplate(html: { statics: string[]; outputs: number[] }): typeof html | null {
  if (html.statics.some((fixed) => /[\uE000\uE001]/.test(fixed))) return null;
  const marked = html.statics.reduce((text, fixed, i) => `${text}\uE000${html.outputs[i - 1]}\uE001${fixed}`);
  if (!areMarksHarmless(marked)) return null;
  const findings: Findings = { unprovable: false };
  const text = convert(marked, findings);
  if (findings.unprovable) return null;
  const parts = text.split(MARKS);
  return {
    statics: parts.filter((_, i) => i % 2 === 0),
    outputs: parts.filter((_, i) => i % 2 === 1).map(Number),
  };
}

const OPAQUE =
  /<!--[^]*?(?:-->|$)|<(script|style|title|textarea|xmp|iframe|noembed|noframes|noscript|plaintext|svg|math)\b[^]*?(?:<\/\1\s*>|$)/gi;
const TAG = /<[/!?]?[a-z](?:[^<>"']|"[^"]*"|'[^']*')*>/gi;
const HARMLESS_ATTRIBUTE =
  /\s(?:href|src|alt|style|title|class|id|width|height|bgcolor|color|align)\s*=\s*(?:"[^"]*"|'[^']*')/gi;

function areMarksHarmless(html: string): boolean {
  let harmless = true;
  const check = (part: string) => {
    if (MARK.test(part)) harmless = false;
    return ' ';
  };
  const text = html.replace(OPAQUE, check).replace(TAG, (tag) => check(tag.replace(HARMLESS_ATTRIBUTE, '')));
  const attributes = [...html.matchAll(HARMLESS_ATTRIBUTE)].join(' ');
  return harmless && (!MARK.test(text) || !text.includes('<')) && !/&#?\w*\uE000/.test(text + attributes);
}
