import { Tokenizer, type TokenizerCallbacks } from 'htmlparser2';
import { organisationOf } from './dmarc';

/** What filters and readers look at in a letter's HTML. */
export interface ContentFacts {
  htmlBytes: number;
  imagesWithoutAlt: number;
  /** How much of the letter pictures take, from 0 to 1: an estimate from the sizes that images name and the text's length. */
  pictureShare: number;
  /** Links whose text names another host than they lead to; at most LISTED. */
  misleading: { text: string; host: string }[];
  /** Links by a service that hides where they lead. */
  shortened: Examples;
  /** Links and pictures without TLS. */
  plainHttp: Examples;
  /** Pictures within the letter, which many programs do not show. */
  dataImages: number;
}

interface Examples {
  n: number;
  example?: string;
}

const LISTED = 20;
const SHOWN = 200;

/** Of a picture that does not say how large it is, and the room that a character takes in a letter. */
const PICTURE = { width: 600, height: 200 };
const CHARACTER_AREA = 200;

const SHORTENERS = new Set(
  (
    'bit.ly bitly.com j.mp tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly cutt.ly rebrand.ly rb.gy shorturl.at tiny.cc ' +
    'short.io bl.ink t.ly s.id clck.ru vk.cc goo.su u.to qps.ru surl.li'
  ).split(' '),
);

const HOST = /^(?:https?:\/\/)?(?:[\w-]+@)?((?:[\p{L}\d](?:[\p{L}\d-]*[\p{L}\d])?\.)+[\p{L}]{2,24})(?:[/:?#]\S*)?$/iu;
const HIDDEN = new Set(['head', 'style', 'script', 'title', 'template']);

/**
 * Looks through a letter's HTML once.
 * @param own the beginning of links that are our own, which are not judged
 */
export function contentFacts(html: string, own: string): ContentFacts {
  const facts: ContentFacts = {
    htmlBytes: Buffer.byteLength(html),
    imagesWithoutAlt: 0,
    pictureShare: 0,
    misleading: [],
    shortened: { n: 0 },
    plainHttp: { n: 0 },
    dataImages: 0,
  };
  let [characters, pictures] = [0, 0];
  let link: { to: string; text: string } | null = null;
  const end = () => {
    if (link) judgeText(link, facts);
    link = null;
  };
  readTags(html, {
    open(name, attributes) {
      if (name === 'a') {
        end();
        const to = (attributes.get('href') ?? '').trim();
        if (to === '' || to.startsWith(own)) return;
        judgeTarget(to, facts);
        link = { to, text: '' };
      } else if (name === 'img') {
        const source = (attributes.get('src') ?? '').trim();
        if (!attributes.has('alt')) facts.imagesWithoutAlt++;
        if (/^data:/i.test(source)) facts.dataImages++;
        if (/^http:/i.test(source)) add(facts.plainHttp, source);
        pictures += areaOf(attributes);
      }
    },
    close: (name) => name === 'a' && end(),
    text(text) {
      characters += text.replace(/\s+/g, ' ').length - (text.trim() === '' ? 1 : 0);
      if (link && link.text.length < SHOWN) link.text += text;
    },
  });
  end();
  facts.pictureShare = pictures === 0 ? 0 : pictures / (pictures + Math.max(0, characters) * CHARACTER_AREA);
  return facts;
}

function judgeTarget(to: string, facts: ContentFacts): void {
  if (/^http:/i.test(to)) add(facts.plainHttp, to);
  const host = hostOf(to);
  if (host && SHORTENERS.has(host.replace(/^www\./, ''))) add(facts.shortened, to);
}

/** A text that looks like an address leads there, or to the same organisation. */
function judgeText(link: { to: string; text: string }, facts: ContentFacts): void {
  const text = link.text.trim();
  const named = HOST.exec(text)?.[1];
  const host = hostOf(link.to);
  if (!named || !host || facts.misleading.length >= LISTED) return;
  const shown = hostOf(`https://${named}`);
  if (shown && organisationOf(shown) !== organisationOf(host))
    facts.misleading.push({ text: text.slice(0, SHOWN), host });
}

function hostOf(url: string): string | null {
  return /^https?:/i.test(url) ? (URL.parse(url)?.hostname ?? null) : null;
}

function add(examples: Examples, example: string): void {
  examples.n++;
  examples.example ??= example.slice(0, SHOWN);
}

function areaOf(attributes: ReadonlyMap<string, string>): number {
  const side = (name: 'width' | 'height') => {
    const given = parseInt(attributes.get(name) ?? '', 10);
    return Number.isNaN(given) || /%\s*$/.test(attributes.get(name) ?? '') ? PICTURE[name] : Math.min(given, 2_000);
  };
  return side('width') * side('height');
}

interface Reader {
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  close(name: string): void;
  /** Of what is shown. */
  text(text: string): void;
}

/** Reads tags and text without keeping which element is in which, so that the work grows with the length alone. */
function readTags(html: string, reader: Reader): void {
  let name = '';
  let attribute = '';
  let value = '';
  let attributes = new Map<string, string>();
  let hidden = '';
  const opened = () => {
    if (hidden === '') reader.open(name, attributes);
    if (hidden === '' && HIDDEN.has(name)) hidden = name;
  };
  const nothing = () => undefined;
  const callbacks: TokenizerCallbacks = {
    onopentagname(start, end) {
      name = html.slice(start, end).toLowerCase();
      attributes = new Map();
    },
    onattribname(start, end) {
      attribute = html.slice(start, end).toLowerCase();
      value = '';
    },
    onattribdata: (start, end) => void (value += html.slice(start, end)),
    onattribentity: (codepoint) => void (value += String.fromCodePoint(codepoint)),
    onattribend: () => void (attributes.has(attribute) || attributes.set(attribute, value)),
    onopentagend: opened,
    onselfclosingtag: opened,
    onclosetag(start, end) {
      const closed = html.slice(start, end).toLowerCase();
      if (hidden === closed) hidden = '';
      else if (hidden === '') reader.close(closed);
    },
    ontext: (start, end) => void (hidden === '' && reader.text(html.slice(start, end))),
    ontextentity: (codepoint) => void (hidden === '' && reader.text(String.fromCodePoint(codepoint))),
    oncdata: nothing,
    oncomment: nothing,
    ondeclaration: nothing,
    onprocessinginstruction: nothing,
    onend: nothing,
  };
  const tokenizer = new Tokenizer({ decodeEntities: true }, callbacks);
  tokenizer.write(html);
  tokenizer.end();
}
