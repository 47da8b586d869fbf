import type { DomainError } from '../domain/errors';
import type { TokenScope } from '../domain/permissions';
import type { Texts } from './texts/texts';

const among = (texts: Record<string, string>, code: string): string | undefined =>
  Object.hasOwn(texts, code) ? texts[code] : undefined;

interface Refused {
  code: string;
  message: string;
  details?: DomainError['details'];
}

/** The text of a refusal in the reader's language, or the English message if its code has none. */
export function refusal({ code, message, details: { uses, clients } = {} }: Refused, t: Texts): string {
  if (uses) return t.fields.usedBy(uses.map(({ kind, name }) => t.fields.use[kind](name)).join(', '));
  if (clients !== undefined) return t.fields.optionInUse(clients);
  return among(t.refusals, code) ?? message;
}

/** The text of a code; an unknown code (of another version) is shown as it is. */
export const named = (texts: Record<string, string>, code: string): string => among(texts, code) ?? code;

/** Why a delivery is in its state. */
export const reasonText = (code: string, t: Texts): string => named(t.reasons, code);

/** What a token may do. */
export const scopesText = (scopes: readonly TokenScope[], t: Texts): string => {
  if (!scopes.includes('read')) return scopes.includes('inbound') ? t.inbound.tokenScope : t.profile.readWrite;
  return scopes.includes('write') ? t.profile.readWrite : t.profile.readOnly;
};

/** Why a mailing is in its status. */
export const statusText = (code: string, t: Texts): string =>
  among(t.statusCode, code) ?? t.pausedFor(reasonText(code, t));
