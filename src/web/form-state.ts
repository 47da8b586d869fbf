import type { FieldProblems } from './texts/texts';

/** What a form shows: the values as typed, and the problem of each field. */
export interface FormState {
  values: Record<string, string>;
  problems: FieldProblems;
  /** The problem of the whole form. */
  problem?: string;
}

export const emptyForm = (values: Record<string, string> = {}): FormState => ({ values, problems: {} });
