/** The writing systems that name a language well enough for programs that read letters aloud. */
const SCRIPTS: readonly [language: string, letters: RegExp][] = [
  ['en', /\p{Script=Latin}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['zh', /\p{Script=Han}/gu],
];

/** By which letters most of a text is written; `und`, undetermined, if there are none. */
export function languageOf(text: string): { lang: string; dir: 'ltr' | 'rtl' } {
  let [lang, most] = ['und', 0];
  for (const [language, letters] of SCRIPTS) {
    const n = text.match(letters)?.length ?? 0;
    if (n > most) [lang, most] = [language, n];
  }
  return { lang, dir: lang === 'he' || lang === 'ar' ? 'rtl' : 'ltr' };
}

const FIRST = /[\p{Script=Hebrew}\p{Script=Arabic}]|\p{L}/u;

/** The direction of a text by its first letter; null if there is none. */
export function directionOf(text: string): 'ltr' | 'rtl' | null {
  const first = FIRST.exec(text)?.[0];
  if (first === undefined) return null;
  return /[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(first) ? 'rtl' : 'ltr';
}
