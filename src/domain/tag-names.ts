import { singleLineProblem } from './email-address';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';

/** Of one client. */
export const TAGS_MAX = 50;
/** Of one owner. */
export const OWNED_TAGS_MAX = 1_000;
const NAME_MAX = 100;

/** The rule for a tag's name. It has no comma, because forms and files separate names by commas. */
export function tagProblem(name: string): CodedProblem | null {
  if (name === '') return problem('empty');
  if (name.includes('\ufffd')) return problem('broken_character');
  return singleLineProblem(name, NAME_MAX) ?? (name.includes(',') ? problem('tag_comma') : null);
}

/** The tags of one client, as given by a request. */
export function checkTags(given: readonly string[]): { names: string[]; errors: readonly FieldProblem[] } {
  const names = [...new Set(given.map((name) => name.trim()))];
  if (names.length > TAGS_MAX)
    return { names: [], errors: at('tags', problem('too_many', { max: TAGS_MAX, what: 'tags' })) };
  return { names, errors: names.flatMap((name, i) => at(`tags.${i}`, tagProblem(name))) };
}

/** The names in a text such as `VIP, from the fair`. */
export const tagsOf = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** The text from which `tagsOf` reads these names. */
export const tagsText = (names: readonly string[]): string => names.join(', ');
