import { domainToASCII } from 'node:url';

/** The result of reading one e-mail address; `email` is ready for an SMTP envelope and a header without quoting. */
export type ParsedEmail = { ok: true; email: string } | { ok: false; message: string };

const MAX_ADDRESS_OCTETS = 254; // RFC 5321 4.5.3.1.3, less the angle brackets
const MAX_LOCAL_OCTETS = 64; // RFC 5321 4.5.3.1.1
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const INVISIBLE = /(?![\u200C\u200D])\p{Default_Ignorable_Code_Point}|\p{Surrogate}/u;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SURROUNDING_SPACE = /^[\p{Zs}\t]+|[\p{Zs}\t]+$/gu;
const NON_ASCII = /[^\0-\x7F]/;

const refuse = (message: string): ParsedEmail => ({ ok: false, message });

/**
 * Reads one address by the one grammar this service sends to: a dot-atom local part (RFC 5321 4.1.2) of at most 64 octets,
 * kept as typed, and a host name of two or more labels, lower-cased and in A-labels (RFC 5890). Quoted local parts,
 * comments, address literals, control and invisible characters, and local parts that would need SMTPUTF8 (RFC 6531) are
 * refused. Only spaces and tabs around the address are dropped. Idempotent on what it accepts.
 */
export function parseEmailAddress(input: string): ParsedEmail {
  const text = input.replace(SURROUNDING_SPACE, '');
  if (text === '') return refuse('The e-mail address is empty.');
  if (CONTROL.test(text)) return refuse('The e-mail address contains a line break or another control character.');
  if (INVISIBLE.test(text)) return refuse('The e-mail address contains an invisible or broken character.');
  if (text.length > MAX_ADDRESS_OCTETS)
    return refuse(`The e-mail address is longer than ${MAX_ADDRESS_OCTETS} octets.`);
  if (text.includes('"')) return refuse('A quoted local part is not supported.');
  if (/[()]/.test(text)) return refuse('The e-mail address contains a comment.');
  const at = text.indexOf('@');
  if (at < 0) return refuse('The e-mail address has no @.');
  if (text.includes('@', at + 1)) return refuse('The e-mail address has more than one @.');

  const local = text.slice(0, at);
  const problem = localPartProblem(local);
  if (problem !== null) return refuse(problem);
  const domain = readDomain(text.slice(at + 1));
  if (!domain.ok) return refuse(domain.message);
  const email = `${local}@${domain.name}`;
  if (email.length > MAX_ADDRESS_OCTETS)
    return refuse(`The e-mail address is longer than ${MAX_ADDRESS_OCTETS} octets.`);
  return { ok: true, email };
}

function localPartProblem(local: string): string | null {
  if (local === '') return 'There is nothing before the @.';
  if (NON_ASCII.test(local)) {
    return 'Only Latin letters, digits and common signs may stand before the @: other characters need SMTPUTF8, which not every server has.';
  }
  if (local.length > MAX_LOCAL_OCTETS) return `The part before the @ is longer than ${MAX_LOCAL_OCTETS} octets.`;
  if (!DOT_ATOM.test(local)) {
    return /^\.|\.\.|\.$/.test(local)
      ? 'The part before the @ begins or ends with a dot, or has two dots in a row.'
      : 'The part before the @ contains a character that is not allowed there.';
  }
  return null;
}

function readDomain(domain: string): { ok: true; name: string } | { ok: false; message: string } {
  const refuseDomain = (message: string) => ({ ok: false as const, message });
  if (domain === '') return refuseDomain('There is nothing after the @.');
  if (domain.startsWith('[')) return refuseDomain('An address literal is not supported: the domain must be a name.');
  // domainToASCII reads a URL's host: anything that means more there (percent, slash, colon …) must not reach it.
  if (/[^\w.-]/.test(domain.replace(/[^\0-\x7F]/g, ''))) {
    return refuseDomain('The domain contains a character that is not allowed.');
  }
  const name = NON_ASCII.test(domain) ? domainToASCII(domain) : domain.toLowerCase();
  if (name === '') return refuseDomain('The domain is not a valid internationalised name.');
  const labels = name.split('.');
  if (labels.length < 2) return refuseDomain('The domain has no dot.');
  if (!labels.every((label) => LABEL.test(label))) {
    return refuseDomain('Every part of the domain must be 1 to 63 letters, digits and inner hyphens.');
  }
  if (/^\d+$/.test(labels[labels.length - 1]!)) return refuseDomain('The domain must not end with a number.');
  return { ok: true, name };
}

/** The domain of an address that `parseEmailAddress` accepted, in lower-case A-labels. */
export function emailDomain(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}

/** An address as logs may show it: `b***@example.org`. What has no `@` becomes `***`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  return at < 1 ? '***' : `${String.fromCodePoint(email.codePointAt(0)!)}***${email.slice(at)}`;
}

/**
 * What keeps `text` from being one line of a letter's header (a name, a subject), or null if nothing does: it is longer
 * than `maxLength` code points, or contains a C0 or C1 control (CR, LF, NUL, tab …), U+2028, U+2029 or a lone surrogate.
 */
export function singleLineProblem(text: string, maxLength: number): string | null {
  if (CONTROL.test(text)) return 'must be one line without control characters';
  if (LONE_SURROGATE.test(text)) return 'contains a broken character';
  if (text.length > maxLength && [...text].length > maxLength) return `must be at most ${maxLength} characters long`;
  return null;
}
