import { createHmac, hash } from 'node:crypto';

/** What makes a letter itself: the same on every try of it. */
export interface LetterKey {
  /** The run's random, which no other database has; null for a run that a version without it made. */
  runKey: string | null;
  runId: number;
  clientId: number;
  deliveryId: number;
}

/**
 * 256 bits in hexadecimal, unlike those of any other letter: not guessable without the run's random, and telling nothing of
 * the recipient. Runs without a random keep the identity that their letters had, a keyed digest of their ids.
 */
export function letterDigest(key: LetterKey, secret: string): string {
  return key.runKey === null
    ? createHmac('sha256', secret).update(`${key.runId}:${key.deliveryId}`).digest('hex')
    : hash('sha256', `${key.runKey}:${key.clientId}`, 'hex');
}

/** The part of the Message-ID before the `@`. */
export const messageIdPart = (digest: string): string => digest.slice(0, 32);

/** The Message-ID (RFC 5322 3.6.4), angle brackets included. */
export const messageIdOf = (digest: string, senderDomain: string): string =>
  `<${messageIdPart(digest)}@${senderDomain}>`;

/** The MIME boundary: `=_` occurs in no quoted-printable or base64 line. */
export const boundaryOf = (digest: string): string => `=_${digest.slice(32)}`;

const PART = /(?<![0-9a-f])[0-9a-f]{32}(?=@)/g;
const PART_WITH_AT = 33;

/**
 * What may be the first parts of Message-IDs of this service, wherever they stand in a text that comes in pieces: one a line
 * with or without angle brackets, or among the rest of a mail server's log. The same one may come more than once.
 */
export async function* messageIdPartsIn(text: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of text) {
    const all = rest + (typeof piece === 'string' ? piece : piece.toString('latin1'));
    for (const [part] of all.matchAll(PART)) yield part;
    rest = all.slice(-PART_WITH_AT);
  }
}
