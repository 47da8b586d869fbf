import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';
import type { Config } from '../config/config.module';
import type { NewSession } from '../features/users/sessions.service';

type CookieConfig = Pick<Config, 'secureCookies'>;

/** `__Host-`: browsers then take it only over HTTPS, from this very host, for the whole site. */
const nameOf = (config: CookieConfig): string => (config.secureCookies ? '__Host-gonets' : 'gonets');

/** The token of the session's cookie, if the request has one. */
export function sessionTokenOf(request: Pick<Request, 'headers'>, config: CookieConfig): string | undefined {
  const { cookie } = request.headers;
  return (cookie && parseCookie(cookie)[nameOf(config)]) || undefined;
}

export function setSessionCookie(response: Response, config: CookieConfig, session: NewSession): void {
  append(response, config, session.sessionToken, session.expiresAt);
}

export function clearSessionCookie(response: Response, config: CookieConfig): void {
  append(response, config, '', new Date(0));
}

function append(response: Response, config: CookieConfig, value: string, expires: Date): void {
  response.append(
    'Set-Cookie',
    stringifySetCookie({
      name: nameOf(config),
      value,
      expires,
      path: '/',
      httpOnly: true,
      secure: config.secureCookies,
      sameSite: 'lax',
    }),
  );
}
