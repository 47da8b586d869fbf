import { Tokenizer } from 'htmlparser2';

/** Gmail shows no more of a letter, and drops style sheets that are larger. */
const CLIPPED = 102 * 1024;
const STYLES = { each: 8 * 1024, all: 16 * 1024 };

/**
 * What breaks letters in Outlook, Gmail, Apple Mail or in the dark, as far as rules can find it: each a sentence; none if
 * all is well.
 */
export function flawsOf(html: string): string[] {
  const flaws = new Set<string>();
  const must = (holds: boolean, flaw: string) => void (holds || flaws.add(flaw));
  must(/^<!doctype html>/i.test(html), 'no doctype');
  must(
    /<html[^>]* lang="[a-z]{2,3}"/.test(html) && /<html[^>]* dir="(?:ltr|rtl)"/.test(html),
    'no language or direction',
  );
  must(/<title>[^<]+<\/title>/.test(html), 'no title');
  must(html.includes('<meta name="color-scheme" content="light dark">'), 'nothing about the dark');
  must(/name="viewport"/.test(html), 'no viewport');
  const styles = [...html.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map(([, css]) => css!);
  must(
    styles.every((css) => css.length < STYLES.each),
    'a style sheet is too large for Gmail',
  );
  must(styles.join('').length < STYLES.all, 'the style sheets are too large for Gmail');
  must(
    styles.every((css) => depthOf(css) <= 2 && !/@(?:import|font-face|supports)/.test(css)),
    'a nested rule',
  );
  conditionals(html, must);
  for (const { name, attributes } of tagsOf(html)) tag(name, attributes, must);
  return [...flaws];
}

export const isClipped = (html: string): boolean => Buffer.byteLength(html) > CLIPPED;

type Must = (holds: boolean, flaw: string) => void;

function depthOf(css: string): number {
  let [depth, most] = [0, 0];
  for (const character of css) {
    if (character === '{') most = Math.max(most, ++depth);
    else if (character === '}') depth--;
  }
  return depth === 0 ? most : Infinity;
}

/** For Outlook: each begins and ends, and what they contain together with the rest is balanced. */
function conditionals(html: string, must: Must): void {
  const marks = html.match(/<!--\[if[^\]]*\]>(?:<!-->)?|<!(?:--<!)?\[endif\]-->/g) ?? [];
  must(
    marks.every((mark, i) => mark.includes('[endif]') === (i % 2 === 1)) && marks.length % 2 === 0,
    'a condition for Outlook is open',
  );
  for (const seen of [
    html
      .replace(/<!--\[if !mso[^\]]*\]><!-->[^]*?<!--<!\[endif\]-->/g, '')
      .replace(/<!--\[if [^\]]*\]>([^]*?)<!\[endif\]-->/g, '$1'),
    html.replace(/<!--\[if (?!!mso)[^\]]*\]>[^]*?<!\[endif\]-->/g, ''),
  ])
    for (const name of ['table', 'tr', 'td', 'div', 'p', 'a', 'ul', 'ol', 'li', 'strong', 'em', 'h1', 'h2', 'h3'])
      must(count(seen, `<${name}[\\s>]`) === count(seen, `</${name}>`), `<${name}> is not balanced`);
}

const count = (html: string, pattern: string) => html.match(new RegExp(pattern, 'g'))?.length ?? 0;

/** Of style attributes, what the Word engine does not know and would need otherwise. */
const UNSUPPORTED =
  /(?:^|;)\s*(?:display:\s*(?:flex|grid)|background-image|position|float|transform|background:[^;]*url)/;

function tag(name: string, attributes: Map<string, string>, must: Must): void {
  const style = attributes.get('style') ?? '';
  must(!UNSUPPORTED.test(style), `a style that Outlook does not know: ${style}`);
  must(!/color:\s*(?:transparent|black|#000)/.test(style), 'a colour that is lost in the dark');
  must(![...attributes.keys()].some((key) => key.startsWith('on')), 'a handler');
  must(!['script', 'iframe', 'form', 'object', 'link', 'base', 'svg', 'video'].includes(name), `<${name}>`);
  if (name === 'table') must(attributes.get('role') === 'presentation', 'a table that is read as one');
  if (name === 'img') {
    must(attributes.has('alt'), 'a picture without alt');
    must(/^\d+$/.test(attributes.get('width') ?? ''), 'a picture without a width for Outlook');
    must(/^https:/.test(attributes.get('src') ?? ''), 'a picture from nowhere');
  }
  if (name === 'a') must(/^(?:https?:|mailto:|tel:|\{\{ )/.test(attributes.get('href') ?? ''), 'a link to nowhere');
}

/** All tags, those within conditions too. */
function tagsOf(html: string): { name: string; attributes: Map<string, string> }[] {
  const source = html.replace(/<!--\[if[^\]]*\]>(?:<!-->)?|<!(?:--<!)?\[endif\]-->/g, '');
  const tags: { name: string; attributes: Map<string, string> }[] = [];
  let [attribute, value] = ['', ''];
  const nothing = () => undefined;
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname: (start, end) =>
        void tags.push({ name: source.slice(start, end).toLowerCase(), attributes: new Map() }),
      onattribname: (start, end) => void ([attribute, value] = [source.slice(start, end).toLowerCase(), '']),
      onattribdata: (start, end) => void (value += source.slice(start, end)),
      onattribentity: (codepoint) => void (value += String.fromCodePoint(codepoint)),
      onattribend: () => void tags.at(-1)?.attributes.set(attribute, value),
      onopentagend: nothing,
      onselfclosingtag: nothing,
      onclosetag: nothing,
      ontext: nothing,
      ontextentity: nothing,
      oncdata: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onprocessinginstruction: nothing,
      onend: nothing,
    },
  );
  tokenizer.write(source);
  tokenizer.end();
  return tags;
}
