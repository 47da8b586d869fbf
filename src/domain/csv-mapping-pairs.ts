import { folded } from './csv-status';
import { at, type FieldProblem, problem } from './problems';

/**
 * What the columns of a file are: what was guessed, except where a pair says otherwise (`Город=fields.city`, or by its
 * index, `2=fields.city`). What is wrong with a target is found where mappings are checked.
 */
export function mappingBy(
  columns: readonly { index: number; header: string; suggested: string }[],
  pairs: readonly string[],
): { mapping: Record<string, string>; errors: FieldProblem[] } {
  const given = new Map<number, string>();
  const errors: FieldProblem[] = [];
  for (const pair of pairs) {
    const end = pair.lastIndexOf('=');
    const [name, target] = [pair.slice(0, Math.max(end, 0)).trim(), pair.slice(end + 1).trim()];
    const column =
      columns.find(({ header }) => header.trim() === name) ??
      columns.find(({ header }) => folded(header) !== '' && folded(header) === folded(name)) ??
      columns.find(({ index }) => String(index) === name);
    if (column && target !== '') given.set(column.index, target);
    else errors.push(...at(`map ${pair.slice(0, 60)}`, problem('no_such_column', { columns: columns.length })));
  }
  const wished = new Set(given.values());
  // What is given to one column is not guessed of another.
  const guess = (suggested: string) => (wished.has(suggested) && suggested !== 'status' ? 'ignore' : suggested);
  return {
    mapping: Object.fromEntries(columns.map(({ index, suggested }) => [index, given.get(index) ?? guess(suggested)])),
    errors,
  };
}
