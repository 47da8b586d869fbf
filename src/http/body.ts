import type { Request } from 'express';
import { DomainError, invalid } from '../domain/errors';
import { exceededBound, JSON_BOUNDS, type JsonBounds } from '../domain/json-bounds';
import { problem } from '../domain/problems';

/** The limit for bodies of public routes. */
export const PUBLIC_BODY_BYTES = 8 * 1024;
/** The limit for other bodies, except uploads: a comment of 10,000 characters fits, however it is escaped. */
export const BODY_BYTES = 128 * 1024;
/** The limit for routes that accept very many ids. */
export const MANY_IDS_BYTES = 1024 * 1024;
/**
 * The limit for messages: both parts of the largest one in Cyrillic, which a form encodes in six bytes per character.
 */
export const MESSAGE_BYTES = 2.5 * 1024 * 1024;
const FORM_FIELDS = 200;

/**
 * Reads a request's body into `request.body`: JSON under /api, a form's fields elsewhere; undefined if there is none.
 * Takes time in proportion to the bytes, at most `limit`, and uses only memory while the sender is slow.
 * @throws DomainError 415, 413, or 400 for what is not JSON or exceeds the bounds
 */
export async function readBody(
  request: Request,
  limit: number,
  idleMs: number,
  bounds: JsonBounds = JSON_BOUNDS,
): Promise<void> {
  if (!hasBody(request)) return;
  const isApi = /^\/api\//i.test(request.path);
  requireType(request, isApi ? 'application/json' : 'application/x-www-form-urlencoded');
  const bytes = await bytesOf(request, limit, idleMs);
  request.body = isApi ? parseJson(bytes, bounds) : parseForm(bytes);
}

/** Ends a request if its sender sends nothing for too long; time in which the sender waits for us does not count. */
export function failIfIdle(request: Request, idleMs: number): void {
  request.setTimeout(idleMs, () => {
    if (request.complete || request.readableLength > 0) request.socket.setTimeout(idleMs);
    else request.destroy(new Error('the sender is silent'));
  });
}

export const unsupported = (message: string) => new DomainError('unsupported', 'UNSUPPORTED_MEDIA_TYPE', message);

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

function requireType(request: Request, type: string): void {
  if (!request.is(type)) throw unsupported(`Send the body as ${type}.`);
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) throw unsupported('Send the body in UTF-8.');
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw unsupported('Send the body without Content-Encoding.');
}

/**
 * A body of whatever type, at most `limit` bytes of it; empty if there is none.
 * @throws DomainError 413, or 400 if it ends before it is complete
 */
export const readBytes = async (request: Request, limit: number, idleMs: number): Promise<Buffer> =>
  hasBody(request) ? bytesOf(request, limit, idleMs) : Buffer.alloc(0);

/** Collected in one growing buffer: very many small chunks would each cost more than their bytes. */
async function bytesOf(request: Request, limit: number, idleMs: number): Promise<Buffer> {
  const tooLarge = () => new DomainError('too_large', 'TOO_LARGE', `The body may have at most ${limit} bytes here.`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  failIfIdle(request, idleMs);
  let all = Buffer.allocUnsafe(4 * 1024);
  let size = 0;
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (size + piece.length > limit) throw tooLarge();
      if (size + piece.length > all.length) all = Buffer.concat([all, Buffer.allocUnsafe(size + 2 * piece.length)]);
      size += piece.copy(all, size);
    }
  } catch (error) {
    // Node discards an unread body only if nobody began to read it; otherwise the connection would hang.
    request.resume();
    if (error instanceof DomainError) throw error;
    throw new DomainError('invalid', 'BAD_REQUEST', 'The request ended before its body was complete.');
  }
  return all.subarray(0, size);
}

function parseJson(bytes: Buffer, bounds: JsonBounds): object {
  const bound = exceededBound(bytes, bounds);
  if (bound !== null) throw invalid('body', problem('too_complex', { bound, max: bounds[bound] }));
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch (error) {
    // V8's message quotes a part of the body, which may be a password; only the position is used.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new DomainError('invalid', 'BAD_REQUEST', `The body is not JSON${at ? ` (at character ${at})` : ''}.`);
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw invalid('body', problem('wrong_type', { wanted: 'object' }));
}

/** A field that is sent more than once has its last value. */
function parseForm(bytes: Buffer): Record<string, string> {
  const pairs = bytes
    .toString()
    .replaceAll('+', ' ')
    .split('&', FORM_FIELDS + 1);
  if (pairs.length > FORM_FIELDS) throw invalid('body', problem('too_many', { max: FORM_FIELDS, what: 'fields' }));
  try {
    return Object.fromEntries(
      pairs.map((pair) => {
        const end = pair.includes('=') ? pair.indexOf('=') : pair.length;
        return [decodeURIComponent(pair.slice(0, end)), decodeURIComponent(pair.slice(end + 1))];
      }),
    );
  } catch {
    throw new DomainError(
      'invalid',
      'BAD_REQUEST',
      'The body is not a form: a percent sign in it does not begin an escaped UTF-8 character.',
    );
  }
}
