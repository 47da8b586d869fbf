import type { Response } from 'express';
import { LETTER_CSP, LETTER_CSP_WITHOUT_PICTURES } from '../http/security-headers';

/** A letter as the answer to a frame of our own pages, in which nothing of it can run. */
export function framed(response: Response, html: string, withPictures = true): string {
  response.setHeader('Content-Security-Policy', withPictures ? LETTER_CSP : LETTER_CSP_WITHOUT_PICTURES);
  response.setHeader('X-Frame-Options', 'SAMEORIGIN');
  // A sandboxed frame has no origin, so browsers would warn about this header.
  response.removeHeader('Origin-Agent-Cluster');
  response.type('text/html; charset=utf-8');
  return html;
}
