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

/** The form of a message shows the pictures of its letter, which may be anywhere on the web. */
const LETTER_FORMS = /^\/messages\/(new|\d+)$/i;

/**
 * For an answer that contains a letter's HTML, shown in a sandboxed frame of our own pages: no scripts, no forms, no
 * requests except for images. Set it as `Content-Security-Policy`, and `X-Frame-Options` to SAMEORIGIN.
 */
export const LETTER_CSP =
  "sandbox; default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'";

/** As many mail programs show a letter at first: what would be fetched is not. */
export const LETTER_CSP_WITHOUT_PICTURES = LETTER_CSP.replace(/img-src [^;]+/, "img-src 'none'");

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
  const withPictures = make({ ...strict, imgSrc: [...strict.imgSrc, 'https:'] });
  const foreign = make({ ...strict, styleSrc: ["'self'", "'unsafe-inline'"], baseUri: SELF });
  // Routes are matched without regard to case.
  return (request: Request, response: Response, next: NextFunction): void => {
    // Nothing is cached, except answers that set the header themselves: bundles, whose names change with their content.
    response.setHeader('Cache-Control', 'no-store');
    const { path } = request;
    (FOREIGN_PAGES.test(path) ? foreign : LETTER_FORMS.test(path) ? withPictures : ours)(request, response, next);
  };
}
