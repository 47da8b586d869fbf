/**
 * SQL for a text as it is searched. What is stored and what is looked for are folded by the same expression, in the database:
 * no other folding, JavaScript's least of all, agrees with every collation. The letters I, which Turkish and Azeri collations
 * fold in two ways, are one.
 */
export const searched = (sql: string): string => `lower(translate(${sql}, 'İIı', 'iii') COLLATE "default")`;

/** A pattern of LIKE that finds this text anywhere, or null where there is nothing to look for. */
export function anywhere(search: string | undefined): string | null {
  const term = search?.trim();
  return term ? `%${literal(term)}%` : null;
}

/** The text with LIKE's own signs taken literally. */
export const literal = (term: string): string => term.replace(/[\\%_]/g, '\\$&');
