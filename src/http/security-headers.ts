import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import type { Config } from '../config/config.module';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** Scripts and styles from this service's files only, none inside of pages. */
const strict = {
  defaultSrc: NONE,
  scriptSrc: SELF,
  styleSrc: SELF,
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'", 'data:'],
  connectSrc: SELF,
  frameSrc: SELF,
  manifestSrc: SELF,
  formAction: SELF,
  baseUri: NONE,
  objectSrc: NONE,
  frameAncestors: NONE,
};

/** Swagger's and Bull Board's pages bring style elements of their own, Bull Board's a base; they hold nothing a user wrote. */
const FOREIGN_PAGES = /^\/(api\/docs|queues)(\/|$)/i;

/**
 * For an answer that holds a letter's HTML, shown in a sandboxed frame of our own pages: no scripts, no forms, no
 * requests but for pictures. Set it as `Content-Security-Policy`, and `X-Frame-Options` to SAMEORIGIN.
 */
export const LETTER_CSP =
  "sandbox; default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** Headers of every answer. There is no CORS: other sites' scripts read nothing. */
export function securityHeaders(config: Pick<Config, 'secureCookies' | 'publicUrl'>) {
  const https = new URL(config.publicUrl).protocol === 'https:';
  const common = {
    strictTransportSecurity: config.secureCookies && https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
  } as const;
  const make = (directives: Record<string, string[]>) =>
    helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives } });
  const ours = make(strict);
  const foreign = make({ ...strict, styleSrc: ["'self'", "'unsafe-inline'"], baseUri: SELF });
  // Routes are found in capitals, too.
  return (request: Request, response: Response, next: NextFunction): void => {
    // Nothing is kept on the way or in a browser but what says so itself: bundles, whose names change with their content.
    response.setHeader('Cache-Control', 'no-store');
    (FOREIGN_PAGES.test(request.path) ? foreign : ours)(request, response, next);
  };
}
