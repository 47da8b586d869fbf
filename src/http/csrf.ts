import type { Request } from 'express';
import type { AuthenticatedRequest } from './viewer';

/** The name of a form's hidden field. */
export const CSRF_FIELD = '_csrf';
export const CSRF_HEADER = 'x-csrf-token';

/**
 * The CSRF token for the hidden field `_csrf` of forms, or for the header `X-CSRF-Token` of scripts. Empty without a
 * session: then only the origin is checked.
 */
export function csrfTokenOf(request: Request): string {
  return (request as AuthenticatedRequest).csrfToken ?? '';
}

/**
 * The CSRF token of a write: from the header, from the form's field (which is removed from the body here), or, for an
 * upload whose body is not read yet, from the query's `_csrf`.
 */
export function givenCsrfToken(request: Request): unknown {
  const header = request.get(CSRF_HEADER);
  const body: unknown = request.body;
  let field: unknown;
  if (typeof body === 'object' && body !== null && CSRF_FIELD in body) {
    field = body[CSRF_FIELD];
    delete body[CSRF_FIELD];
  }
  if (header !== undefined || field !== undefined) return header ?? field;
  return request.is('multipart/form-data') ? request.query[CSRF_FIELD] : undefined;
}

/**
 * Whether another site may have made a browser send this request. Pages can't forge `Sec-Fetch-Site`; if a browser does
 * not send it, `Origin` must be this host. Other programs send neither.
 */
export function isCrossSite(request: Request, publicUrl: string): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = request.get('origin');
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  return origin !== new URL(publicUrl).origin && new URL(origin).host !== request.get('host');
}
