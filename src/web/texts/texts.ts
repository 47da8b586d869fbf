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

/** The sentences that services say about a field; a test holds them against the sources. */
const RULES: Rule[] = [
  [/^must not be empty$|^must have something/, (t) => t.problems.empty],
  [/must have at least (\d+) characters/, (t, n) => t.problems.tooShort(n)],
  [
    /(?:must have|must be) at most (\d+) characters|^is longer than (\d+) characters/,
    (t, a, b) => t.problems.tooLong(a || b),
  ],
  [/^has more than (\d+) outputs and tags/, (t, n) => t.problems.tooManyTags(n)],
  [/line break|control character/i, (t) => t.problems.controls],
  [/broken character|invisible/, (t) => t.problems.brokenCharacter],
  [/must be later than startAt/, (t) => t.problems.endBeforeStart],
  [/must be a date and time|must be ISO-8601|is no date and time/, (t) => t.problems.date],
  [/must lie in the future/, (t) => t.problems.past],
  [/must be a day such as/, (t) => t.problems.day],
  [/must not be before from/, (t) => t.problems.toBeforeFrom],
  [/must be at most (\d+) periods before to/, (t, n) => t.problems.tooManyPeriods(n)],
  [/IANA time zone/, (t) => t.problems.zone],
  [/^only the first \w+ sending comes before endAt/, (t) => t.mailings.onlyFirst],
  [/^message \S+ does not exist$|id of a message/, (t) => t.problems.noMessage],
  [/^client (\S+) does not exist$/, (t, id) => t.problems.noClient(id)],
  [/^(\d+) of these are no clients of yours: (.*)$/, (t, n, shown) => t.problems.noClients(Number(n), shown)],
  [/must have at most (\d+) ids/, (t, n) => t.problems.tooManyClients(n)],
  [/^must be one of|^must hold read|must be absent/, (t) => t.problems.choose],
  [/must be a nextCursor/, (t) => t.problems.page],
  [/unknown variable "([^"]*)"/, (t, name) => t.problems.unknownVariable(name)],
  [/unknown filter "([^"]*)"/, (t, name) => t.problems.unknownFilter(name)],
  [/unknown tag "([^"]*)"/, (t, name) => t.problems.unknownTag(name)],
  [/^"([^"]*)" cannot be assigned to/, (t, name) => t.problems.notAssignable(name)],
  [/^has (\d+) columns where the header has (\d+)/, (t, has, wanted) => t.problems.columns(has, wanted)],
  [/quotation mark that is not closed/, (t) => t.problems.quoteOpen],
  [/behind a closing quotation mark/, (t) => t.problems.quoteTrailing],
  [/^The first line (?:must name|is longer)/, (t) => t.problems.header],
  [/^The file is empty|^The file has a header, but no clients/, (t) => t.problems.noRows],
  [/^The file is larger than (\d+) bytes/, (t, n) => t.problems.fileTooLarge(n)],
  [/^The file is .* not a text/, (t) => t.problems.notText],
  [/^The upload ended|^The server was stopped/, (t) => t.problems.uploadEnded],
  [/e-mail address|the @|local part|address literal|^(?:The|Every part of the) domain/i, (t) => t.problems.email],
  [/is missing/, (t) => t.problems.missing],
  [/is not your password/, (t) => t.problems.wrongPassword],
];

const PLACE = /^line (\d+)(?:, column (\d+))?: /i;

/** What a feature says about a field, in this language; what a template's parser says is quoted with its place. */
export function translateProblem(message: string, texts: Texts): string {
  const [place = '', line = '', column] = PLACE.exec(message) ?? [];
  const sentence = message.slice(place.length);
  const where = place && texts.problems.place(line, column);
  for (const [pattern, text] of RULES) {
    const found = pattern.exec(sentence);
    if (found) return where + text(texts, ...found.slice(1));
  }
  return place ? where + texts.problems.template(sentence) : sentence;
}
