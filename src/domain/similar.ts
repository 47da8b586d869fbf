import { distance } from 'fastest-levenshtein';

/** Names that are longer are not compared: the work grows with the product of the lengths. */
const MAX_LENGTH = 60;

/** Of these names the one that was probably meant by `name`, if it differs by few letters; case does not count. */
export function similarTo(name: string, known: readonly string[]): string | null {
  if (name.length > MAX_LENGTH) return null;
  const wanted = name.toLowerCase();
  let best: { name: string; distance: number } | null = null;
  for (const candidate of known) {
    const apart = candidate.length > MAX_LENGTH ? Infinity : distance(wanted, candidate.toLowerCase());
    if (
      apart <= Math.max(wanted.length < 4 ? 1 : 2, Math.floor(wanted.length / 3)) &&
      apart < (best?.distance ?? Infinity)
    )
      best = { name: candidate, distance: apart };
  }
  return best?.name ?? null;
}
