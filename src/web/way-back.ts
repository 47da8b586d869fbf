import { allowedMethods } from '../http/allowed-methods';
import type { AuthenticatedRequest } from '../http/viewer';
import { localPath } from './local-path';

/** No address of ours has more parts. Each page above costs a look at all routes, and a caller may name any address. */
const PARTS_MAX = 8;

/**
 * The page of ours on which a form was sent, with its query; null if the browser does not say so, or it was another
 * site's. If a form's answer was a page with a form of its own, that is the nearest page above that can be opened.
 */
export function pageBefore(request: AuthenticatedRequest, publicUrl: string): string | null {
  const referer = request.get('referer') ?? '';
  if (!URL.canParse(referer)) return null;
  const { origin, host, pathname, search } = new URL(referer);
  if (origin !== new URL(publicUrl).origin && host !== request.get('host')) return null;
  if (canBeOpened(request, pathname)) return localPath(pathname + search);
  let above = pathname.split('/', PARTS_MAX + 1).join('/');
  while (above !== '' && !canBeOpened(request, above)) above = above.slice(0, above.lastIndexOf('/'));
  return localPath(above);
}

const canBeOpened = (request: AuthenticatedRequest, path: string): boolean =>
  allowedMethods(request, path).includes('GET');

/** Fields of forms that consist of buttons: what is chosen there is chosen again by one click. */
const CHOSEN = new Set(['key', 'clientId', 'runId', 'position', 'role']);

/** Whether a form that was sent has nothing in it that somebody would have to write once more. */
export function isOnlyButtons(request: AuthenticatedRequest): boolean {
  const body: unknown = request.body;
  if (body === undefined) return !request.is('multipart/form-data') && request.get('content-length') === '0';
  return typeof body === 'object' && body !== null && Object.keys(body).every((name) => CHOSEN.has(name));
}
