/** Lines with encoded words are at most this long (RFC 2047 2), folded lines should be at most 78 (RFC 5322 2.1.1). */
const MAX_LINE = 76;
const MAX_QUOTED_NAME = 60;

const PRINTABLE = /^[\x20-\x7E]*$/;
const ATOMS = /^[\w!#$%&'*+/=?^`{|}~-]+(?: [\w!#$%&'*+/=?^`{|}~-]+)*$/;
const WORD_OVERHEAD = '=?utf-8?B??='.length;

/** One line that cannot break out of its header: controls and line separators become a space, outer spaces go. */
export function headerText(text: string): string {
  return PRINTABLE.test(text) ? text.trim() : text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/**
 * `Name: value` of an unstructured field, folded. What is not printable ASCII, looks like an encoded word, or can't be
 * folded without changing it, is written as encoded words; with `verbatim`, printable ASCII is always left as it is.
 */
export function textHeader(name: string, value: string, verbatim = false): string {
  const text = headerText(value);
  const column = name.length + 2;
  if (PRINTABLE.test(text) && (verbatim || !text.includes('=?'))) {
    const folded = fold(text, column);
    if (folded !== null || verbatim) return `${name}: ${folded ?? text}\r\n`;
  }
  return `${name}: ${encodedWords(text, column)}\r\n`;
}

/** `Name: display name <address>`, folded; `address` is written as it is and must be valid. */
export function addressHeader(name: string, displayName: string, address: string, bare = true): string {
  const column = name.length + 2;
  const phrase = phraseText(headerText(displayName), column);
  if (phrase === '') return `${name}: ${bare ? address : `<${address}>`}\r\n`;
  const lastBreak = phrase.lastIndexOf('\n');
  const used = lastBreak < 0 ? column + phrase.length : phrase.length - lastBreak - 1;
  const gap = used + address.length + 3 > MAX_LINE ? '\r\n ' : ' ';
  return `${name}: ${phrase}${gap}<${address}>\r\n`;
}

/** A phrase (RFC 5322 3.2.5): atoms, a quoted string, or encoded words. */
function phraseText(text: string, column: number): string {
  if (PRINTABLE.test(text) && !text.includes('=?') && text.length <= MAX_QUOTED_NAME) {
    return text === '' || ATOMS.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
  }
  return encodedWords(text, column);
}

/** Folds at single spaces only, so that every way of unfolding gives the text back; null if a line stays too long. */
function fold(text: string, column: number): string | null {
  if (column + text.length <= MAX_LINE) return text;
  let folded = '';
  let used = column;
  for (const [i, word] of text.split(/(?<=[^ ]) (?=[^ ])/).entries()) {
    if (i > 0) {
      const breaks = used + 1 + word.length > MAX_LINE;
      folded += breaks ? '\r\n ' : ' ';
      used = breaks ? 1 : used + 1;
    }
    folded += word;
    used += word.length;
    if (used > MAX_LINE) return null;
  }
  return folded;
}

/**
 * Encoded words (RFC 2047), each on a line of its own, none of which splits a character; base64 or Q, whichever is
 * shorter. The first begins at `column`.
 */
function encodedWords(text: string, column: number): string {
  const bytes = Buffer.from(text);
  const useQ = bytes.reduce((length, octet) => length + Q[octet]!.length, 0) <= Math.ceil(bytes.length / 3) * 4;
  const ownLine = column > MAX_LINE / 2;
  let room = ownLine ? MAX_LINE - 1 : MAX_LINE - column;
  const words: string[] = [];
  let [from, at, q] = [0, 0, ''];
  const flush = () => {
    words.push(useQ ? `=?utf-8?Q?${q}?=` : `=?utf-8?B?${bytes.toString('base64', from, at)}?=`);
    [from, q, room] = [at, '', MAX_LINE - 1];
  };
  while (at < bytes.length) {
    let next = at;
    let character = '';
    do character += Q[bytes[next++]!]!;
    while ((bytes[next]! & 0xc0) === 0x80);
    const grown = useQ ? q.length + character.length : Math.ceil((next - from) / 3) * 4;
    if (at > from && WORD_OVERHEAD + grown > room) flush();
    q += character;
    at = next;
  }
  flush();
  return (ownLine ? '\r\n ' : '') + words.join('\r\n ');
}

/** How each octet is written in Q, in phrases too (RFC 2047 5.3). */
const Q = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  if (/[A-Za-z0-9!*+/-]/.test(character)) return character;
  return character === ' ' ? '_' : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
});
