import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import type { Config } from '../config/config.module';

const SELF = ["'self'"];
const NONE = ["'none'"];

/** Scripts and styles only from this service's files, none inline. */
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

/**
 * The pages of Swagger and Bull Board have inline styles, Bull Board's also a base element. They contain nothing that a
 * user wrote.
 */
const FOREIGN_PAGES = /^\/(api\/docs|queues)(\/|$)/i;

/**
 * For an answer that contains a letter's HTML, shown in a sandboxed frame of our own pages: no scripts, no forms, no
 * requests except for images. Set it as `Content-Security-Policy`, and `X-Frame-Options` to SAMEORIGIN.
 */
export const LETTER_CSP =
  "sandbox; default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** Headers of every answer. There is no CORS: scripts of other sites can't read answers. */
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
  // Routes are matched without regard to case.
  return (request: Request, response: Response, next: NextFunction): void => {
    // Nothing is cached, except answers that set the header themselves: bundles, whose names change with their content.
    response.setHeader('Cache-Control', 'no-store');
    (FOREIGN_PAGES.test(request.path) ? foreign : ours)(request, response, next);
  };
}
