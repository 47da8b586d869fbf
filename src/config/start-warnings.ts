import { parseSmtpUrl, portHint } from '../smtp/smtp-url';
import type { ConfigValues } from './config';
import { isPrivate } from './private-host';

type Urls = Pick<ConfigValues, 'databaseUrl' | 'redisUrl' | 'smtpUrl'>;

/**
 * Warnings for the operator when a process starts: connections without TLS outside of private networks, and a port that
 * looks like a mistake.
 */
export function startWarnings({ databaseUrl, redisUrl, smtpUrl }: Urls): string[] {
  const database = new URL(databaseUrl);
  const redis = new URL(redisUrl);
  const warnings: string[] = [];
  if (database.hostname && !isPrivate(database.hostname) && !asksForTls(database)) {
    warnings.push(
      `Postgres at ${database.host} is asked without TLS: add ?sslmode=verify-full to DATABASE_URL, ` +
        'or what is sent can be read on the way',
    );
  }
  if (redis.protocol === 'redis:' && !isPrivate(redis.hostname)) {
    warnings.push(
      `Redis at ${redis.host} is asked without TLS: let REDIS_URL begin with rediss://, ` +
        'or what is sent can be read on the way',
    );
  }
  const hint = portHint(parseSmtpUrl(smtpUrl));
  if (hint) warnings.push(hint);
  return warnings;
}

function asksForTls({ searchParams: options }: URL): boolean {
  const mode = options.get('sslmode');
  if (mode !== null) return mode !== 'disable';
  return ['true', '1'].includes(options.get('ssl') ?? '') || options.get('sslnegotiation') === 'direct';
}
