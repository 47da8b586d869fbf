import type { Response } from 'express';
import { LETTER_CSP, LETTER_CSP_WITHOUT_PICTURES } from '../http/security-headers';

/** Where letters show our own pictures: by PUBLIC_URL, which may be another address than the one of this page. */
const OUR_PICTURES =
  /(?<=["'(])https?:\/\/[^\s"'()<>/]{1,255}(?=\/(?:media\/[0-9a-f]{64}|assets\/starters\/)[\w.-]{0,100}["')])/g;

const FRAMES =
  /^\/(?:(?:runs|deliveries)\/\w+\/letter|messages\/(?:\w+\/letter|preview\/[^/]+|new\/starters\/[^/]+))\.html$/;

/** Whether what is asked for is shown in a frame of a page, and not as a page. */
export const isFramed = (path: string): boolean => FRAMES.test(path);

/** A letter as the answer to a frame of our own pages, in which nothing of it can run. */
export function framed(response: Response, html: string, withPictures = true): string {
  response.setHeader('Content-Security-Policy', withPictures ? LETTER_CSP : LETTER_CSP_WITHOUT_PICTURES);
  response.setHeader('X-Frame-Options', 'SAMEORIGIN');
  // A sandboxed frame has no origin, so browsers would warn about this header.
  response.removeHeader('Origin-Agent-Cluster');
  response.type('text/html; charset=utf-8');
  return html.replace(OUR_PICTURES, '');
}
