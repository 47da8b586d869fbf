import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { CONFIG, type Config } from '../config/config.module';
import { DomainError, ForbiddenError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { SessionsService } from '../features/users/sessions.service';
import { TokensService } from '../features/users/tokens.service';
import { givenCsrfToken, isCrossSite } from './csrf';
import { sessionTokenOf } from './session-cookie';
import { type AuthenticatedRequest, PUBLIC_ROUTE, UnauthenticatedError } from './viewer';

/**
 * Every route asks for a bearer token or the session's cookie, unless it is marked public. A token to read writes nothing;
 * a cookie writes only with the session's CSRF token, and no write at all is taken from a page of another site.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokensService,
    private readonly sessions: SessionsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const writes = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    const bearer = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (writes && bearer === undefined && isCrossSite(request, this.config.publicUrl)) {
      throw new DomainError('forbidden', 'CROSS_SITE', 'This came from a page of another site.');
    }
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, [context.getHandler(), context.getClass()])) {
      if (writes) givenCsrfToken(request);
      return true;
    }
    request.viewer = bearer === undefined ? await this.bySession(request, writes) : await this.byToken(bearer, writes);
    return true;
  }

  private async byToken(token: string, writes: boolean): Promise<Viewer> {
    const bearer = await this.tokens.authenticate(token);
    if (!bearer) throw new UnauthenticatedError('The API token is unknown, expired or revoked.');
    const scope = writes ? 'write' : 'read';
    if (!bearer.scopes.includes(scope)) throw new ForbiddenError(`This token has no scope '${scope}'.`);
    return { userId: bearer.userId, role: bearer.role };
  }

  private async bySession(request: AuthenticatedRequest, writes: boolean): Promise<Viewer> {
    const sessionToken = sessionTokenOf(request, this.config);
    const session = sessionToken ? await this.sessions.authenticate(sessionToken) : null;
    if (!sessionToken || !session) throw new UnauthenticatedError();
    if (writes && !this.sessions.csrfMatches(sessionToken, givenCsrfToken(request))) {
      throw new DomainError(
        'forbidden',
        'CSRF_TOKEN',
        "Give the session's CSRF token in the header X-CSRF-Token or the field _csrf.",
      );
    }
    request.csrfToken = this.sessions.csrfToken(sessionToken);
    return { userId: session.userId, role: session.role };
  }
}
