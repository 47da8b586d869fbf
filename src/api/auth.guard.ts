import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ForbiddenError } from '../domain/errors';
import { TokensService } from '../features/users/tokens.service';
import { type AuthenticatedRequest, PUBLIC_ROUTE, UnauthenticatedError } from './viewer';

/** Every route of the API asks for a bearer token, unless it is marked public; a token to read writes nothing. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokensService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, [context.getHandler(), context.getClass()]))
      return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    const bearer = token ? await this.tokens.authenticate(token) : null;
    if (!bearer) throw new UnauthenticatedError(token ? 'The API token is unknown, expired or revoked.' : undefined);
    const writes = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
    if (!bearer.scopes.includes(writes ? 'write' : 'read')) {
      throw new ForbiddenError(`This token has no scope '${writes ? 'write' : 'read'}'.`);
    }
    request.viewer = { userId: bearer.userId, role: bearer.role };
    return true;
  }
}
