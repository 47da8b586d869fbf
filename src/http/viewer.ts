import type { JsonBounds } from '../domain/json-bounds';
import { isIP } from 'node:net';
import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../domain/errors';
import type { Action, TokenScope, Viewer } from '../domain/permissions';
import type { Origin } from '../features/users/sessions.service';

/** A request after the guard. */
export type AuthenticatedRequest = Request & { viewer?: Viewer; csrfToken?: string };

const PUBLIC = 'gonets.public';

/** A public route: no sign-in needed. */
export const Public = () => SetMetadata(PUBLIC, true);
export const PUBLIC_ROUTE = PUBLIC;

/** A public route whose answer knows who is signed in, if somebody is. Only for what is read. */
export const PublicAndKnown = () => SetMetadata(PUBLIC, 'known');

const UPLOAD = 'gonets.upload';

/** A route whose handler reads the body itself as a stream. */
export const TakesUpload = () => SetMetadata(UPLOAD, true);
export const UPLOAD_ROUTE = UPLOAD;

const ANYWHERE = 'gonets.from-anywhere';

/** A write that other sites and mail programs may send: the token in its URL authorises it, cookies are ignored. */
export const FromAnywhere = () => SetMetadata(ANYWHERE, true);
export const FROM_ANYWHERE = ANYWHERE;

const BODY = 'gonets.body-bytes';

/** A higher limit for the bodies of these routes. */
export const TakesBodies = (bytes: number) => SetMetadata(BODY, bytes);
export const BODY_LIMIT = BODY;

const JSON_BODY = 'gonets.json-body';

/** A controller or route whose JSON may be larger or deeper than others'. */
export const TakesJson = (bounds: JsonBounds) => SetMetadata(JSON_BODY, bounds);
export const JSON_BODY_BOUNDS = JSON_BODY;

const SCOPE = 'gonets.token-scope';

/** A route that a token with this scope may use, whatever else it may not; others need the usual scope and role. */
export const OpenToScope = (scope: TokenScope) => SetMetadata(SCOPE, scope);
export const TOKEN_SCOPE = SCOPE;

const ALLOWS = 'gonets.action';

/** The action of a route that some roles may not do; the guard checks it against the permission table. */
export const Allows = (action: Action) => SetMetadata(ALLOWS, action);
export const ALLOWED_ACTION = ALLOWS;

export class UnauthenticatedError extends DomainError {
  constructor(message = 'Sign in, or give an API token: Authorization: Bearer <token>.') {
    super('unauthenticated', 'UNAUTHENTICATED', message);
  }
}

/** The viewer, as authenticated by the guard. */
export const CurrentViewer = createParamDecorator((_: unknown, context: ExecutionContext): Viewer => {
  const { viewer } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!viewer) throw new UnauthenticatedError();
  return viewer;
});

/** The origin of the request, for limits, sessions and the audit log. */
export const RequestOrigin = createParamDecorator((_: unknown, context: ExecutionContext): Origin =>
  originOf(context.switchToHttp().getRequest<Request>()),
);

/** The site whose page sent a request, as the browser names it; null if it does not, or names none. */
export function siteOf(request: Request): string | null {
  const origin = request.get('origin') ?? '';
  const site = origin.length <= 300 && URL.canParse(origin) ? new URL(origin).origin : 'null';
  return site === 'null' ? null : site;
}

/** What a trusted proxy names as the caller counts only if it is an address; otherwise the proxy is the caller. */
export const originOf = (request: Request): Origin => ({
  ip: ipAddress(request.ip ?? '') ?? request.socket.remoteAddress ?? '',
  userAgent: request.get('user-agent') ?? '',
});

/** Extracts the address: some proxies add a port, brackets around IPv6, or a zone. */
function ipAddress(text: string): string | undefined {
  const [, v6, v4] = /^(?:\[(.*)\]|([\d.]+))(?::\d+)?$/.exec(text) ?? [];
  const address = (v6 ?? v4 ?? text).split('%')[0] ?? '';
  return isIP(address) === 0 ? undefined : address;
}
