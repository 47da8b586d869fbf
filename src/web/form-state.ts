import type { FieldProblems } from './texts/texts';

/** What a form shows: the values as typed, and what is wrong with which. */
export interface FormState {
  values: Record<string, string>;
  problems: FieldProblems;
  /** What is wrong with the whole. */
  problem?: string;
}

export const emptyForm = (values: Record<string, string> = {}): FormState => ({ values, problems: {} });
