import type { Texts } from './texts/texts';

const among = (texts: Record<string, string>, code: string): string | undefined =>
  Object.hasOwn(texts, code) ? texts[code] : undefined;

/** A refusal by its code in the reader's language, else as the feature says it. */
export const refusal = ({ code, message }: { code: string; message: string }, t: Texts): string =>
  among(t.refusals, code) ?? message;

/** What is called by a code; a code of another version stays what it is. */
export const named = (texts: Record<string, string>, code: string): string => among(texts, code) ?? code;

/** Why a delivery is in its state. */
export const reasonText = (code: string, t: Texts): string => named(t.reasons, code);

/** Why a mailing is in its status. */
export const statusText = (code: string, t: Texts): string =>
  among(t.statusCode, code) ?? t.heldBy(reasonText(code, t));
