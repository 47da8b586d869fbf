import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { CONFIG, type Config } from '../config/config.module';
import { DomainError, ForbiddenError } from '../domain/errors';
import { type Action, requireMay, type Viewer } from '../domain/permissions';
import { Limits } from '../queue/limits';
import { SessionsService } from '../features/users/sessions.service';
import { TokensService } from '../features/users/tokens.service';
import { givenCsrfToken, isCrossSite } from './csrf';
import { sessionTokenOf } from './session-cookie';
import { ALLOWED_ACTION, type AuthenticatedRequest, originOf, PUBLIC_ROUTE, UnauthenticatedError } from './viewer';

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
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const writes = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    const bearer = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (writes && bearer === undefined && isCrossSite(request, this.config.publicUrl)) {
      throw new DomainError('forbidden', 'CROSS_SITE', 'This came from a page of another site.');
    }
    const route = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, route)) {
      if (writes) givenCsrfToken(request);
      return true;
    }
    request.viewer =
      bearer === undefined ? await this.bySession(request, writes) : await this.byToken(bearer, request, writes);
    await this.limits.take('callsUser', request.viewer.userId);
    const action = this.reflector.getAllAndOverride<Action | undefined>(ALLOWED_ACTION, route);
    if (action) requireMay(request.viewer, action);
    return true;
  }

  private async byToken(token: string, request: AuthenticatedRequest, writes: boolean): Promise<Viewer> {
    const bearer = await this.tokens.authenticate(token);
    if (!bearer) throw new UnauthenticatedError('The API token is unknown, expired or revoked.');
    const scope = writes ? 'write' : 'read';
    if (!bearer.scopes.includes(scope)) throw new ForbiddenError(`This token has no scope '${scope}'.`);
    const { tokenId: id, userId, role, scopes, expiresAt } = bearer;
    return { userId, role, via: 'token', ip: originOf(request).ip, token: { id, scopes, expiresAt } };
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
    const { userId, role, sessionId } = session;
    return { userId, role, via: 'session', ip: originOf(request).ip, sessionId };
  }
}
