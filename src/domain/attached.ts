import { createHmac } from 'node:crypto';

/**
 * The attachments of letters, ready to be written behind what is each letter's own: the same octets for all letters of a
 * run, so that they are encoded once and shared by all connections.
 */
export interface Attached {
  boundary: string;
  /** From the first attachment's delimiter to the end of the letter. No line begins with a dot. */
  tail: Buffer;
  /** The same as signatures see it (RFC 6376 3.4.4); mostly the same buffer. */
  relaxed: Buffer;
}

const BOUNDARY = /^=_[0-9a-f]{32}$/;

/** The delimiter between the parts of all letters of a run, which nobody can foresee. */
export const attachedBoundary = (of: string, secret: string): string =>
  `=_${createHmac('sha256', secret).update(`attachments:${of}`).digest('hex').slice(0, 32)}`;

/**
 * @param parts whole MIME parts with their headers, all in ASCII, with CRLF at the ends of lines, no two of them at the
 * end
 */
export function attach(boundary: string, parts: readonly string[]): Attached {
  if (!BOUNDARY.test(boundary)) throw new Error(`${boundary} is no boundary`);
  const text = `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
  const tail = Buffer.from(text, 'latin1');
  const signed = /[ \t][ \t\r]|\t/.test(text) ? text.replace(/[ \t]+/g, ' ').replaceAll(' \r\n', '\r\n') : text;
  return { boundary, tail, relaxed: signed === text ? tail : Buffer.from(signed, 'latin1') };
}
