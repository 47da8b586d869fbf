import { createHash } from 'node:crypto';

/** What is kept of a token that leaves the service: tokens have 256 random bits, so that a plain SHA-256 tells nothing of them. */
export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();
