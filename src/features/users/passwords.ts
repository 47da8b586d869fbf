import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { FieldError } from '../../domain/errors';

export const PASSWORD_MIN = 10;
const PASSWORD_MAX = 200;

/** Argon2id, the library's default, by OWASP's parameters: 19 MiB, two passes, one lane. */
const OPTIONS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password: string): Promise<string> => hash(password, OPTIONS);

let nobody: Promise<string> | undefined;

/** Takes the same time whether there is a hash or not: without one the answer is false, after the same work. */
export async function passwordMatches(passwordHash: string | null, password: string): Promise<boolean> {
  nobody ??= hashPassword(randomBytes(32).toString('base64'));
  const matches = await verify(passwordHash ?? (await nobody), password.slice(0, PASSWORD_MAX + 1));
  return matches && passwordHash !== null;
}

/** What is wrong with a new password. */
export function passwordProblems(password: string, field = 'password'): FieldError[] {
  if (password.length < PASSWORD_MIN) return [{ field, message: `must have at least ${PASSWORD_MIN} characters` }];
  if (password.length > PASSWORD_MAX) return [{ field, message: `must have at most ${PASSWORD_MAX} characters` }];
  return [];
}
