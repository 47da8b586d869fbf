import { isIP } from 'node:net';
import { isLoopback } from '../config/private-host';
import { serviceUrlProblem } from '../config/service-url';

/** Which mailbox is read, and how to connect. */
export interface MailboxSettings {
  host: string;
  port: number;
  /** TLS from the first byte (`imaps:`). */
  secure: boolean;
  /** Requires STARTTLS. If false, TLS is used if the server offers it, and a failed handshake is an error. */
  requireTls: boolean;
  rejectUnauthorized: boolean;
  servername: string | null;
  user: string;
  /** '' if it logs in by OAuth. */
  pass: string;
  folder: string;
}

/** The URL can't be used; the message repeats nothing of it but host and port. */
class MailboxUrlError extends Error {
  override readonly name = 'MailboxUrlError';
}

const FLAGS = ['allowPlainLogin', 'rejectUnauthorized'];
const OPTIONS = [...FLAGS, 'servername'];

/**
 * Reads `imaps://user:pass@host/INBOX` or `imap://…`, which needs STARTTLS unless the host is this machine or the URL
 * says `allowPlainLogin=true`. User, password and folder are percent-encoded. Options: allowPlainLogin,
 * rejectUnauthorized, servername. Ports default to 993 and 143, the folder to INBOX.
 *
 * @throws MailboxUrlError
 */
export function parseMailboxUrl(text: string): MailboxSettings {
  const problem = serviceUrlProblem(text, ['imaps', 'imap']);
  if (problem) throw new MailboxUrlError(problem);
  const url = new URL(text);
  const secure = url.protocol === 'imaps:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const [user, pass] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (host === '') throw new MailboxUrlError('has no host');
  if (user === '') throw new MailboxUrlError(`names no user for ${url.host}`);
  const options = optionsOf(url.searchParams);
  const allowPlainLogin = options.get('allowPlainLogin') === 'true';
  return {
    host,
    port: Number(url.port) || (secure ? 993 : 143),
    secure,
    requireTls: !secure && !allowPlainLogin && !isLoopback(host),
    rejectUnauthorized: options.get('rejectUnauthorized') !== 'false',
    servername: options.get('servername') ?? (isIP(host) ? null : host),
    user,
    pass,
    folder: decodeURIComponent(url.pathname.replace(/^\//, '')) || 'INBOX',
  };
}

/** What is wrong with the URL of a mailbox, or null. */
export function mailboxUrlProblem(text: string): string | null {
  try {
    parseMailboxUrl(text);
    return null;
  } catch (error) {
    if (error instanceof MailboxUrlError) return error.message;
    throw error;
  }
}

function optionsOf(params: URLSearchParams): Map<string, string> {
  const options = new Map<string, string>();
  for (const [name, value] of params) {
    // Its name may be a piece of a password with a ? in it.
    if (!OPTIONS.includes(name)) throw new MailboxUrlError(`has an option that is none of ${OPTIONS.join(', ')}`);
    if (options.has(name)) throw new MailboxUrlError(`gives ${name} twice`);
    if (FLAGS.includes(name) && value !== 'true' && value !== 'false')
      throw new MailboxUrlError(`has ${name}, which must be true or false`);
    if (value === '') throw new MailboxUrlError(`has an empty ${name}`);
    options.set(name, value);
  }
  return options;
}
