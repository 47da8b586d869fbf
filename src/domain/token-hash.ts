import { createHash } from 'node:crypto';

/** What is stored of a token: tokens have 256 random bits, so a plain SHA-256 reveals nothing. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();
