import { type SmtpPhase, type TransmitResult, type UnsendableProblem } from './smtp-result';

/** What the account or the mailing suffers. Counts are kept by the caller; thresholds are data of the rule. */
export type Consequence =
  | { kind: 'none' }
  /** The account waits one breaker step, then sends one probe. */
  | { kind: 'breaker' }
  /** As `breaker`; the `after`-th within `withinMs` also halves the account's connections. */
  | { kind: 'ease'; after: number; withinMs: number }
  /** No letters to the recipient's domain for the configured hold. */
  | { kind: 'hold_domain' }
  /** Parks after so many in a row, each of another recipient; 1 is at once. An account waits by the breaker until then. */
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
  'template_failed',
  'tls_failed',
  'tls_unavailable',
  'user_unknown',
  'withheld',
] as const;
export type SmtpReason = (typeof SMTP_REASONS)[number];

/** Who is to blame; null where nobody is. */
export type Scope = 'recipient' | 'domain' | 'mailing' | 'transport' | null;

/** What a rule says; `attempt` follows from it and from the phase. */
export interface Ruling {
  reason: SmtpReason;
  /** `retry`: deferred with back-off. `pending`: back in the queue as if never tried. */
  delivery: 'sent' | 'failed' | 'retry' | 'pending' | 'unknown';
  scope: Scope;
  permanent: boolean;
  consequence: Consequence;
}

/** One row of the table. All given conditions must hold; an absent enhanced code is the empty string. */
export interface SmtpRule {
  when: {
    kind: TransmitResult['kind'];
    phases?: readonly SmtpPhase[];
    code?: RegExp;
    enhanced?: RegExp;
    text?: RegExp;
    dotSent?: boolean;
    brokenBefore?: number;
    problem?: UnsendableProblem;
  };
  then: Ruling;
}

const NONE: Consequence = { kind: 'none' };
const BREAKER: Consequence = { kind: 'breaker' };
const EASE: Consequence = { kind: 'ease', after: 3, withinMs: 60_000 };
const parkAccount = (after: number): Consequence => ({ kind: 'park', what: 'account', after });
const parkMailing = (after: number): Consequence => ({ kind: 'park', what: 'mailing', after });

/** The recipient's, and may pass: back-off. */
const later = (reason: SmtpReason): Ruling => ({
  reason,
  delivery: 'retry',
  scope: 'recipient',
  permanent: false,
  consequence: NONE,
});
/** The recipient's, for good. */
const never = (reason: SmtpReason): Ruling => ({ ...later(reason), delivery: 'failed', permanent: true });
/** The account's, and may pass. */
const wait = (reason: SmtpReason, consequence: Consequence = BREAKER): Ruling => ({
  reason,
  delivery: 'pending',
  scope: 'transport',
  permanent: false,
  consequence,
});
/** The account's, until somebody mends it. */
const mend = (reason: SmtpReason, after: number): Ruling => ({
  ...wait(reason, parkAccount(after)),
  permanent: true,
});
/** The mailing's: it is parked, and those who led to it are pending again. */
const rewrite = (reason: SmtpReason, after: number): Ruling => ({
  reason,
  delivery: 'pending',
  scope: 'mailing',
  permanent: true,
  consequence: parkMailing(after),
});
/** Our fault, but only seen letter by letter: failed in this run, the address is not to blame. */
const ourFault = (reason: SmtpReason, scope: 'mailing' | 'transport', consequence = parkMailing(20)): Ruling => ({
  reason,
  delivery: 'failed',
  scope,
  permanent: true,
  consequence,
});
const CONTENT: Consequence = { kind: 'park_share', what: 'mailing', share: 0.5, of: 100 };

const refused = (
  phases: readonly SmtpPhase[] | null,
  when: Omit<SmtpRule['when'], 'kind'>,
  then: Ruling,
): SmtpRule => ({
  when: { kind: 'refused', ...(phases && { phases }), ...when },
  then,
});
const unsendable = (problem: UnsendableProblem, then: Ruling): SmtpRule => ({
  when: { kind: 'unsendable', problem },
  then,
});

const ENVELOPE = ['rcpt', 'data', 'dot'] as const;
const RATE =
  /unusual rate|rate[- ]?limit|too many (?:messages|e?mails)|unexpected volume|temporarily deferred|throttl|\[TSS?\d\d\]/i;
const BLOCKED = /\bblocked using\b|\bblock ?list|\bblacklist|spamhaus|\bDNSBL\b|\bRBL\b/i;

/**
 * From SMTP reply to outcome: the rows in order, the first that matches decides. First digit, then enhanced code
 * (RFC 3463, RFC 5248), then text. Every kind ends in a row without conditions, so there always is an answer.
 */
export const SMTP_RULES: readonly SmtpRule[] = [
  {
    when: { kind: 'accepted' },
    then: { reason: 'accepted', delivery: 'sent', scope: null, permanent: false, consequence: NONE },
  },
  {
    when: { kind: 'withheld' },
    then: { reason: 'withheld', delivery: 'pending', scope: null, permanent: false, consequence: NONE },
  },

  unsendable('login_not_offered', mend('login_not_offered', 3)),
  unsendable('too_large', rewrite('message_too_large', 1)),
  unsendable('template_failed', rewrite('template_failed', 1)),
  unsendable('sender_needs_utf8', rewrite('sender_refused', 1)),
  unsendable('bad_address', never('bad_address')),
  unsendable('address_needs_utf8', never('address_needs_utf8')),

  {
    when: { kind: 'broken', dotSent: true },
    then: {
      reason: 'no_reply_after_dot',
      delivery: 'unknown',
      scope: 'transport',
      permanent: false,
      consequence: NONE,
    },
  },
  { when: { kind: 'broken', phases: ['tls'] }, then: mend('tls_failed', 3) },
  { when: { kind: 'broken', phases: ['mail', ...ENVELOPE], brokenBefore: 2 }, then: later('connection_broken') },
  { when: { kind: 'broken', phases: ['mail', ...ENVELOPE] }, then: wait('connection_broken') },
  { when: { kind: 'broken' }, then: wait('connection_failed') },

  // A provider's rate limit comes as 421 too: it is about one domain, not about the account.
  refused(
    ENVELOPE,
    { code: /^4/, enhanced: /^4\.7\.(28|650)$/ },
    {
      ...later('rate_limited_by_provider'),
      scope: 'domain',
      consequence: { kind: 'hold_domain' },
    },
  ),
  refused(
    ENVELOPE,
    { code: /^4/, enhanced: /^4\.7\./, text: RATE },
    {
      ...later('rate_limited_by_provider'),
      scope: 'domain',
      consequence: { kind: 'hold_domain' },
    },
  ),
  refused(null, { code: /^421$/ }, wait('server_busy', EASE)),

  refused(['tls'], { code: /^4/ }, wait('tls_unavailable')),
  refused(['tls'], {}, mend('tls_failed', 3)),
  refused(['auth'], { code: /^4/ }, wait('auth_unavailable')),
  refused(['auth'], {}, mend('auth_refused', 2)),
  refused(['dns', 'connect', 'greeting', 'ehlo'], { code: /^4/ }, wait('connection_failed')),
  refused(['dns', 'connect', 'greeting', 'ehlo'], {}, mend('server_refused', 3)),
  refused(null, { code: /^53[0458]$/ }, mend('auth_refused', 2)),

  refused(null, { code: /^5/, enhanced: /^5\.3\.4$/ }, rewrite('message_too_large', 1)),
  refused(['mail'], { code: /^552$/ }, rewrite('message_too_large', 1)),
  refused(
    ['data', 'dot'],
    { code: /^552$/, enhanced: /^$/, text: /size|large|\bbig\b|limit/i },
    rewrite('message_too_large', 1),
  ),

  refused(['mail'], { code: /^50[0234]$/ }, mend('protocol_out_of_step', 2)),
  refused(['mail'], { code: /^4/ }, wait('sender_deferred')),
  refused(['mail'], {}, rewrite('sender_refused', 3)),

  refused(ENVELOPE, { code: /^4/, enhanced: /^4\.2\.2$/ }, later('mailbox_full')),
  refused(ENVELOPE, { code: /^452$/, enhanced: /^$/, text: /quota|mailbox|full/i }, later('mailbox_full')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.2\.2$/ }, never('mailbox_full')),
  refused(ENVELOPE, { code: /^552$/, enhanced: /^$/ }, never('mailbox_full')),

  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\.[78]$/ }, rewrite('sender_refused', 3)),
  refused(
    ENVELOPE,
    { code: /^5/, enhanced: /^5\.7\.(2[0-9]|30|509|515)$/ },
    ourFault('sender_unauthenticated', 'mailing'),
  ),
  refused(ENVELOPE, { code: /^5/, text: BLOCKED }, ourFault('sender_blocked', 'transport')),
  refused(
    ['rcpt', 'data'],
    {
      code: /^5/,
      text: /relay(?:ing)? (?:access )?denied|(?:not permitted|unable|not allowed) to relay|relaying not/i,
    },
    ourFault('relay_denied', 'transport'),
  ),
  refused(['rcpt', 'data'], { code: /^5/, enhanced: /^5\.7\./ }, ourFault('policy_refused', 'mailing')),

  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\.3$/ }, never('bad_address')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.(1\.2|4\.4)$/ }, never('domain_unknown')),
  refused(ENVELOPE, { code: /^556$/ }, never('domain_unknown')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\./ }, never('user_unknown')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.2\.1$/ }, never('mailbox_disabled')),
  refused(ENVELOPE, { code: /^50[0234]$/ }, mend('protocol_out_of_step', 2)),
  refused(['rcpt'], { code: /^(501|553)$/ }, never('bad_address')),
  refused(['rcpt'], { code: /^5/, text: /unknown|no such|not exist|not found|invalid/i }, never('user_unknown')),
  refused(['rcpt'], { code: /^5/ }, never('recipient_refused')),

  refused(ENVELOPE, { code: /^4/, text: /gr[ae]y-?list/i }, later('greylisted')),
  refused(['rcpt'], { code: /^45[01]$/, enhanced: /^4\.7\.1$/ }, later('greylisted')),
  refused(['rcpt'], { code: /^4/ }, later('recipient_deferred')),
  refused(null, { code: /^4/ }, later('letter_deferred')),

  refused(null, {}, ourFault('content_refused', 'mailing', CONTENT)),
];
