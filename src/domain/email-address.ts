import { domainToASCII } from 'node:url';
import { type CodedProblem, type EmailFault, problem } from './problems';

/** The result of reading one e-mail address; `email` is ready for an SMTP envelope and a header without quoting. */
export type ParsedEmail = { ok: true; email: string } | { ok: false; problem: CodedProblem<'email'> };

const MAX_ADDRESS_OCTETS = 254; // RFC 5321 4.5.3.1.3, less the angle brackets
const MAX_LOCAL_OCTETS = 64; // RFC 5321 4.5.3.1.1
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** A fast path: domains that readDomain would not change, as most are. */
const PLAIN_DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const INVISIBLE = /(?![\u200C\u200D])\p{Default_Ignorable_Code_Point}|\p{Surrogate}/u;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SPACE = /[\p{Zs}\t]/u;
/** A fast path: addresses of visible ASCII, as most are, need no check for other characters. */
const PRINTABLE = /^[\x21-\x7e]+$/;
const NON_ASCII = /[^\0-\x7F]/;

const refuse = (fault: EmailFault, max?: number) => ({
  ok: false as const,
  problem: problem('email', { fault, ...(max && { max }) }),
});

/**
 * Parses one address. Accepted is only what this service can send to: a dot-atom local part (RFC 5321 4.1.2) of at most
 * 64 octets, kept as typed, and a host name of two or more labels, lower-cased and in A-labels (RFC 5890). Quoted local
 * parts, comments, address literals, control and invisible characters, and local parts that would need SMTPUTF8 (RFC
 * 6531) are refused. Only spaces and tabs around the address are dropped. Idempotent on what it accepts.
 */
export function parseEmailAddress(input: string): ParsedEmail {
  const plain = PRINTABLE.test(input);
  const text = plain ? input : withoutSurroundingSpace(input);
  if (text === '') return refuse('empty');
  if (!plain && CONTROL.test(text)) return refuse('control');
  if (!plain && INVISIBLE.test(text)) return refuse('invisible');
  if (text.length > MAX_ADDRESS_OCTETS) return refuse('long', MAX_ADDRESS_OCTETS);
  if (text.includes('"')) return refuse('quoted');
  if (/[()]/.test(text)) return refuse('comment');
  const at = text.indexOf('@');
  if (at < 0) return refuse('no_at');
  if (text.includes('@', at + 1)) return refuse('many_ats');

  const local = text.slice(0, at);
  const fault = localPartFault(local);
  if (fault !== null) return refuse(fault, fault === 'long_local' ? MAX_LOCAL_OCTETS : undefined);
  const domain = readDomain(text.slice(at + 1));
  if (!domain.ok) return domain;
  const email = `${local}@${domain.name}`;
  if (email.length > MAX_ADDRESS_OCTETS) return refuse('long', MAX_ADDRESS_OCTETS);
  return { ok: true, email };
}

/** Not by a regular expression: on a long run of spaces it would take time quadratic in its length. */
function withoutSurroundingSpace(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && SPACE.test(text[from]!)) from++;
  while (to > from && SPACE.test(text[to - 1]!)) to--;
  return text.slice(from, to);
}

function localPartFault(local: string): EmailFault | null {
  if (local === '') return 'no_local';
  if (NON_ASCII.test(local)) return 'utf8_local';
  if (local.length > MAX_LOCAL_OCTETS) return 'long_local';
  if (DOT_ATOM.test(local)) return null;
  return /^\.|\.\.|\.$/.test(local) ? 'dots_local' : 'bad_local';
}

function readDomain(domain: string): { ok: true; name: string } | ReturnType<typeof refuse> {
  if (PLAIN_DOMAIN.test(domain)) return { ok: true, name: domain };
  if (domain === '') return refuse('no_domain');
  if (domain.startsWith('[')) return refuse('literal');
  // domainToASCII parses the host of a URL: characters with a meaning there (percent, slash, colon …) must not reach
  // it.
  if (/[^\w.-]/.test(domain.replace(/[^\0-\x7F]/g, ''))) return refuse('bad_domain');
  const name = NON_ASCII.test(domain) ? domainToASCII(domain) : domain.toLowerCase();
  if (name === '') return refuse('bad_idn');
  const labels = name.split('.');
  if (labels.length < 2) return refuse('no_dot');
  if (!labels.every((label) => LABEL.test(label))) return refuse('bad_label');
  if (/^\d+$/.test(labels[labels.length - 1]!)) return refuse('number');
  return { ok: true, name };
}

/**
 * The form in which addresses are compared, or null if `input` is no address: two addresses are the same if and only if
 * their keys are. Accepted addresses are ASCII, so the key equals SQL's lower() under the collation C, which the
 * columns have.
 */
export function emailKey(input: string): string | null {
  const parsed = parseEmailAddress(input);
  return parsed.ok ? parsed.email.toLowerCase() : null;
}

/** The domain of an address that `parseEmailAddress` accepted, in lower-case A-labels. */
export function emailDomain(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase();
}

/**
 * Why `text` can't be one line of a letter's header (a name, a subject), or null if it can: it is longer than `max`
 * code points, or contains a C0 or C1 control (CR, LF, NUL, tab …), U+2028, U+2029 or a lone surrogate.
 */
export function singleLineProblem(text: string, max: number): CodedProblem | null {
  if (CONTROL.test(text)) return problem('not_one_line');
  if (LONE_SURROGATE.test(text)) return problem('broken_character');
  if (text.length > max && [...text].length > max) return problem('too_long', { max });
  return null;
}
