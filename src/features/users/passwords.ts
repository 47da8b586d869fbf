import { randomBytes } from 'node:crypto';
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
 * first, or that it is the address. There are no rules for its characters (ASVS 5, 6.2.5).
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
  const word = password.normalize('NFKC').toLowerCase().trim();
  if (isAddress(word, emailKey(email) ?? '')) return problem('own_address');
  return (await common()).has(word) ? problem('common_password') : null;
}

/** Whether the word is the address, its local part or its domain, with nothing but digits and signs added. */
function isAddress(word: string, address: string): boolean {
  const bare = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '');
  const own = [address, ...address.split('@')].map(bare).filter((part) => part.length > 2);
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
