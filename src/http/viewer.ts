import { isIP } from 'node:net';
import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../domain/errors';
import type { Action, Viewer } from '../domain/permissions';
import type { Origin } from '../features/users/sessions.service';

/** A request after the guard. */
export type AuthenticatedRequest = Request & { viewer?: Viewer; csrfToken?: string };

const PUBLIC = 'gonets.public';

/** A route that nobody has to sign in for. */
export const Public = () => SetMetadata(PUBLIC, true);
export const PUBLIC_ROUTE = PUBLIC;

const UPLOAD = 'gonets.upload';

/** A route whose handler reads the body itself, while it comes in. */
export const TakesUpload = () => SetMetadata(UPLOAD, true);
export const UPLOAD_ROUTE = UPLOAD;

const BODY = 'gonets.body-bytes';

/** Routes whose bodies may have more bytes than others. */
export const TakesBodies = (bytes: number) => SetMetadata(BODY, bytes);
export const BODY_LIMIT = BODY;

const ALLOWS = 'gonets.action';

/** What a route does, where not every role may do it to anything; the guard asks the permission table. */
export const Allows = (action: Action) => SetMetadata(ALLOWS, action);
export const ALLOWED_ACTION = ALLOWS;

export class UnauthenticatedError extends DomainError {
  constructor(message = 'Sign in, or give an API token: Authorization: Bearer <token>.') {
    super('unauthenticated', 'UNAUTHENTICATED', message);
  }
}

/** Who asks, as the guard found out. */
export const CurrentViewer = createParamDecorator((_: unknown, context: ExecutionContext): Viewer => {
  const { viewer } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!viewer) throw new UnauthenticatedError();
  return viewer;
});

/** Where the request comes from, for limits, sessions and the audit log. */
export const RequestOrigin = createParamDecorator((_: unknown, context: ExecutionContext): Origin =>
  originOf(context.switchToHttp().getRequest<Request>()),
);

/** Of what a trusted proxy names as the caller only an address counts; else the caller is the proxy itself. */
export const originOf = (request: Request): Origin => ({
  ip: ipAddress(request.ip ?? '') ?? request.socket.remoteAddress ?? '',
  userAgent: request.get('user-agent') ?? '',
});

/** The address alone: some proxies write a port behind it, brackets around IPv6, or the zone of a link. */
function ipAddress(text: string): string | undefined {
  const [, v6, v4] = /^(?:\[(.*)\]|([\d.]+))(?::\d+)?$/.exec(text) ?? [];
  const address = (v6 ?? v4 ?? text).split('%')[0] ?? '';
  return isIP(address) === 0 ? undefined : address;
}
