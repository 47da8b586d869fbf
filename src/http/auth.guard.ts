import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { CONFIG, type Config } from '../config/config.module';
import { worksFor } from '../database/shares';
import { DomainError, ForbiddenError } from '../domain/errors';
import { type Action, requireMay, type TokenScope, type Viewer } from '../domain/permissions';
import { Limits } from '../queue/limits';
import { SessionsService } from '../features/users/sessions.service';
import { TokensService } from '../features/users/tokens.service';
import type { JsonBounds } from '../domain/json-bounds';
import { BODY_BYTES, PUBLIC_BODY_BYTES, readBody } from './body';
import { requireOwnPath } from './allowed-methods';
import { givenCsrfToken, isCrossSite } from './csrf';
import { sessionTokenOf } from './session-cookie';
import {
  ALLOWED_ACTION,
  type AuthenticatedRequest,
  BODY_LIMIT,
  JSON_BODY_BOUNDS,
  FROM_ANYWHERE,
  originOf,
  PUBLIC_ROUTE,
  TOKEN_SCOPE,
  UnauthenticatedError,
  UPLOAD_ROUTE,
} from './viewer';

/**
 * Every route asks for a bearer token or the session's cookie, unless it is marked public. A token with the scope
 * `read` can't write; a cookie needs the session's CSRF token to write, and no write from a page of another site is
 * accepted.
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
    requireOwnPath(request);
    const writes = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    const bearer = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    const route = [context.getHandler(), context.getClass()];
    const isFromAnywhere = this.reflector.getAllAndOverride<boolean>(FROM_ANYWHERE, route);
    if (writes && !isFromAnywhere && bearer === undefined && isCrossSite(request, this.config.publicUrl)) {
      throw new DomainError('forbidden', 'CROSS_SITE', 'This came from a page of another site.');
    }
    const isPublic = this.reflector.getAllAndOverride<boolean | 'known'>(PUBLIC_ROUTE, route);
    const readsItself = this.reflector.getAllAndOverride<boolean>(UPLOAD_ROUTE, route);
    // No body is read before it is known who sends it and how much they may send.
    const bounds = this.reflector.getAllAndOverride<JsonBounds | undefined>(JSON_BODY_BOUNDS, route);
    const takeBody = async (limit: number) => {
      if (writes && !readsItself) await readBody(request, limit, this.config.bodyIdleMs, bounds);
    };
    if (isPublic) {
      await takeBody(PUBLIC_BODY_BYTES);
      if (writes && !readsItself) givenCsrfToken(request);
      if (isPublic === 'known')
        await this.bySession(request).then((viewer) => (request.viewer = viewer), unlessSignedOut);
      return true;
    }
    const special = this.reflector.getAllAndOverride<TokenScope | undefined>(TOKEN_SCOPE, route);
    request.viewer =
      bearer === undefined ? await this.bySession(request) : await this.byToken(bearer, request, writes, special);
    worksFor(request.viewer.userId);
    const isSpecial = special !== undefined && request.viewer.token?.scopes.includes(special) === true;
    // What a mail server hands in is as much as came in.
    if (!isSpecial) await this.limits.take('callsUser', request.viewer.userId);
    await takeBody(this.reflector.getAllAndOverride<number | undefined>(BODY_LIMIT, route) ?? BODY_BYTES);
    if (writes && bearer === undefined) this.requireCsrfToken(request);
    const action = this.reflector.getAllAndOverride<Action | undefined>(ALLOWED_ACTION, route);
    // Of the role that its user has now: who is no manager any more hands nothing in either.
    if (action) requireMay(request.viewer, action);
    return true;
  }

  private async byToken(
    token: string,
    request: AuthenticatedRequest,
    writes: boolean,
    special?: TokenScope,
  ): Promise<Viewer> {
    const bearer = await this.tokens.authenticate(token);
    if (!bearer) throw new UnauthenticatedError('The API token is unknown, expired or revoked.');
    const scope = special && bearer.scopes.includes(special) ? special : writes ? 'write' : 'read';
    if (!bearer.scopes.includes(scope)) throw new ForbiddenError(`This token has no scope '${scope}'.`);
    const { tokenId: id, userId, role, scopes, expiresAt } = bearer;
    return { userId, role, via: 'token', ip: originOf(request).ip, token: { id, scopes, expiresAt } };
  }

  private async bySession(request: AuthenticatedRequest): Promise<Viewer> {
    const sessionToken = sessionTokenOf(request, this.config);
    const session = sessionToken ? await this.sessions.authenticate(sessionToken) : null;
    if (!sessionToken || !session) throw new UnauthenticatedError();
    request.csrfToken = this.sessions.csrfToken(sessionToken);
    const { userId, role, sessionId } = session;
    return { userId, role, via: 'session', ip: originOf(request).ip, sessionId };
  }

  private requireCsrfToken(request: AuthenticatedRequest): void {
    if (this.sessions.csrfMatches(sessionTokenOf(request, this.config) ?? '', givenCsrfToken(request))) return;
    throw new DomainError(
      'forbidden',
      'CSRF_TOKEN',
      "Give the session's CSRF token in the header X-CSRF-Token or the field _csrf.",
    );
  }
}

function unlessSignedOut(error: unknown): void {
  if (!(error instanceof UnauthenticatedError)) throw error;
}
