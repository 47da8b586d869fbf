import { InvalidArgumentError } from 'commander';

/** An id; anything else is wrong usage (exit code 2). */
export function idArgument(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a number, 1 or more.');
  return Number(text);
}
