import type { Request, Response } from 'express';
import type { Config } from '../config/config.module';
import { seal, unseal } from '../config/sealed';
import type { PendingAuthorization } from '../oidc/oidc-provider';
import { cookieOf, dropCookie, setCookie } from './session-cookie';

const LIFE_MS = 10 * 60_000;
/** Browsers drop cookies of more than 4 KB. */
const NEXT_MAX = 1_000;

/** State of a browser that was sent to the sign-in provider, until it comes back. */
export interface OidcTrip extends PendingAuthorization {
  /** Where to go when signed in: a path of this site. */
  next: string;
  /** The session whose user links an account; absent for a sign-in. */
  link?: { sessionId: number };
}

type TripConfig = Pick<Config, 'secureCookies' | 'secretKey'>;

/**
 * Stored in a sealed cookie, which the browser can neither read nor change: only the browser that began a sign-in can
 * complete it.
 */
export function setTrip(response: Response, config: TripConfig, trip: OidcTrip): void {
  const expires = new Date(Date.now() + LIFE_MS);
  const next = trip.next.length > NEXT_MAX ? '/' : trip.next;
  const sealed = seal(config.secretKey, 'oidc-sign-in', JSON.stringify({ ...trip, next, until: expires.getTime() }));
  setCookie(response, config, 'gonets_oidc', sealed.toString('base64url'), expires);
}

/** The browser's pending sign-in, if it is recent. It is removed, whether it succeeds or not. */
export function takeTrip(request: Request, response: Response, config: TripConfig): OidcTrip | null {
  const cookie = cookieOf(request, config, 'gonets_oidc');
  if (cookie === undefined) return null;
  dropCookie(response, config, 'gonets_oidc');
  const opened = unseal(config.secretKey, 'oidc-sign-in', Buffer.from(cookie, 'base64url'));
  const trip = opened === null ? null : (JSON.parse(opened) as OidcTrip & { until: number });
  return trip && trip.until > Date.now() ? trip : null;
}
