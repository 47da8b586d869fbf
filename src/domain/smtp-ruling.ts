import type { SmtpPhase, TransmitResult, UnsendableProblem } from './smtp-result';

/** What happens to the account or the mailing. Counts are kept by the caller; thresholds are data of the rule. */
export type Consequence =
  | { kind: 'none' }
  /** The account waits one breaker step, then sends one probe. */
  | { kind: 'breaker' }
  /** As `breaker`; the `after`-th within `withinMs` also halves the account's connections. */
  | { kind: 'ease'; after: number; withinMs: number }
  /** One connection less; the account waits only when it has no other. */
  | { kind: 'fewer' }
  /** The account rests for long, then sends one letter as a probe. */
  | { kind: 'rest' }
  /** This connection has served the allowed number of letters: the letter goes at once through a new one. */
  | { kind: 'fresh' }
  /** No letters to the recipient's domain for the configured time. */
  | { kind: 'rest_domain' }
  /**
   * Parks after so many in a row, each to another recipient; 1 is at once. Until then an account waits one breaker step
   * each time.
   */
  | { kind: 'park'; what: 'account' | 'mailing'; after: number }
  /** Parks the mailing when this share of its last `of` attempts ended so. */
  | { kind: 'park_share'; what: 'mailing'; share: number; of: number };

/** Every reason a verdict can have: stable, for reports and translations. */
export const SMTP_REASONS = [
  'accepted',
  'address_needs_utf8',
  'auth_refused',
  'auth_unavailable',
  'bad_address',
  'connection_broken',
  'connection_failed',
  'content_refused',
  'domain_unknown',
  'greylisted',
  'letter_deferred',
  'login_not_offered',
  'mailbox_disabled',
  'mailbox_full',
  'message_too_large',
  'no_reply_after_dot',
  'policy_refused',
  'protocol_out_of_step',
  'quota_exceeded',
  'rate_limited_by_provider',
  'recipient_deferred',
  'recipient_refused',
  'relay_denied',
  'sender_blocked',
  'sender_deferred',
  'sender_refused',
  'sender_unauthenticated',
  'server_busy',
  'server_refused',
  'session_limit',
  'template_failed',
  'tls_failed',
  'tls_not_offered',
  'tls_unavailable',
  'user_unknown',
  'withheld',
] as const;
export type SmtpReason = (typeof SMTP_REASONS)[number];

/** Who is to blame; null where nobody is. */
export type Scope = 'recipient' | 'domain' | 'mailing' | 'account' | null;

/** What a rule says; `attempt` follows from it and from the phase. */
export interface Ruling {
  reason: SmtpReason;
  /** `retry`: deferred with back-off. `pending`: back in the queue as if never tried. */
  delivery: 'sent' | 'failed' | 'retry' | 'pending' | 'unknown';
  scope: Scope;
  permanent: boolean;
  consequence: Consequence;
  /** Nothing in the answer names the recipient: if all recipients get the same, it is about us. */
  guess?: true;
}

/** One row of the table. All given conditions must hold; an absent enhanced code is the empty string. */
export interface SmtpRule {
  when: {
    kind: TransmitResult['kind'];
    phases?: readonly SmtpPhase[];
    code?: RegExp;
    enhanced?: RegExp;
    /** Found in the words of the answer (`refusalWords`). */
    text?: Wording;
    /** Whether the words name the sender. */
    sender?: boolean;
    /** The connection had served the allowed number of letters. */
    spent?: true;
    dotSent?: boolean;
    brokenBefore?: number;
    problem?: UnsendableProblem;
  };
  then: Ruling;
}

/** A text to be found in the words of an answer. */
export interface Wording {
  test(words: string): boolean;
}

export const NONE: Consequence = { kind: 'none' };
export const BREAKER: Consequence = { kind: 'breaker' };
export const EASE: Consequence = { kind: 'ease', after: 3, withinMs: 60_000 };
export const CONTENT: Consequence = { kind: 'park_share', what: 'mailing', share: 0.5, of: 100 };
const parkAccount = (after: number): Consequence => ({ kind: 'park', what: 'account', after });
const parkMailing = (after: number): Consequence => ({ kind: 'park', what: 'mailing', after });

/** About the recipient, temporary: tried again with back-off. */
export const later = (reason: SmtpReason): Ruling => ({
  reason,
  delivery: 'retry',
  scope: 'recipient',
  permanent: false,
  consequence: NONE,
});
/** About the recipient, permanent. */
export const never = (reason: SmtpReason): Ruling => ({ ...later(reason), delivery: 'failed', permanent: true });
/** Taken as about the recipient, though only the reply code says so. */
export const guess = (ruling: Ruling): Ruling => ({ ...ruling, guess: true });
/** About the recipient's domain, which gets no letters for a while. */
export const restDomain = (reason: SmtpReason): Ruling => ({
  ...later(reason),
  scope: 'domain',
  consequence: { kind: 'rest_domain' },
});
/** About the account, temporary. */
export const wait = (reason: SmtpReason, consequence: Consequence = BREAKER): Ruling => ({
  reason,
  delivery: 'pending',
  scope: 'account',
  permanent: false,
  consequence,
});
/** About the account, until somebody corrects it. */
export const mend = (reason: SmtpReason, after: number): Ruling => ({
  ...wait(reason, parkAccount(after)),
  permanent: true,
});
/** About the mailing: it is parked, and the deliveries that caused it are pending again. */
export const rewrite = (reason: SmtpReason, after: number): Ruling => ({
  reason,
  delivery: 'pending',
  scope: 'mailing',
  permanent: true,
  consequence: parkMailing(after),
});
/** Our fault, but visible only in single letters: the delivery has failed in this run, the address is not to blame. */
export const ourFault = (reason: SmtpReason, scope: 'mailing' | 'account', consequence = parkMailing(20)): Ruling => ({
  reason,
  delivery: 'failed',
  scope,
  permanent: true,
  consequence,
  guess: true,
});

export const refused = (
  phases: readonly SmtpPhase[] | null,
  when: Omit<SmtpRule['when'], 'kind'>,
  then: Ruling,
): SmtpRule => ({
  when: { kind: 'refused', ...(phases && { phases }), ...when },
  then,
});
export const unsendable = (problem: UnsendableProblem, then: Ruling): SmtpRule => ({
  when: { kind: 'unsendable', problem },
  then,
});
