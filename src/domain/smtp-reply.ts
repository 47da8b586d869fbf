/** One complete answer of an SMTP server; `text` is all of it, codes included, lines joined by `\n`. */
export interface SmtpReply {
  code: number;
  /** Enhanced status code (RFC 3463), e.g. `5.1.1`; null where the server gave none. */
  enhanced: string | null;
  text: string;
}

const LINE = /^([2-5]\d\d)(?:[ -]|$)/;
const ENHANCED = /^[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?=[ \n]|$)/;

/**
 * Reads a whole reply (RFC 5321 section 4.2). Returns null for what is not one: no code, a code outside 200–599,
 * lines whose codes differ. An enhanced code counts only where its class equals the reply's (RFC 2034 section 4).
 */
export function parseSmtpReply(answer: string): SmtpReply | null {
  const text = answer.replaceAll('\r', '').trimEnd();
  const code = LINE.exec(text)?.[1];
  if (code === undefined) return null;
  if (text.includes('\n') && !text.split('\n').every((line) => LINE.exec(line)?.[1] === code)) return null;
  const enhanced = ENHANCED.exec(text)?.[1] ?? null;
  return { code: Number(code), enhanced: enhanced?.[0] === code[0] ? enhanced : null, text };
}

const QUEUE_IDS = [
  /queued(?: mail)? as[: ]+<?([\w.@-]+[\w])/i, // Postfix, Haraka, many others
  /\bid=([\w.-]+)/i, // Exim
  /\bInternalId=(\d+)/i, // Exchange
  /\bok\s+(\d+ \S+) - gsmtp/i, // Gmail
  /\bok (\d+ qp \d+)/i, // qmail
  /^250 (?:2\.\d\.\d )?(\S+) Message accepted for delivery/i, // Sendmail
  /^250 Ok ([0-9a-f][0-9a-f-]{15,})$/i, // Amazon SES
];

/** The id under which the next server keeps the letter, where its final reply names one in a known form. */
export function remoteQueueId(text: string): string | null {
  for (const form of QUEUE_IDS) {
    const id = form.exec(text)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}
