import { createHmac, hash } from 'node:crypto';

/** What identifies a letter: the same on every try. */
export interface LetterKey {
  /** The run's random value, which no other database has; null for runs of a version that did not store one. */
  runKey: string | null;
  runId: number;
  clientId: number;
  deliveryId: number;
}

/**
 * 256 bits in hexadecimal, different for every letter: they can't be guessed without the run's random value and reveal
 * nothing about the recipient. Letters of runs without a random value keep their identity: a keyed digest of the ids.
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
 * Finds what may be the part before the `@` of this service's Message-IDs in a text that comes in chunks: one per line,
 * with or without angle brackets, or anywhere in the lines of a mail server's log. The same one may be returned more
 * than once.
 */
export async function* messageIdPartsIn(text: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of text) {
    const all = rest + (typeof piece === 'string' ? piece : piece.toString('latin1'));
    for (const [part] of all.matchAll(PART)) yield part;
    rest = all.slice(-PART_WITH_AT);
  }
}
