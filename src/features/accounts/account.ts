import type { Config } from '../../config/config.module';
import { type Identity, identityOf } from '../../domain/identity';
import { parseSmtpUrl, type SmtpSettings } from '../../smtp/smtp-url';

/** Its row in `accounts`. */
export const MAIN_ACCOUNT = 1;
export const ACCOUNT = Symbol('account');

/**
 * One SMTP server with its login, and the identity under which it sends. Its state is in Postgres (`AccountsService`);
 * `AccountGate` says whether it may send now.
 *
 * To support a quirk of a provider, change one file and add a row to its test:
 * - a wording (of a quota, a block, greylisting, too many connections): `domain/smtp-wordings.ts`
 * - what a code, or no answer in a phase, means for letter, domain, mailing and account: a row in
 *   `domain/smtp-rules.ts`
 * - how it says after which time to try again: `namedDelayMs` in `domain/refusal-text.ts`
 * - how long its account rests, and when it is tried again: `domain/retry-policy.ts`, with BREAKER_DELAYS_MS and
 *   QUOTA_DELAYS_MS
 * - how many letters it accepts on one connection: `domain/session-limit.ts`
 * - when it has too many connections, and how many are closed: `ConnectionEase`
 * - greeting, TLS and login: `smtp/smtp-handshake.ts`; options of its URL: `smtp/smtp-url.ts`
 * - MAIL, RCPT, DATA, the dot and their answers: `smtp/letter-transaction.ts`, `smtp/reply-parser.ts`
 */
export interface Account {
  readonly id: number;
  readonly smtp: SmtpSettings;
  readonly identity: Identity;
}

/** The account through which everything is sent; prepared once by each process that sends. */
export const accountOf = (config: Config): Account => ({
  id: MAIN_ACCOUNT,
  smtp: parseSmtpUrl(config.smtpUrl),
  identity: identityOf(config),
});
