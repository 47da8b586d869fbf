import { isLanguage, type Language } from '../../domain/language';
import type { ValidationError } from '../../domain/errors';
import { worded } from '../../domain/problems';
import { en } from './en';
import { ru } from './ru';
import type { Texts } from './shape';

export type { Texts } from './shape';

export { isLanguage, type Language, languages } from '../../domain/language';

const catalogues: Record<Language, Texts> = { en, ru };

export const textsOf = (language: Language): Texts => catalogues[language];

/** The reader's preferred language of those we have, by `Accept-Language`. */
export function preferredLanguage(header: string | undefined): Language {
  for (const part of (header ?? '').split(',')) {
    const tag = part.trim().slice(0, 2).toLowerCase();
    if (isLanguage(tag)) return tag;
  }
  return 'en';
}

/** The first problem of each field of a form, in the reader's language. */
export type FieldProblems = Record<string, string>;

export function fieldProblems(error: ValidationError, { problems }: Texts): FieldProblems {
  const all = (error.details.errors ?? []).map((found) => [found.field, worded(problems, found)] as const);
  return Object.fromEntries(all.reverse());
}
