/**
 * SQL that folds a text for searching. The stored text and the search term are folded by the same expression, in the
 * database: no other folding, and not JavaScript's, agrees with every collation. The dotted and dotless I, which
 * Turkish and Azeri collations fold differently, are treated as one letter.
 */
export const searched = (sql: string): string => `lower(translate(${sql}, 'İIı', 'iii') COLLATE "default")`;

/** The LIKE pattern that finds this text anywhere, or null if there is nothing to search for. */
export function anywhere(search: string | undefined): string | null {
  const term = search?.trim();
  return term ? `%${literal(term)}%` : null;
}

/** The text with LIKE's own signs taken literally. */
export const literal = (term: string): string => term.replace(/[\\%_]/g, '\\$&');
