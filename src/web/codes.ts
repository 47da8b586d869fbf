import type { Texts } from './texts/texts';

const among = (texts: Record<string, string>, code: string): string | undefined =>
  Object.hasOwn(texts, code) ? texts[code] : undefined;

/** The text of a refusal in the reader's language, or the English message if its code has none. */
export const refusal = ({ code, message }: { code: string; message: string }, t: Texts): string =>
  among(t.refusals, code) ?? message;

/** The text of a code; an unknown code (of another version) is shown as it is. */
export const named = (texts: Record<string, string>, code: string): string => among(texts, code) ?? code;

/** Why a delivery is in its state. */
export const reasonText = (code: string, t: Texts): string => named(t.reasons, code);

/** Why a mailing is in its status. */
export const statusText = (code: string, t: Texts): string =>
  among(t.statusCode, code) ?? t.pausedFor(reasonText(code, t));
