import { createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { UsersService } from '../features/users/users.service';
import { csrfTokenOf } from '../http/csrf';
import type { AuthenticatedRequest } from '../http/viewer';
import { takeNotice } from './notice';
import { type Flash, type Reader, readerOf } from './reader';
import { en } from './texts/en';
import { isLanguage, preferredLanguage } from './texts/texts';

/** The reader of the page that is being made. */
export const CurrentReader = createParamDecorator((_: unknown, context: ExecutionContext): Reader => {
  const { reader } = context.switchToHttp().getRequest<{ reader?: Reader }>();
  if (!reader) throw new Error('no reader: this is no web controller');
  return reader;
});

/** The lists that show owners; for other pages, and live parts, the owners are not loaded. */
const LISTS = /^\/(attempts|clients(\/tags)?|mailings|messages)\/?(\?|$)/;

/**
 * Determines the language and time zone: from the user's profile, else from the cookie that the language links set,
 * else from the browser.
 */
@Injectable()
export class ReadersService {
  constructor(private readonly users: UsersService) {}

  async of(request: AuthenticatedRequest, response: Response): Promise<Reader> {
    const account = request.viewer ? await this.users.byId(request.viewer.userId) : null;
    const cookies = parseCookie(request.headers.cookie ?? '');
    const chosen = cookies.gonets_language;
    // A live part of another tab that asks just now must not take what the next page is to say.
    const isPage = request.get('hx-request') !== 'true';
    const flash = isPage ? cookies.gonets_flash : undefined;
    if (flash !== undefined) response.clearCookie('gonets_flash', { path: '/' });
    return readerOf({
      user: account && {
        id: account.id,
        email: account.email,
        fullName: account.fullName,
        role: account.role,
      },
      owners: request.viewer && LISTS.test(request.originalUrl) ? await this.users.owners(request.viewer) : null,
      language: account?.language ?? (isLanguage(chosen) ? chosen : preferredLanguage(request.get('accept-language'))),
      timeZone: account?.timeZone ?? 'UTC',
      csrfToken: csrfTokenOf(request),
      path: pathOf(request),
      flash: flash !== undefined && flash in en.flashes ? (flash as Flash) : null,
      notice: isPage ? takeNotice(request, response) : null,
    });
  }
}

/** The path to which links of the page lead back; not the URL of a provider's answer, which contains a used code. */
const pathOf = ({ originalUrl }: AuthenticatedRequest): string =>
  originalUrl.startsWith('/sign-in/oidc') ? '/sign-in' : originalUrl;
