import { parseCookie } from 'cookie';
import type { Request } from 'express';
import { timeZoneName } from '../domain/time-zone';
import type { UsersService } from '../features/users/users.service';
import type { Flash } from './reader';

/**
 * At a sign-in: a user of whom no time zone is known gets the browser's, which the sign-in page left in a cookie, as it
 * must survive a second step and the way to another service and back. @returns the sentence that says so
 */
export async function takeBrowserZone(
  users: UsersService,
  userId: number,
  request: Request,
): Promise<Flash | undefined> {
  const zone = timeZoneName(parseCookie(request.headers.cookie ?? '').gonets_zone ?? '');
  return zone !== null && (await users.takeZone(userId, zone)) ? 'zoneTaken' : undefined;
}
