import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';
import type { Config } from '../config/config.module';
import type { NewSession } from '../features/users/sessions.service';

type CookieConfig = Pick<Config, 'secureCookies'>;

/** The session; a sign-in that waits for a code; a pending sign-in by a provider; the columns of the list of clients. */
type CookieName = 'gonets' | 'gonets_challenge' | 'gonets_oidc' | 'gonets_columns';

/** With `__Host-` browsers accept it only over HTTPS, from this host, for the whole site. */
export const cookieName = (config: CookieConfig, name: CookieName): string =>
  config.secureCookies ? `__Host-${name}` : name;

/** The value of one of our cookies, if the request has it. */
export function cookieOf(
  request: Pick<Request, 'headers'>,
  config: CookieConfig,
  name: CookieName,
): string | undefined {
  const { cookie } = request.headers;
  return (cookie && parseCookie(cookie)[cookieName(config, name)]) || undefined;
}

/** The token of the session's cookie, if the request has one. */
export const sessionTokenOf = (request: Pick<Request, 'headers'>, config: CookieConfig): string | undefined =>
  cookieOf(request, config, 'gonets');

export function setSessionCookie(response: Response, config: CookieConfig, session: NewSession): void {
  setCookie(response, config, 'gonets', session.sessionToken, session.expiresAt);
}

/**
 * For a sign-out: deletes the cookie and the browser's cache for this site. Clear-Site-Data does not name "cookies",
 * which would delete those of other services under the same registered domain.
 */
export function clearSession(response: Response, config: CookieConfig): void {
  response.setHeader('Clear-Site-Data', '"cache", "storage"');
  dropCookie(response, config, 'gonets');
}

export function dropCookie(response: Response, config: CookieConfig, name: CookieName): void {
  setCookie(response, config, name, '', new Date(0));
}

/** Sets a cookie that scripts can't read and that is sent with requests of other sites only when a link is followed. */
export function setCookie(
  response: Response,
  config: CookieConfig,
  name: CookieName,
  value: string,
  expires: Date,
): void {
  response.append(
    'Set-Cookie',
    stringifySetCookie({
      name: cookieName(config, name),
      value,
      expires,
      path: '/',
      httpOnly: true,
      secure: config.secureCookies,
      sameSite: 'lax',
    }),
  );
}
