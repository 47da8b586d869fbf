import type { en } from './en';

/** The shape of the English catalogue: another language that lacks a text, or has one too many, does not compile. */
export type Texts = Widened<typeof en>;

export type Widened<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => string
    ? (...args: A) => string
    : T[K] extends string
      ? string
      : Widened<T[K]>;
};
