import { isPrivate } from './private-host';

const ENCODE =
  'percent-encode the user and password (@ is %40, : is %3A, / is %2F, # is %23, ? is %3F, % is %25, a space is %20)';
const CONTROL = /[\0-\x1f\x7f]/;

/**
 * Why a text is not the URL of a service, or null if it is. A password that is not percent-encoded can make a parser
 * take a part of it for the host, the path or the fragment: such a URL is refused here, before a part of the password
 * is logged as a host that was not found. The answer repeats no part of the URL.
 */
export function serviceUrlProblem(text: string, protocols: readonly string[]): string | null {
  if (CONTROL.test(text)) return 'must be one line without control characters';
  const url = URL.parse(text);
  const afterHost = /^[^/]*\/\/[^/?#]*(.*)$/.exec(text.trim())?.[1] ?? '';
  if (/[@#]/.test(afterHost)) return `holds @ or # behind its host: ${ENCODE}`;
  if (/^\s*["'`]|["'`]\s*$/.test(text)) return 'must not stand in quotation marks';
  if (!url) return text.includes('@') ? `is not a URL: ${ENCODE}` : `is not a URL such as ${protocols[0]}://host:port`;
  // Parsers take what follows a colon without slashes for a path, or for a host all the same.
  if (!protocols.some((protocol) => text.trim().toLowerCase().startsWith(`${protocol}://`)))
    return `must begin with ${protocols.map((p) => `${p}://`).join(' or ')}`;
  // As Postgres' own tools take it: the folder of a socket. Another host there would not be the one that is warned of.
  const folder = url.searchParams.get('host');
  if (folder !== null && !folder.startsWith('/'))
    return 'names a host behind its question mark: only the folder of a socket may stand there';
  if (url.hostname === '' && folder === null) return `has no host: ${protocols[0]}://host:port`;
  return [url.username, url.password, url.hostname, url.pathname].every(isEncoded)
    ? null
    : `holds a % that begins no percent-encoded character: ${ENCODE}`;
}

/** The same for the URL of a Redis, whose path is the number of a database. */
export function redisUrlProblem(text: string): string | null {
  const problem = serviceUrlProblem(text, ['redis', 'rediss']);
  if (problem) return problem;
  const { hostname, pathname, search } = new URL(text);
  if (hostname === '') return 'has no host: redis://host:6379/0';
  if (search) return `takes no options behind a question mark: ${ENCODE}`;
  return /^\/?\d*$/.test(pathname) ? null : 'must end in the number of a database, such as /0';
}

/** The same for the address at which browsers reach the service; links in notices begin with it. */
export function publicUrlProblem(text: string): string | null {
  const problem = serviceUrlProblem(text, ['https', 'http']);
  if (problem) return problem;
  const { username, password, search } = new URL(text);
  if (username || password) return 'must not hold a user or password';
  return search ? 'must not hold a question mark' : null;
}

/** The same for an OpenID Connect issuer: over TLS, unless it is in a private network. */
export function issuerProblem(text: string): string | null {
  const problem = serviceUrlProblem(text, ['https', 'http']);
  if (problem) return problem;
  const { protocol, hostname, username, password, search } = new URL(text);
  if (username || password || search) return 'must not hold a user, a password or a question mark';
  return protocol === 'https:' || isPrivate(hostname) ? null : 'must begin with https://';
}

function isEncoded(part: string): boolean {
  try {
    return decodeURIComponent(part) !== undefined;
  } catch {
    return false;
  }
}
