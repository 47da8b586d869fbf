import type { Texts } from './texts/texts';

/** A refusal by its code in the reader's language, else as the feature says it. */
export function refusal({ code, message }: { code: string; message: string }, texts: Texts): string {
  return (texts.refusals as Record<string, string>)[code] ?? message;
}
