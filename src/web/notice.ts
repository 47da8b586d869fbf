import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { cut } from '../domain/cut';
import { worded } from '../domain/problems';
import type { Problem } from '../http/problem.filter';
import type { AuthenticatedRequest } from '../http/viewer';
import { refusal } from './codes';
import type { Texts } from './texts/texts';

/** A sentence about an action that was refused, left for the page it was asked for on. `grave`: our own fault. */
export interface Notice {
  text: string;
  grave: boolean;
}

const COOKIE = 'gonets_notice';
/** In characters: a Russian one has two bytes, base64url adds a third, and a cookie may have 4,096 bytes. */
const MAX_LENGTH = 700;

/** Why something was refused, in the reader's language: the true cause, as far as it may be told. */
export function causeOf({ status, code, detail, errors, uses, clients }: Problem, t: Texts): string {
  if (errors) return errors.map((error) => worded(t.problems, error)).join(' ');
  const details = { ...(uses && { uses }), ...(clients !== undefined && { clients }) };
  return refusal({ code, message: status === 409 ? detail : t.errors.text(status), details }, t);
}

/** The notice about a refusal. A page that was open for too long is up to date when it shows the notice. */
export function noticeOf(problem: Problem, t: Texts): Notice {
  const grave = problem.status >= 500;
  const text = problem.code === 'CSRF_TOKEN' ? t.shell.stale : causeOf(problem, t);
  return { text: grave ? `${text} ${t.errors.requestId(problem.requestId)}` : text, grave };
}

export function setNotice(response: Response, { text, grave }: Notice, csrfToken: string, secure: boolean): void {
  const shown = text.length > MAX_LENGTH ? `${cut(text, MAX_LENGTH)}…` : text;
  const payload = Buffer.from(JSON.stringify([shown, grave])).toString('base64url');
  const value = `${payload}.${seal(payload, csrfToken)}`;
  response.cookie(COOKIE, value, { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: 60_000 });
}

/**
 * The notice that was left for this page, which is then over. One that was not made for this session is none: somebody
 * who can set cookies must not be able to put words into a page.
 */
export function takeNotice(request: AuthenticatedRequest, response: Response): Notice | null {
  const given = parseCookie(request.headers.cookie ?? '')[COOKIE];
  if (given === undefined) return null;
  response.clearCookie(COOKIE, { path: '/' });
  const [payload = '', sealed = ''] = given.split('.');
  if (!request.csrfToken || !isSame(sealed, seal(payload, request.csrfToken))) return null;
  const [text, grave] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, boolean];
  return { text, grave };
}

const seal = (payload: string, csrfToken: string): string =>
  createHmac('sha256', `notice ${csrfToken}`).update(payload).digest('base64url');

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
