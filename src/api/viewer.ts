import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Request } from 'express';
import { DomainError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';

export type AuthenticatedRequest = Request & { viewer?: Viewer };

const PUBLIC = 'gonets.public';

/** A route that nobody has to sign in for. */
export const Public = () => SetMetadata(PUBLIC, true);
export const PUBLIC_ROUTE = PUBLIC;

export class UnauthenticatedError extends DomainError {
  constructor(message = 'Give an API token: Authorization: Bearer <token>.') {
    super('unauthenticated', 'UNAUTHENTICATED', message);
  }
}

/** Who asks, as the guard found out. */
export const CurrentViewer = createParamDecorator((_: unknown, context: ExecutionContext): Viewer => {
  const { viewer } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!viewer) throw new UnauthenticatedError();
  return viewer;
});
