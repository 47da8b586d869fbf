import type { Changed } from '../domain/errors';
import type { FieldProblems } from './texts/texts';

/** The fields of a form as texts; a field that is sent more than once has its last value. */
export type FormValues = Record<string, string>;

/** What a form shows: the values as typed, and the problem of each field. */
export interface FormState {
  values: FormValues;
  problems: FieldProblems;
  /** The problem of the whole form. */
  problem?: string;
  /** When the draft was kept whose values these are; absent for saved ones. */
  draftOf?: Date;
  /** Its thing was changed after the form had been opened. */
  meanwhile?: Meanwhile;
}

/** What others saved while somebody filled in a form. */
export interface Meanwhile extends Changed {
  /** Changed by both. */
  differences: Difference[];
  /** Changed by others only: their values stand in the form now. */
  taken: string[];
}

/** A field, or fields that only mean something together, as others saved it and as it was typed. */
export interface Difference {
  name: string;
  theirs: FormValues;
  mine: FormValues;
}

export const emptyForm = (values: Record<string, string> = {}): FormState => ({ values, problems: {} });

/** The texts of a body or query; the last one of several with the same name. */
export function textsOnly(from: unknown): FormValues {
  const values: FormValues = {};
  if (typeof from !== 'object' || from === null) return values;
  for (const [name, given] of Object.entries(from)) {
    const value: unknown = Array.isArray(given) ? given.at(-1) : given;
    if (typeof value === 'string') values[name] = value.replaceAll('\0', '');
  }
  return values;
}
