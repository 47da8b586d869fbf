import type { ValidationError } from '../../domain/errors';
import { en } from './en';
import { ru } from './ru';
import type { Texts } from './shape';

export type { Texts } from './shape';

export const languages = ['en', 'ru'] as const;
export type Language = (typeof languages)[number];

const catalogues: Record<Language, Texts> = { en, ru };

export const textsOf = (language: Language): Texts => catalogues[language];

export const isLanguage = (text: unknown): text is Language => languages.some((language) => language === text);

/** The reader's first choice among ours, by `Accept-Language`. */
export function preferredLanguage(header: string | undefined): Language {
  for (const part of (header ?? '').split(',')) {
    const tag = part.trim().slice(0, 2).toLowerCase();
    if (isLanguage(tag)) return tag;
  }
  return 'en';
}

/** One field's problems by its name, in the reader's language where the sentence is a known one. */
export type FieldProblems = Record<string, string>;

export function fieldProblems(error: ValidationError, texts: Texts): FieldProblems {
  const problems: FieldProblems = {};
  for (const { field, message } of error.details.errors ?? []) problems[field] ??= translateProblem(message, texts);
  return problems;
}

type Rule = [RegExp, (texts: Texts, ...found: string[]) => string];

const RULES: Rule[] = [
  [/^must not be empty$/, (t) => t.problems.empty],
  [/must have at least (\d+) characters/, (t, n) => t.problems.tooShort(n ?? '')],
  [/must have at most (\d+) characters|is longer than (\d+) characters/, (t, a, b) => t.problems.tooLong(a ?? b ?? '')],
  [/line break|control character/i, (t) => t.problems.controls],
  [/must be later than startAt/, (t) => t.problems.endBeforeStart],
  [/must be a date and time/, (t) => t.problems.date],
  [/must lie in the future/, (t) => t.problems.past],
  [/IANA time zone/, (t) => t.problems.zone],
  [/^message \d+ does not exist$|id of a message/, (t) => t.problems.noMessage],
  [/^client (\d+) does not exist$/, (t, id) => t.problems.noClient(id ?? '')],
  [/unknown variable "([^"]*)"/, (t, name) => t.problems.unknownVariable(name ?? '')],
  [/address|@|domain|local part/i, (t) => t.problems.email],
  [/is missing/, (t) => t.problems.missing],
  [/is not your password/, (t) => t.problems.wrongPassword],
];

/** What a feature says about a field, in this language; sentences that nobody translated stay as they are. */
export function translateProblem(message: string, texts: Texts): string {
  for (const [pattern, text] of RULES) {
    const found = pattern.exec(message);
    if (found) return text(texts, ...found.slice(1));
  }
  return message;
}
