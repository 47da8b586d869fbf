import {
  CONTENT,
  EASE,
  guess,
  restDomain,
  later,
  mend,
  never,
  NONE,
  ourFault,
  refused,
  rewrite,
  type SmtpRule,
  unsendable,
  wait,
} from './smtp-ruling';
import * as says from './smtp-wordings';

const ENVELOPE = ['rcpt', 'data', 'dot'] as const;
const LETTER = ['mail', ...ENVELOPE] as const;
const BARE = /^$/;
const FEWER = { kind: 'fewer' } as const;
const REST = { kind: 'rest' } as const;

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
      scope: 'account',
      permanent: false,
      consequence: NONE,
    },
  },
  { when: { kind: 'broken', phases: ['tls'] }, then: mend('tls_failed', 3) },
  { when: { kind: 'broken', phases: LETTER, brokenBefore: 2 }, then: later('connection_broken') },
  { when: { kind: 'broken', phases: LETTER }, then: wait('connection_broken') },
  { when: { kind: 'broken' }, then: wait('connection_failed') },

  // Trouble of our side, whatever the code and the step: it counts against nobody.
  refused(null, { spent: true }, wait('session_limit', { kind: 'fresh' })),
  refused(LETTER, { code: /^432$/ }, wait('server_busy', FEWER)),
  refused(null, { text: says.CONCURRENT }, wait('server_busy', FEWER)),
  // A provider's rate limit comes as 421 too: it is about one domain, not about the account.
  refused(ENVELOPE, { code: /^4/, enhanced: /^4\.7\.(28|650)$/ }, restDomain('rate_limited_by_provider')),
  refused(null, { text: says.SENDING_QUOTA }, wait('quota_exceeded', REST)),
  refused(ENVELOPE, { code: /^4/, enhanced: /^4\.2\.2$/ }, later('mailbox_full')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.2\.2$/ }, never('mailbox_full')),
  refused(LETTER, { code: /^5/, enhanced: /^5\.(1\.90|4\.5|7\.(23[236]|705))$/ }, wait('quota_exceeded', REST)),
  refused(null, { text: says.QUOTA }, wait('quota_exceeded', REST)),
  refused(ENVELOPE, { code: /^4/, enhanced: /^4\.7\./, text: says.RATE }, restDomain('rate_limited_by_provider')),
  refused(LETTER, { text: says.TOO_MUCH }, wait('quota_exceeded', REST)),
  refused(null, { code: /^421$/ }, wait('server_busy', EASE)),

  refused(['tls'], { code: /^50[0-4]$/ }, mend('tls_not_offered', 3)),
  refused(['tls'], { code: /^4/ }, wait('tls_unavailable')),
  refused(['tls'], {}, mend('tls_failed', 3)),
  refused(['auth'], { code: /^4/ }, wait('auth_unavailable')),
  refused(['auth'], {}, mend('auth_refused', 2)),
  refused(['dns', 'connect', 'greeting', 'ehlo'], { code: /^4/ }, wait('connection_failed')),
  refused(['dns', 'connect', 'greeting', 'ehlo'], {}, mend('server_refused', 3)),
  refused(null, { code: /^53[0458]$/ }, mend('auth_refused', 2)),

  refused(null, { code: /^5/, enhanced: /^5\.3\.4$/ }, rewrite('message_too_large', 1)),
  refused(['mail'], { code: /^552$/ }, rewrite('message_too_large', 1)),
  refused(['data', 'dot'], { code: /^552$/, enhanced: BARE, text: says.TOO_LARGE }, rewrite('message_too_large', 1)),

  refused(['mail'], { code: /^50[0234]$/ }, mend('protocol_out_of_step', 2)),
  refused(['mail'], { code: /^4/ }, wait('sender_deferred')),
  refused(['mail'], {}, rewrite('sender_refused', 3)),

  // About the sender, in the answer to a recipient or later.
  refused(ENVELOPE, { code: /^4/, enhanced: /^4\.1\.[78]$/ }, wait('sender_deferred')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\.[78]$/ }, rewrite('sender_refused', 3)),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\.0$/, sender: true }, rewrite('sender_refused', 3)),
  refused(
    ENVELOPE,
    { code: /^5/, enhanced: /^5\.7\.(2[0-9]|30|509|515)$/ },
    ourFault('sender_unauthenticated', 'mailing'),
  ),
  refused(ENVELOPE, { code: /^5/, text: says.BLOCKED }, ourFault('sender_blocked', 'account')),
  refused(['rcpt', 'data'], { code: /^5/, text: says.RELAY }, ourFault('relay_denied', 'account')),
  refused(ENVELOPE, { code: /^4/, text: says.SENDER_REFUSED }, wait('sender_deferred')),
  refused(ENVELOPE, { code: /^5/, text: says.SENDER_REFUSED }, rewrite('sender_refused', 3)),

  // About the recipient, by code or text; also with a policy code (x.7.x), and after the final dot.
  refused(ENVELOPE, { code: /^4/, text: says.MAILBOX_FULL, sender: false }, later('mailbox_full')),
  refused(ENVELOPE, { code: /^5/, text: says.MAILBOX_FULL, sender: false }, never('mailbox_full')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\.3$/ }, never('bad_address')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.(1\.2|4\.4)$/ }, never('domain_unknown')),
  refused(ENVELOPE, { code: /^556$/, enhanced: /^5\.1\.10$/ }, never('domain_unknown')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\.([1456]|10)$/ }, never('user_unknown')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.4\.1$/, text: /recipient address rejected/ }, never('user_unknown')),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.2\.1$/ }, never('mailbox_disabled')),
  refused(ENVELOPE, { code: /^4/, text: says.GREYLIST }, later('greylisted')),
  refused(ENVELOPE, { code: /^5/, text: says.NO_SUCH_USER, sender: false }, never('user_unknown')),
  refused(ENVELOPE, { code: /^4/, text: says.NO_SUCH_USER, sender: false }, later('recipient_deferred')),
  refused(ENVELOPE, { code: /^4/, enhanced: /^4\.[12]\./ }, later('recipient_deferred')),

  // Guessed from the reply code or a policy code: if all recipients get the same, it is about us.
  refused(['rcpt', 'data'], { code: /^5/, enhanced: /^5\.7\./ }, ourFault('policy_refused', 'mailing')),
  refused(ENVELOPE, { code: /^552$/, enhanced: BARE }, guess(never('mailbox_full'))),
  refused(ENVELOPE, { code: /^556$/ }, guess(never('domain_unknown'))),
  refused(ENVELOPE, { code: /^5/, enhanced: /^5\.1\./ }, guess(never('user_unknown'))),
  refused(ENVELOPE, { code: /^50[0234]$/ }, mend('protocol_out_of_step', 2)),
  refused(['rcpt'], { code: /^(501|553)$/ }, guess(never('bad_address'))),
  refused(['rcpt'], { code: /^5/ }, guess(never('recipient_refused'))),
  refused(['rcpt'], { code: /^45[01]$/, enhanced: /^4\.7\.1$/ }, later('greylisted')),
  refused(['rcpt'], { code: /^4/ }, guess(later('recipient_deferred'))),
  refused(null, { code: /^4/ }, guess(later('letter_deferred'))),

  refused(null, {}, ourFault('content_refused', 'mailing', CONTENT)),
];
