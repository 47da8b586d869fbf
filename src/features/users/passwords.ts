import { randomBytes } from 'node:crypto';
import { domainToUnicode } from 'node:url';
import { hash, verify } from '@node-rs/argon2';
import { emailKey } from '../../domain/email-address';
import { ValidationError } from '../../domain/errors';
import { at, type CodedProblem, type FieldProblem, problem } from '../../domain/problems';

const PASSWORD_MIN = 8;
const PASSWORD_MAX = 200;

/** Argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password: string): Promise<string> => hash(password, OPTIONS);

let nobody: Promise<string> | undefined;

/** Takes the same time with and without a hash; without one the answer is false. */
export async function passwordMatches(passwordHash: string | null, password: string): Promise<boolean> {
  nobody ??= hashPassword(randomBytes(32).toString('base64'));
  const matches = await verify(passwordHash ?? (await nobody), password.slice(0, PASSWORD_MAX + 1));
  return matches && passwordHash !== null;
}

/**
 * What is wrong with a new password of the owner of `email`: its length, that it is among the 49,000 that are guessed
 * first (or one sign after the other), or that it is the address. There are no rules for its characters (ASVS 5, 6.2.5).
 */
export async function passwordProblems(
  password: string,
  email: string,
  field = 'password',
): Promise<readonly FieldProblem[]> {
  return at(field, lengthProblem(password) ?? (await guessProblem(password, email)));
}

function lengthProblem(password: string): CodedProblem | null {
  if (password.length > PASSWORD_MAX) return problem('too_long', { max: PASSWORD_MAX });
  return [...password].length < PASSWORD_MIN ? problem('too_short', { min: PASSWORD_MIN }) : null;
}

async function guessProblem(password: string, email: string): Promise<CodedProblem | null> {
  const word = password
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
    .trim();
  if (isAddress(word, emailKey(email) ?? '')) return problem('own_address');
  const bare = word.replace(/\s/g, '');
  const inner = bare.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
  const known = await common();
  return bare === '' || isMonotonous(bare) || [word, bare, inner].some((one) => known.has(one))
    ? problem('common_password')
    : null;
}

/** The longest that is called so: nobody guesses how often something stands there. */
const MONOTONOUS_MAX = 16;

/** Up to four signs again and again (00000000, abcabcabc), or a row of neighbours (abcdefgh, 87654321); such are in no list. */
function isMonotonous(word: string): boolean {
  if (word.length > MONOTONOUS_MAX || !/^[\x21-\x7e]+$/.test(word)) return false;
  if (/^(.{1,4})\1+$/.test(word)) return true;
  const steps = [...word].slice(1).map((sign, i) => sign.charCodeAt(0) - word.charCodeAt(i));
  return steps.every((step) => step === steps[0]) && Math.abs(steps[0] ?? 0) === 1;
}

/** Whether the word is the address, its local part or its domain, with nothing but digits and signs added. */
function isAddress(word: string, address: string): boolean {
  const bare = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '');
  const [local = '', domain = ''] = address.split('@');
  const shown = domainToUnicode(domain);
  const own = [address, local, domain, `${local}@${shown}`, shown].map(bare).filter((part) => part.length > 2);
  return own.some((part) => /^\d*$/.test(bare(word).replace(part, '')) && bare(word).includes(part));
}

let passwords: Promise<Set<string>> | undefined;

/** Loaded at the first use: it takes some megabytes, and most processes never need it. */
function common(): Promise<Set<string>> {
  passwords ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'] as readonly string[]),
  );
  return passwords;
}

/** @throws ValidationError for a password that is too short, too long or too easy to guess */
export async function refuseBad(password: string, email: string, field = 'password'): Promise<void> {
  const errors = await passwordProblems(password, email, field);
  if (errors.length > 0) throw new ValidationError(errors);
}
