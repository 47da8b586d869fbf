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
 * `Name: value` of an unstructured field, folded. What is not printable ASCII, looks like an encoded word, or can't be folded
 * without changing it, is written as encoded words; with `verbatim`, printable ASCII is always left as it is.
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
 * Encoded words (RFC 2047), each on a line of its own, none of which splits a character; base64 or Q, whichever is shorter.
 * The first begins at `column`.
 */
function encodedWords(text: string, column: number): string {
  let qLength = 0;
  const characters = Array.from(text, (character) => {
    const q = qEncode(character);
    qLength += q.length;
    return { q, octets: Buffer.byteLength(character) };
  });
  const octets = Buffer.byteLength(text);
  const useQ = qLength <= Math.ceil(octets / 3) * 4;
  const words: string[] = [];
  let [word, size, from, at] = ['', 0, 0, 0];
  const ownLine = column > MAX_LINE / 2;
  let room = ownLine ? MAX_LINE - 1 : MAX_LINE - column;
  const bytes = useQ ? null : Buffer.from(text);
  const flush = () => {
    words.push(bytes ? `=?utf-8?B?${bytes.toString('base64', from, at)}?=` : `=?utf-8?Q?${word}?=`);
    [word, size, from, room] = ['', 0, at, MAX_LINE - 1];
  };
  for (const character of characters) {
    const grown = size + (useQ ? character.q.length : character.octets);
    if (size > 0 && WORD_OVERHEAD + (useQ ? grown : Math.ceil(grown / 3) * 4) > room) flush();
    size += useQ ? character.q.length : character.octets;
    if (useQ) word += character.q;
    at += character.octets;
  }
  flush();
  return (ownLine ? '\r\n ' : '') + words.join('\r\n ');
}

/** One character in Q, for phrases too (RFC 2047 5.3). */
function qEncode(character: string): string {
  if (/^[A-Za-z0-9!*+/-]$/.test(character)) return character;
  if (character === ' ') return '_';
  return Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '=$&');
}
