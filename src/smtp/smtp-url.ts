import { isIP } from 'node:net';
import { isLoopback } from '../config/private-host';

/** Where and how to connect. All durations in milliseconds. */
export interface SmtpSettings {
  host: string;
  port: number;
  /** TLS from the first byte (`smtps:`). */
  secure: boolean;
  /**
   * Requires STARTTLS. If false, TLS is used if the server offers it, and a failed handshake is an error. A login is
   * never sent in clear to another machine, unless the URL says allowPlainLogin=true.
   */
  requireTLS: boolean;
  ignoreTLS: boolean;
  rejectUnauthorized: boolean;
  servername: string | null;
  login: { user: string; pass: string } | null;
  authMethod: 'PLAIN' | 'LOGIN' | 'CRAM-MD5' | null;
  /** Our name in EHLO; null means this host's name. */
  name: string | null;
  localAddress: string | null;
  /** DNS and connect together. */
  connectionTimeoutMs: number;
  greetingTimeoutMs: number;
  /** Each answer up to the one to DATA, and the TLS handshake (RFC 5321 section 4.5.3.2 wants up to 5 minutes). */
  commandTimeoutMs: number;
  /** For each block of the letter's body until the server takes it. */
  dataTimeoutMs: number;
  /** The answer to the final dot (RFC 5321: 10 minutes, lest letters double). */
  dotTimeoutMs: number;
}

/** The SMTP URL cannot be used; the message names the part, never the password. */
export class SmtpUrlError extends Error {
  override readonly name = 'SmtpUrlError';
}

const TIMEOUTS = {
  connectionTimeout: 30_000,
  greetingTimeout: 30_000,
  commandTimeout: 300_000,
  dataTimeout: 180_000,
  dotTimeout: 600_000,
};
const FLAGS = { requireTLS: false, ignoreTLS: false, rejectUnauthorized: true, allowPlainLogin: false };
const TEXTS = ['name', 'servername', 'localAddress', 'authMethod'];
const METHODS = ['PLAIN', 'LOGIN', 'CRAM-MD5'] as const;

/**
 * Reads `smtp://user:pass@host:587?requireTLS=true` or `smtps://…`; user and password percent-encoded. Options:
 * requireTLS, ignoreTLS, allowPlainLogin, rejectUnauthorized, servername, name, localAddress, authMethod, and in
 * milliseconds connectionTimeout, greetingTimeout, commandTimeout, dataTimeout, dotTimeout. Ports default to 587 and
 * 465.
 * @throws SmtpUrlError naming the part that is wrong
 */
export function parseSmtpUrl(text: string): SmtpSettings {
  const url = URL.parse(text);
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol)) {
    throw new SmtpUrlError('The SMTP URL must look like smtp://user:password@host:587 or smtps://…');
  }
  const secure = url.protocol === 'smtps:';
  const host = decoded('host', url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (!host) throw new SmtpUrlError('The SMTP URL has no host.');
  if (!['', '/'].includes(url.pathname)) throw new SmtpUrlError('The SMTP URL takes no path.');
  const option = optionsOf(url.searchParams);
  const flag = (name: keyof typeof FLAGS): boolean => {
    const value = option.get(name) ?? String(FLAGS[name]);
    if (value !== 'true' && value !== 'false') throw new SmtpUrlError(`SMTP option ${name} must be true or false.`);
    return value === 'true';
  };
  const duration = (name: keyof typeof TIMEOUTS): number => {
    const value = Number(option.get(name) ?? TIMEOUTS[name]);
    if (!Number.isInteger(value) || value < 1 || value > 2 ** 31 - 1) {
      throw new SmtpUrlError(`SMTP option ${name} must be a number of milliseconds, 1 or more.`);
    }
    return value;
  };
  const word = option.get('authMethod')?.toUpperCase();
  const authMethod = METHODS.find((method) => method === word) ?? null;
  if (word !== undefined && !authMethod) {
    throw new SmtpUrlError(`SMTP option authMethod must be one of ${METHODS.join(', ')}.`);
  }
  const localAddress = option.get('localAddress') ?? null;
  if (localAddress !== null && !isIP(localAddress)) {
    throw new SmtpUrlError('SMTP option localAddress must be an IP address.');
  }
  const name = option.get('name') ?? null;
  if (name !== null && !/^[\w.:[\]-]+$/.test(name)) throw new SmtpUrlError('SMTP option name must be a host name.');
  const requireTLS = flag('requireTLS');
  const ignoreTLS = flag('ignoreTLS');
  if (ignoreTLS && (requireTLS || secure)) {
    throw new SmtpUrlError(`SMTP option ignoreTLS contradicts ${secure ? 'smtps:' : 'requireTLS'}.`);
  }
  const user = decoded('user', url.username);
  const pass = decoded('password', url.password);
  if (!user !== !pass) throw new SmtpUrlError('The SMTP URL needs both user and password, or neither.');
  const guarded = user !== '' && !secure && !flag('allowPlainLogin') && !isLoopback(host);
  if (guarded && ignoreTLS) {
    throw new SmtpUrlError(
      'SMTP option ignoreTLS would send the password unencrypted: leave it out, or add allowPlainLogin=true.',
    );
  }
  return {
    host,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: requireTLS || guarded,
    ignoreTLS,
    rejectUnauthorized: flag('rejectUnauthorized'),
    servername: option.get('servername') ?? (isIP(host) ? null : host),
    login: user ? { user, pass } : null,
    authMethod,
    name,
    localAddress,
    connectionTimeoutMs: duration('connectionTimeout'),
    greetingTimeoutMs: duration('greetingTimeout'),
    commandTimeoutMs: duration('commandTimeout'),
    dataTimeoutMs: duration('dataTimeout'),
    dotTimeoutMs: duration('dotTimeout'),
  };
}

/** What is wrong with the SMTP URL, or null. */
export function smtpUrlProblem(text: string): string | null {
  try {
    parseSmtpUrl(text);
    return null;
  } catch (error) {
    if (error instanceof SmtpUrlError) return `can't be used: ${error.message}`;
    throw error;
  }
}

/** A likely reason for a failed connection: the port belongs to the other URL scheme. */
export function portHint({ port, secure }: Pick<SmtpSettings, 'port' | 'secure'>): string | null {
  if (port === 465 && !secure) return 'Port 465 usually speaks TLS from the first byte: try smtps:// in SMTP_URL';
  if ((port === 587 || port === 25) && secure)
    return `Port ${port} usually begins without TLS: try smtp:// in SMTP_URL, which goes on with STARTTLS`;
  return null;
}

function optionsOf(params: URLSearchParams): Map<string, string> {
  const known = new Set([...Object.keys(TIMEOUTS), ...Object.keys(FLAGS), ...TEXTS]);
  const options = new Map<string, string>();
  for (const [name, value] of params) {
    if (!known.has(name)) {
      // What is no word may be a piece of a password that holds a question mark.
      const which = /^[a-z]+$/i.test(name) ? `SMTP option ${name}` : 'An option of the SMTP URL';
      throw new SmtpUrlError(`${which} is not known; known are ${[...known].join(', ')}. In a password ? is %3F.`);
    }
    if (options.has(name)) throw new SmtpUrlError(`SMTP option ${name} is given twice.`);
    if (!value) throw new SmtpUrlError(`SMTP option ${name} is empty.`);
    options.set(name, value);
  }
  return options;
}

function decoded(part: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new SmtpUrlError(`The ${part} in the SMTP URL is not percent-encoded correctly.`);
  }
}
