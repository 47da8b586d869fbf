import type { Config } from '../../config/config.module';
import { type Identity, identityOf } from '../../domain/identity';
import { parseSmtpUrl, type SmtpSettings } from '../../smtp/smtp-url';

/** Its row in `accounts`. */
export const MAIN_ACCOUNT = 1;
export const ACCOUNT = Symbol('account');

/**
 * One SMTP server with its login, and whose letters it takes. Its state stands in Postgres (`AccountsService`); `AccountGate`
 * says whether it may send now.
 *
 * What is particular about a provider is a change of one file, and a row in the test beside it:
 * - what it says in words (a quota, a block, greylisting, too many connections): a row of `domain/smtp-wordings.ts`
 * - what a code, or no answer in a phase, means for letter, domain, mailing and account: a row of `domain/smtp-rules.ts`
 * - how it names the time to come again: `namedDelayMs` in `domain/refusal-text.ts`
 * - how long its account rests, and when it is tried again: `domain/retry-policy.ts`, with BREAKER_DELAYS_MS and QUOTA_DELAYS_MS
 * - how many letters it takes on one connection: `domain/session-limit.ts`
 * - when connections are too many for it, and what becomes of them: `ConnectionEase`
 * - how it greets, secures and lets in: `smtp/smtp-handshake.ts`; what its URL may say: `smtp/smtp-url.ts`
 * - what follows its dot, and how its answers are read: `smtp/letter-transaction.ts`, `smtp/reply-parser.ts`
 */
export interface Account {
  readonly id: number;
  readonly smtp: SmtpSettings;
  readonly identity: Identity;
}

/** The account through which everything goes; prepared once by each process that sends. */
export const accountOf = (config: Config): Account => ({
  id: MAIN_ACCOUNT,
  smtp: parseSmtpUrl(config.smtpUrl),
  identity: identityOf(config),
});
