import { singleLineProblem } from './email-address';
import { type CodedProblem, problem } from './problems';

/** Tags of one row, and of all rows by an option. */
export const ROW_TAGS_MAX = 50;
/** Tags that one import may make. */
export const NEW_TAGS_MAX = 1_000;
const NAME_MAX = 100;

export type SaidTags = { ok: true; tags: string[] } | { ok: false; problem: CodedProblem };

/**
 * The tags of a row's cells: separated by commas, semicolons or line breaks, as Google Contacts does by ` ::: `, in
 * quotation marks as Mailchimp has them. Its own groups, which begin with an asterisk, are none of the owner's tags.
 */
export function tagsOf(cells: readonly string[]): SaidTags {
  const tags = new Set<string>();
  for (const cell of cells) {
    if (cell === '') continue;
    for (const part of cell.split(/[,;\n]|:::/)) {
      const name = part.trim().replace(/^"|"$/g, '').replace(/\s+/g, ' ').trim();
      if (name === '' || name.startsWith('* ')) continue;
      const wrong = tagProblem(name);
      if (wrong) return { ok: false, problem: wrong };
      tags.add(name);
      if (tags.size > ROW_TAGS_MAX)
        return { ok: false, problem: problem('too_many', { max: ROW_TAGS_MAX, what: 'tags' }) };
    }
  }
  return { ok: true, tags: [...tags] };
}

/** What is wrong with the name of a tag. */
export const tagProblem = (name: string): CodedProblem | null =>
  name === ''
    ? problem('empty')
    : name.includes('\ufffd')
      ? problem('broken_character')
      : singleLineProblem(name, NAME_MAX);
