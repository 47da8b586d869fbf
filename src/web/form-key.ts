import { createHash, randomUUID } from 'node:crypto';
import type { Request } from 'express';

export const KEY_PREFIX = 'web-';

/** A new key, made when a form is rendered and sent with it. */
export const newFormKey = (): string => `${KEY_PREFIX}${randomUUID()}`;

/** The given key if it has the form of one of our keys, or undefined. */
export const formKey = (given: unknown): string | undefined =>
  typeof given === 'string' && /^web-[0-9a-f-]{36}$/.test(given) ? given : undefined;

/**
 * Identifies a form that is sent: the same if it is sent twice, another if it was changed and sent again (after the
 * browser's "back"). An upload has its key in the query; its body is not read yet, so its length is used instead.
 */
export function sendingOf(request: Request): string | undefined {
  if (request.method !== 'POST') return undefined;
  const upload = Boolean(request.is('multipart/form-data'));
  const body = request.body as Record<string, string> | undefined;
  const key = formKey(upload ? request.query.key : body?.key);
  if (key === undefined) return undefined;
  const hash = createHash('sha256').update(`${request.originalUrl}\n${key}\n`);
  if (upload) hash.update(request.get('content-length') ?? '');
  else
    for (const [name, value] of Object.entries(body ?? {})) hash.update(`${name.length} ${name}`).update(`${value}\0`);
  return hash.digest('base64url');
}
