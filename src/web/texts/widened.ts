/** The shape of a catalogue, for the same in another language. */
export type Widened<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => string
    ? (...args: A) => string
    : T[K] extends string
      ? string
      : Widened<T[K]>;
};
