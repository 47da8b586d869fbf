import type { Changed } from '../domain/errors';
import type { FieldProblems } from './texts/texts';

/** What a form shows: the values as typed, and the problem of each field. */
export interface FormState {
  values: Record<string, string>;
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
  theirs: Record<string, string>;
  mine: Record<string, string>;
}

export const emptyForm = (values: Record<string, string> = {}): FormState => ({ values, problems: {} });
