const rules = { en: new Intl.PluralRules('en'), ru: new Intl.PluralRules('ru') };
const numbers = { en: new Intl.NumberFormat('en'), ru: new Intl.NumberFormat('ru') };

/** `1,204 letters`: the number formatted for the language, and the matching form of the word. */
export const countEn = (n: number, one: string, other: string): string =>
  `${numbers.en.format(n)} ${rules.en.select(n) === 'one' ? one : other}`;

const MEGABYTE = 2 ** 20;
const sizeIn =
  (mega: string, kilo: string) =>
  (bytes: number): string =>
    bytes < MEGABYTE ? `${Math.ceil(bytes / 1024)} ${kilo}` : `${Math.floor(bytes / MEGABYTE)} ${mega}`;

/** The size of a file, for people. */
export const sizeEn = sizeIn('MB', 'KB');
export const sizeRu = sizeIn('МБ', 'КБ');

/** 1 письмо, 2 письма, 5 писем; fractions take the second form, as in speech. */
export function countRu(n: number, one: string, few: string, many: string): string {
  const form = rules.ru.select(n);
  return `${numbers.ru.format(n)} ${form === 'one' ? one : form === 'many' ? many : few}`;
}
