import { type CodedProblem, problem } from './problems';
import { tagProblem, TAGS_MAX } from './tag-names';

/** Tags that one import may make. */
export const NEW_TAGS_MAX = 1_000;

export type SaidTags = { ok: true; tags: string[] } | { ok: false; problem: CodedProblem };

/**
 * The tags of a row's cells: separated by commas, semicolons or line breaks, as Google Contacts does by ` ::: `, in
 * quotation marks as Mailchimp has them. Google's own groups, which begin with an asterisk, are none of the owner's tags.
 */
export function tagsInCells(cells: readonly string[]): SaidTags {
  const tags = new Set<string>();
  for (const cell of cells) {
    if (cell === '') continue;
    for (const part of cell.split(/[,;\n]|:::/)) {
      const name = part.trim().replace(/^"|"$/g, '').replace(/\s+/g, ' ').trim();
      if (name === '' || name.startsWith('* ')) continue;
      const wrong = tagProblem(name);
      if (wrong) return { ok: false, problem: wrong };
      tags.add(name);
      if (tags.size > TAGS_MAX) return { ok: false, problem: problem('too_many', { max: TAGS_MAX, what: 'tags' }) };
    }
  }
  return { ok: true, tags: [...tags] };
}
