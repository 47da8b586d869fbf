/** One setting: its name in the environment, how its text is read, its default and one sentence about it. */
export interface Setting<T> {
  env: string;
  about: string;
  default: T;
  /** Used instead of `default` when NODE_ENV=production. */
  productionDefault?: T;
  /** `required`: has no safe default, so production must give it. */
  inProduction?: 'required';
  productionCheck?: (text: string) => string | undefined;
  /** Never printed; may be given as a file, NAME_FILE. */
  secret?: boolean;
  parse: (text: string) => Parsed<T>;
}

type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (problem: string): { ok: false; problem: string } => ({ ok: false, problem });

export const text = (t: string): Parsed<string> => ok(t);

export const integer = (min: number, max: number) => (t: string) => {
  const n = Number(t);
  return Number.isInteger(n) && n >= min && n <= max
    ? ok(n)
    : bad(`must be a whole number from ${min} to ${max}, but is "${t}"`);
};

export const milliseconds = integer(1, 30 * 24 * 3600 * 1000);

export const millisecondsList = (t: string): Parsed<readonly number[]> => {
  const list = t.split(',').map((part) => Number(part.trim()));
  return list.length > 0 && list.every((n) => Number.isInteger(n) && n > 0)
    ? ok(list)
    : bad(`must be a comma list of milliseconds such as 300000,900000, but is "${t}"`);
};

/** The text may contain a password, so no problem repeats it. */
export const url = (problemOf: (t: string) => string | null) => (t: string) => {
  const problem = problemOf(t);
  return problem === null ? ok(t) : bad(problem);
};

export const oneOf =
  <T extends string>(...allowed: T[]) =>
  (t: string): Parsed<T> =>
    (allowed as string[]).includes(t) ? ok(t as T) : bad(`must be one of ${allowed.join(', ')}, but is "${t}"`);

export const boolean = (t: string) => {
  if (['true', '1', 'yes'].includes(t)) return ok(true);
  return ['false', '0', 'no'].includes(t) ? ok(false) : bad(`must be true or false, but is "${t}"`);
};

export const setting = <T>(s: Setting<T>): Setting<T> => s;
export const MINUTE = 60_000;
