/** One complete answer of an SMTP server; `text` is all of it, codes included, lines joined by `\n`. */
export interface SmtpReply {
  code: number;
  /** Enhanced status code (RFC 3463), e.g. `5.1.1`; null where the server gave none. */
  enhanced: string | null;
  text: string;
}

const LINE = /^([2-5]\d\d)(?:[ -]|$)/;
const ENHANCED = /^[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/;

/**
 * Reads a whole reply (RFC 5321 section 4.2). Returns null for what is not one: a line without a code, a code outside
 * 200–599. Lines whose codes differ violate the RFC but occur: the last one counts. An enhanced code counts only where
 * its class equals the reply's (RFC 2034 section 4), the last line's first.
 */
export function parseSmtpReply(answer: string): SmtpReply | null {
  const text = answer.replaceAll('\r', '').trimEnd();
  const lines = text.includes('\n') ? text.split('\n') : null;
  const last = lines?.at(-1) ?? text;
  const code = LINE.exec(last)?.[1];
  if (code === undefined || lines?.some((line) => !LINE.test(line))) return null;
  const enhanced = ENHANCED.exec(last)?.[1] ?? (lines && firstEnhanced(lines, code));
  return { code: Number(code), enhanced: enhanced?.[0] === code[0] ? enhanced : null, text };
}

const firstEnhanced = (lines: string[], code: string): string | null =>
  lines.map((line) => (line.startsWith(code) ? ENHANCED.exec(line)?.[1] : null)).find(Boolean) ?? null;
