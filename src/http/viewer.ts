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

export const originOf = (request: Request): Origin => ({
  ip: request.ip ?? '',
  userAgent: request.get('user-agent') ?? '',
});
