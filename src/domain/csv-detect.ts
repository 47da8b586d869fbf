/**
 * The 8-bit and double-byte encodings that are told apart, the more usual first: it wins where the text is the same.
 * Detectors for long texts (chardet, jschardet) take the few words of a short file for Romanian or Hebrew.
 */
export const LEGACY_ENCODINGS = [
  'windows-1251',
  'windows-1252',
  'windows-1250',
  'koi8-r',
  'ibm866',
  'x-mac-cyrillic',
  'iso-8859-5',
  'windows-1253',
  'windows-1254',
  'windows-1257',
  'macintosh',
  'gbk',
  'shift_jis',
  'big5',
  'euc-kr',
  'euc-jp',
] as const;
export type LegacyEncoding = (typeof LEGACY_ENCODINGS)[number];

export interface Guess {
  encoding: LegacyEncoding;
  /** Whether no other encoding gives a text that is almost as likely. */
  sure: boolean;
}

const DOUBLE_BYTE = new Set<LegacyEncoding>(['gbk', 'shift_jis', 'big5', 'euc-kr', 'euc-jp']);
/** Bytes that are scored; each candidate decodes them once. */
const SCORED_BYTES = 4 * 1024;

/** Guesses which encoding makes the words of a text likely: one script a word, capitals only in front, usual letters. */
export function guessEncoding(sample: Uint8Array): Guess {
  const words = wordsOf(sample);
  const scored = LEGACY_ENCODINGS.map((encoding) => {
    const text = new TextDecoder(encoding).decode(words);
    return {
      encoding,
      text,
      score: DOUBLE_BYTE.has(encoding) ? scoreDouble(text, encoding) : scoreSingle(text, encoding),
    };
  }).sort((a, b) => b.score - a.score);
  const [best, ...others] = scored as [(typeof scored)[0], ...typeof scored];
  const next = others.find((other) => other.text !== best.text);
  return { encoding: best.encoding, sure: best.score > 0 && (!next || best.score - Math.max(next.score, 0) >= 1) };
}

/** The lines that are not ASCII throughout, up to SCORED_BYTES. */
function wordsOf(sample: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let at = 0; at < sample.length && size < SCORED_BYTES;) {
    let end = sample.indexOf(0x0a, at);
    if (end < 0) end = sample.length;
    const line = sample.subarray(at, Math.min(end + 1, at + SCORED_BYTES));
    if (line.some((byte) => byte > 0x7f)) {
      parts.push(line);
      size += line.length;
    }
    at = end + 1;
  }
  return Buffer.concat(parts).subarray(0, SCORED_BYTES);
}

const SCRIPTS = [/\p{Script=Cyrillic}/u, /\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Hebrew}/u];
/** Signs that ordinary texts have. */
const USUAL_SIGNS = /[«»„“”‘’‚–—…№€£°§©®™·•\u00a0]/u;
/** Letters of the alphabets that an encoding is used for. */
const LETTERS: Partial<Record<LegacyEncoding, string>> = {
  'windows-1252': 'éèêàâçùûôîïëœæäöüßñóáíúãõåøìòÿ',
  macintosh: 'éèêàâçùûôîïëœæäöüßñóáíúãõåøìòÿ',
  'windows-1250': 'ąćęłńóśźżáčďéěíňřšťúůýžőűăâîşţäöüßëôĺľŕç',
  'windows-1254': 'ğışçöüâî',
  'windows-1257': 'āčēģīķļņšūžąęėįųõäöü',
};
const RARE: Partial<Record<LegacyEncoding, string>> = { 'windows-1252': 'õãûïòì', 'windows-1250': 'ëţşĺŕ' };
const RUSSIAN = 'оеаинтсрвлкмдпуяыьгзбй';
const CYRILLIC = 'чхжшюцщэфъёіїєґў';

function scoreSingle(text: string, encoding: LegacyEncoding): number {
  let score = 0;
  for (const [word] of text.matchAll(/[^\s;,"|\t]+/gu))
    if (/[^\u0000-\u007f]/.test(word)) score += scoreWord(word, encoding);
  return score;
}

function scoreWord(word: string, encoding: LegacyEncoding): number {
  let score = 0;
  let [letters, foreign] = [0, 0];
  const scripts = new Set<number>();
  let before = '';
  for (const c of word) {
    const script = SCRIPTS.findIndex((one) => one.test(c));
    if (script >= 0) {
      letters++;
      scripts.add(script);
      if (/\p{Lu}/u.test(c) && /\p{Ll}/u.test(before)) score -= c > '\u007f' || before > '\u007f' ? 2 : 0;
    }
    if (c > '\u007f') score += scoreSign(c, script, encoding, before);
    if (c > '\u007f' && script === 1) foreign++;
    before = c;
  }
  if (scripts.size > 1) score -= 2 * letters;
  // A word of accented letters only is a word of another script.
  if (letters > 2 && foreign > 0.6 * letters) score -= 1.5 * foreign;
  return score;
}

function scoreSign(c: string, script: number, encoding: LegacyEncoding, before: string): number {
  const lower = c.toLowerCase();
  if (c === '\ufffd') return -4;
  if (script === 0) return RUSSIAN.includes(lower) ? 1 : CYRILLIC.includes(lower) ? 0.6 : 0.1;
  if (script === 1) {
    if (!(LETTERS[encoding] ?? '').includes(lower)) return -0.2;
    return (RARE[encoding] ?? '').includes(lower) ? 0.8 : lower === 'ø' ? 0.95 : 1;
  }
  if (script >= 2) return 1;
  if (USUAL_SIGNS.test(c)) return /\p{L}/u.test(before) && !/[’´\u00a0»”™®…°]/u.test(c) ? -1 : 0.1;
  return /[\u0080-\u009f\u2500-\u25ff]/u.test(c) ? -3 : -1.5;
}

/** Two bytes count as two letters. A character that took an ASCII letter's place stands between others of these. */
function scoreDouble(text: string, encoding: LegacyEncoding): number {
  let score = 0;
  let before = '';
  for (const c of text) {
    if (/[a-z]/i.test(c) && before > '\u2fff') score -= 3;
    if (c > '\u007f') score += scoreWide(c, encoding) - (/[a-z]/i.test(before) ? 3 : 0);
    before = c;
  }
  return score;
}

function scoreWide(c: string, encoding: LegacyEncoding): number {
  if (c === '\ufffd') return -6;
  if (/\p{Script=Hiragana}|[\u30a0-\u30ff]/u.test(c)) return encoding === 'gbk' || encoding === 'big5' ? 0 : 2;
  if (/[\uff61-\uff9f]/u.test(c)) return -1.5;
  if (/\p{Script=Hangul}/u.test(c)) return encoding === 'euc-kr' ? 2 : -2;
  if (/\p{Script=Han}/u.test(c)) return HAN[encoding as keyof typeof HAN](c);
  return /[\u3000-\u303f\uff01-\uff5e·]/u.test(c) ? 0.5 : -2;
}

/** The characters that an encoding has first because they are frequent. */
const level = (encoding: 'gbk' | 'big5', first: [number, number]) => {
  const known = new Set<string>();
  const decoder = new TextDecoder(encoding);
  for (let lead = first[0]; lead <= first[1]; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++)
      if (encoding === 'gbk' ? trail >= 0xa1 : trail < 0x7f || trail >= 0xa1)
        known.add(decoder.decode(Uint8Array.of(lead, trail)));
  return known;
};
let simplified: Set<string> | undefined;
let traditional: Set<string> | undefined;
const isSimplified = (c: string) => (simplified ??= level('gbk', [0xb0, 0xd7])).has(c);
const isTraditional = (c: string) => (traditional ??= level('big5', [0xa4, 0xc6])).has(c);

const HAN = {
  gbk: (c: string) => (isSimplified(c) ? 1.8 : -2),
  big5: (c: string) => (isTraditional(c) ? 1.75 : -2),
  shift_jis: (c: string) => (isTraditional(c) || isSimplified(c) ? 1.6 : -2),
  'euc-jp': (c: string) => (isTraditional(c) || isSimplified(c) ? 1.4 : -2),
  'euc-kr': () => -1,
};
