import {
  BOUNCE_RULES,
  type BounceReason,
  type BounceRuling,
  findBounceRule,
  judgeBounce,
} from '../../src/domain/bounce-rules';

/** What servers say when they give up a letter, and the row of the table that decides it. */

const FROM = 'bounces+aeaqbqgsdoheyeqnjpyuwhq@news.example.org';
const TO = 'bob@client.example';

/** Code, enhanced code, words. */
type Row = [number, string | null, string, BounceReason, BounceRuling['kind'], BounceRuling['blame']?];
const ROWS: Row[] = [
  [451, '4.7.1', 'Greylisted, try again later', 'greylisted', 'soft', 'recipient'],
  [452, '4.2.2', 'Over its limit', 'mailbox_full', 'soft', 'recipient'],
  [421, '4.7.28', 'An unusual rate of mail', 'rate_limited_by_provider', 'soft', 'sender'],
  [451, '4.3.0', 'Blocked using zen.example', 'sender_blocked', 'soft', 'sender'],
  [450, '4.7.1', 'Access denied', 'policy_refused', 'soft', 'sender'],
  [452, '4.3.1', 'Mailbox full', 'mailbox_full', 'soft', 'recipient'],
  [451, '4.4.6', 'Too many hops', 'mail_loop', 'soft', 'recipient'],
  [450, '4.1.8', `<${FROM}>: Domain not found`, 'sender_deferred', 'soft', 'sender'],
  [450, '4.1.7', `<${FROM}>: unverified address`, 'sender_deferred', 'soft', 'sender'],
  [450, '4.1.0', 'Sender address rejected: unverified', 'sender_deferred', 'soft', 'sender'],
  [450, '4.2.0', 'Busy', 'recipient_deferred', 'soft', 'recipient'],
  [451, '4.4.1', 'No answer', 'expired', 'soft', 'recipient'],
  [451, '4.3.0', 'Retry timeout exceeded', 'expired', 'soft', 'recipient'],
  [451, '4.3.0', 'Local error', 'recipient_deferred', 'soft', 'recipient'],

  [554, '5.4.6', 'Too many hops', 'mail_loop', 'soft', 'recipient'],
  [554, '5.0.0', 'Mail loop detected', 'mail_loop', 'soft', 'recipient'],
  [554, '5.4.7', 'Delivery time', 'expired', 'soft', 'recipient'],
  [550, '5.4.310', 'DNS domain does not exist', 'domain_unknown', 'hard', 'recipient'],
  [552, '5.2.2', 'Over its limit', 'mailbox_full', 'soft', 'recipient'],
  [552, '5.2.3', 'Too long', 'message_too_large', 'soft', 'sender'],

  [550, '5.1.8', 'Refused', 'sender_refused', 'soft', 'sender'],
  [550, '5.7.26', 'Refused', 'sender_unauthenticated', 'soft', 'sender'],
  [550, '5.7.606', 'Refused', 'sender_blocked', 'soft', 'sender'],
  [554, '5.0.0', 'Blocked using zen.example', 'sender_blocked', 'soft', 'sender'],
  [550, '5.0.0', 'DMARC check failed', 'sender_unauthenticated', 'soft', 'sender'],
  [550, '5.0.0', 'Only members may post', 'policy_refused', 'soft', 'sender'],
  [554, '5.0.0', 'It looks like spam', 'content_refused', 'soft', 'sender'],
  [550, '5.7.1', `<${FROM}>: no such user`, 'policy_refused', 'soft', 'sender'],

  [550, '5.2.1', 'Not now', 'mailbox_disabled', 'hard', 'recipient'],
  [550, '5.1.1', 'The account is disabled', 'mailbox_disabled', 'hard', 'recipient'],
  [550, '5.4.4', 'Temporary failure of the name server', 'expired', 'soft', 'recipient'],
  [550, '5.4.4', 'Host not found', 'domain_unknown', 'hard', 'recipient'],
  [552, '5.3.0', 'The letter is too large', 'message_too_large', 'soft', 'sender'],
  [550, '5.0.0', `${TO} could not be found`, 'user_unknown', 'hard', 'recipient'],

  [0, null, 'The mailbox is full', 'mailbox_full', 'soft', 'recipient'],
  [0, null, 'User unknown', 'user_unknown', 'hard', 'recipient'],
  [0, null, 'Retry timeout exceeded', 'expired', 'soft', 'recipient'],
];
const replyOf = ([code, enhanced, text]: Row) => ({ code, enhanced, text, from: FROM, to: TO });

test.each(ROWS)('%d %s %s: %s', (...row) => {
  const [, , , reason, kind, blame] = row;
  expect(judgeBounce(replyOf(row))).toEqual({ reason, kind, blame });
});

test('every row of the table decides at least one example', () => {
  const hit = new Set(ROWS.map((row) => findBounceRule(replyOf(row))));
  expect(BOUNCE_RULES.filter((rule) => !hit.has(rule)).map(({ when }) => when)).toEqual([]);
});
