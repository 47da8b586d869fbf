import fc from 'fast-check';
import {
  classify,
  type Consequence,
  findRule,
  parseSmtpReply,
  SMTP_REASONS,
  type SmtpPhase,
  type SmtpReason,
  type TransmitResult,
  type UnsendableProblem,
  type Verdict,
} from '../../src/domain/smtp-outcome';
import { SMTP_RULES } from '../../src/domain/smtp-rules';

const PHASES: SmtpPhase[] = ['dns', 'connect', 'greeting', 'ehlo', 'tls', 'auth', 'mail', 'rcpt', 'data', 'dot'];
const refused = (phase: SmtpPhase, text: string): TransmitResult => {
  const reply = parseSmtpReply(text);
  if (!reply) throw new Error(`not a reply: ${text}`);
  return { kind: 'refused', phase, reply };
};
const broken = (phase: SmtpPhase, dotSent = false): TransmitResult => ({
  kind: 'broken',
  phase,
  dotSent,
  error: 'lost',
});
const unsendable = (problem: UnsendableProblem): TransmitResult => ({ kind: 'unsendable', problem, text: 'no' });

const NAMED = { from: 'news@example.com', to: 'bob@client.example' };

const none: Consequence = { kind: 'none' };
const breaker: Consequence = { kind: 'breaker' };
const ease: Consequence = { kind: 'ease', after: 3, withinMs: 60_000 };
const account = (after: number): Consequence => ({ kind: 'park', what: 'account', after });
const mailing = (after: number): Consequence => ({ kind: 'park', what: 'mailing', after });
const half: Consequence = { kind: 'park_share', what: 'mailing', share: 0.5, of: 100 };
const hold: Consequence = { kind: 'rest_domain' };
const fewer: Consequence = { kind: 'fewer' };
const rest: Consequence = { kind: 'rest' };
const spent = (phase: SmtpPhase, text: string): TransmitResult =>
  ({ ...refused(phase, text), spent: true }) as TransmitResult;

type Row = [
  TransmitResult,
  SmtpReason,
  Verdict['delivery'],
  Verdict['scope'],
  'passes' | 'permanent',
  Consequence,
  number?,
];
const ROWS: Row[] = [
  [
    { kind: 'accepted', reply: { code: 250, enhanced: null, text: '250 ok' } },
    'accepted',
    'sent',
    null,
    'passes',
    none,
  ],
  [{ kind: 'withheld', phase: 'mail', text: 'closing' }, 'withheld', 'pending', null, 'passes', none],

  [unsendable('login_not_offered'), 'login_not_offered', 'pending', 'account', 'permanent', account(3)],
  [unsendable('too_large'), 'message_too_large', 'pending', 'mailing', 'permanent', mailing(1)],
  [unsendable('template_failed'), 'template_failed', 'pending', 'mailing', 'permanent', mailing(1)],
  [unsendable('sender_needs_utf8'), 'sender_refused', 'pending', 'mailing', 'permanent', mailing(1)],
  [unsendable('bad_address'), 'bad_address', 'failed', 'recipient', 'permanent', none],
  [unsendable('address_needs_utf8'), 'address_needs_utf8', 'failed', 'recipient', 'permanent', none],

  [broken('dot', true), 'no_reply_after_dot', 'unknown', 'account', 'passes', none],
  [broken('dot', true), 'no_reply_after_dot', 'unknown', 'account', 'passes', none, 9],
  [broken('dns'), 'connection_failed', 'pending', 'account', 'passes', breaker],
  [broken('connect'), 'connection_failed', 'pending', 'account', 'passes', breaker],
  [broken('connect'), 'connection_failed', 'pending', 'account', 'passes', breaker, 9],
  [broken('greeting'), 'connection_failed', 'pending', 'account', 'passes', breaker],
  [broken('ehlo'), 'connection_failed', 'pending', 'account', 'passes', breaker],
  [broken('auth'), 'connection_failed', 'pending', 'account', 'passes', breaker],
  [broken('tls'), 'tls_failed', 'pending', 'account', 'permanent', account(3)],
  [broken('mail'), 'connection_broken', 'pending', 'account', 'passes', breaker],
  [broken('rcpt'), 'connection_broken', 'pending', 'account', 'passes', breaker, 1],
  [broken('data'), 'connection_broken', 'retry', 'recipient', 'passes', none, 2],

  [
    refused('rcpt', '450 4.7.28 Our system has detected an unusual rate'),
    'rate_limited_by_provider',
    'retry',
    'domain',
    'passes',
    hold,
  ],
  [
    refused('dot', '421-4.7.28 Gmail has detected\n421 4.7.28 an unusual rate'),
    'rate_limited_by_provider',
    'retry',
    'domain',
    'passes',
    hold,
  ],
  [
    refused('dot', '451 4.7.650 The mail server has been temporarily rate limited'),
    'rate_limited_by_provider',
    'retry',
    'domain',
    'passes',
    hold,
  ],
  [
    refused('rcpt', '421 4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume'),
    'rate_limited_by_provider',
    'retry',
    'domain',
    'passes',
    hold,
  ],
  [refused('greeting', '421 too many connections'), 'server_busy', 'pending', 'account', 'passes', fewer],
  [refused('greeting', '421 not now'), 'server_busy', 'pending', 'account', 'passes', ease],
  [refused('data', '432 4.3.2 no more'), 'server_busy', 'pending', 'account', 'passes', fewer],
  [spent('data', '452 4.4.5 later'), 'session_limit', 'pending', 'account', 'passes', { kind: 'fresh' }],
  [spent('rcpt', '421 closing'), 'session_limit', 'pending', 'account', 'passes', { kind: 'fresh' }],
  [refused('mail', '550 5.4.5 no'), 'quota_exceeded', 'pending', 'account', 'passes', rest],
  [refused('dot', '552 5.2.2 Sending quota exceeded'), 'quota_exceeded', 'pending', 'account', 'passes', rest],
  [refused('auth', '454 4.7.0 Daily message quota exceeded'), 'quota_exceeded', 'pending', 'account', 'passes', rest],
  [refused('rcpt', '450 too many letters from you today'), 'quota_exceeded', 'pending', 'account', 'passes', rest],
  [refused('rcpt', '450 4.1.8 domain not found'), 'sender_deferred', 'pending', 'account', 'passes', breaker],
  [
    refused('rcpt', '550 5.1.0 news@example.com rejected'),
    'sender_refused',
    'pending',
    'mailing',
    'permanent',
    mailing(3),
  ],
  [refused('rcpt', '450 4.7.1 sender rejected'), 'sender_deferred', 'pending', 'account', 'passes', breaker],
  [refused('rcpt', '550 5.7.1 sender rejected'), 'sender_refused', 'pending', 'mailing', 'permanent', mailing(3)],
  [refused('rcpt', '550 5.1.0 rejected'), 'user_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('dot', '450 mailbox full'), 'mailbox_full', 'retry', 'recipient', 'passes', none],
  [refused('dot', '554 5.7.1 mailbox full'), 'mailbox_full', 'failed', 'recipient', 'permanent', none],
  [refused('dot', '450 no such user'), 'recipient_deferred', 'retry', 'recipient', 'passes', none],
  [refused('dot', '556 no mail'), 'domain_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 5.1.10 null'), 'user_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 5.4.1 Recipient address rejected'), 'user_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('auth', '421 4.7.0 try again'), 'server_busy', 'pending', 'account', 'passes', ease],
  [refused('mail', '421 4.7.0 rate limit'), 'server_busy', 'pending', 'account', 'passes', ease],
  [refused('rcpt', '421 4.3.2 closing'), 'server_busy', 'pending', 'account', 'passes', ease],
  [refused('dot', '421 4.3.2 closing'), 'server_busy', 'pending', 'account', 'passes', ease],

  [refused('tls', '454 4.7.0 TLS not available'), 'tls_unavailable', 'pending', 'account', 'passes', breaker],
  [refused('tls', '502 5.5.1 no STARTTLS'), 'tls_not_offered', 'pending', 'account', 'permanent', account(3)],
  [refused('tls', '554 5.7.3 no key'), 'tls_failed', 'pending', 'account', 'permanent', account(3)],
  [refused('auth', '454 4.7.0 temporary'), 'auth_unavailable', 'pending', 'account', 'passes', breaker],
  [refused('auth', '432 4.7.12 transition needed'), 'auth_unavailable', 'pending', 'account', 'passes', breaker],
  [refused('auth', '535 5.7.8 bad credentials'), 'auth_refused', 'pending', 'account', 'permanent', account(2)],
  [refused('auth', '534 5.7.9 too weak'), 'auth_refused', 'pending', 'account', 'permanent', account(2)],
  [refused('auth', '504 5.5.4 mechanism'), 'auth_refused', 'pending', 'account', 'permanent', account(2)],
  [
    refused('mail', '530 5.7.0 Must issue a STARTTLS command first'),
    'auth_refused',
    'pending',
    'account',
    'permanent',
    account(2),
  ],
  [refused('greeting', '450 not now'), 'connection_failed', 'pending', 'account', 'passes', breaker],
  [refused('greeting', '554 no service'), 'server_refused', 'pending', 'account', 'permanent', account(3)],
  [refused('greeting', '521 no mail here'), 'server_refused', 'pending', 'account', 'permanent', account(3)],
  [refused('ehlo', '550 bad name'), 'server_refused', 'pending', 'account', 'permanent', account(3)],

  [refused('mail', '552 5.3.4 too big'), 'message_too_large', 'pending', 'mailing', 'permanent', mailing(1)],
  [refused('mail', '552 too big'), 'message_too_large', 'pending', 'mailing', 'permanent', mailing(1)],
  [refused('dot', '552 5.3.4 too big'), 'message_too_large', 'pending', 'mailing', 'permanent', mailing(1)],
  [
    refused('dot', '552 message exceeds size limit'),
    'message_too_large',
    'pending',
    'mailing',
    'permanent',
    mailing(1),
  ],
  [refused('mail', '503 nested MAIL'), 'protocol_out_of_step', 'pending', 'account', 'permanent', account(2)],
  [refused('mail', '451 4.3.0 later'), 'sender_deferred', 'pending', 'account', 'passes', breaker],
  [refused('mail', '550 5.1.8 unknown sender'), 'sender_refused', 'pending', 'mailing', 'permanent', mailing(3)],
  [refused('mail', '553 5.7.1 not owned by user'), 'sender_refused', 'pending', 'mailing', 'permanent', mailing(3)],

  [refused('rcpt', '452 4.2.2 full'), 'mailbox_full', 'retry', 'recipient', 'passes', none],
  [refused('rcpt', '452 mailbox over quota'), 'mailbox_full', 'retry', 'recipient', 'passes', none],
  [refused('rcpt', '552 5.2.2 full'), 'mailbox_full', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '552 storage exceeded'), 'mailbox_full', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '553 5.1.8 sender domain'), 'sender_refused', 'pending', 'mailing', 'permanent', mailing(3)],
  [refused('rcpt', '550 5.7.1 policy'), 'policy_refused', 'failed', 'mailing', 'permanent', mailing(20)],
  [
    refused('dot', '550-5.7.26 Unauthenticated\n550 5.7.26 mail'),
    'sender_unauthenticated',
    'failed',
    'mailing',
    'permanent',
    mailing(20),
  ],
  [
    refused('dot', '550 5.7.515 Access denied'),
    'sender_unauthenticated',
    'failed',
    'mailing',
    'permanent',
    mailing(20),
  ],
  [
    refused('rcpt', '554 5.7.1 Service unavailable; client host blocked using zen'),
    'sender_blocked',
    'failed',
    'account',
    'permanent',
    mailing(20),
  ],
  [refused('rcpt', '550 listed by spamhaus'), 'sender_blocked', 'failed', 'account', 'permanent', mailing(20)],
  [
    refused('rcpt', '554 5.7.1 <x>: Relay access denied'),
    'relay_denied',
    'failed',
    'account',
    'permanent',
    mailing(20),
  ],

  [refused('rcpt', '501 5.1.3 bad syntax'), 'bad_address', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '501 syntax'), 'bad_address', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '553 not allowed'), 'bad_address', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 5.1.2 bad domain'), 'domain_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '556 5.1.10 null MX'), 'domain_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 5.1.1 who?'), 'user_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('dot', '550 5.1.1 who?'), 'user_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 No such user'), 'user_unknown', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 5.2.1 disabled'), 'mailbox_disabled', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '550 go away'), 'recipient_refused', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '551 moved'), 'recipient_refused', 'failed', 'recipient', 'permanent', none],
  [refused('rcpt', '503 sequence'), 'protocol_out_of_step', 'pending', 'account', 'permanent', account(2)],
  [refused('data', '503 5.5.1 sequence'), 'protocol_out_of_step', 'pending', 'account', 'permanent', account(2)],
  [refused('dot', '500 what?'), 'protocol_out_of_step', 'pending', 'account', 'permanent', account(2)],

  [refused('rcpt', '450 4.2.0 Greylisted, try later'), 'greylisted', 'retry', 'recipient', 'passes', none],
  [refused('rcpt', '451 4.7.1 try later'), 'greylisted', 'retry', 'recipient', 'passes', none],
  [refused('rcpt', '450 4.2.0 busy'), 'recipient_deferred', 'retry', 'recipient', 'passes', none],
  [refused('rcpt', '451 later'), 'recipient_deferred', 'retry', 'recipient', 'passes', none],
  [refused('data', '451 later'), 'letter_deferred', 'retry', 'recipient', 'passes', none],
  [refused('dot', '451 4.3.0 later'), 'letter_deferred', 'retry', 'recipient', 'passes', none],
  [refused('dot', '554 5.6.0 bad content'), 'content_refused', 'failed', 'mailing', 'permanent', half],
  [refused('dot', '550 5.7.1 spam'), 'content_refused', 'failed', 'mailing', 'permanent', half],
  [refused('dot', '554 transaction failed'), 'content_refused', 'failed', 'mailing', 'permanent', half],
];

describe('classify', () => {
  test.each(ROWS)('%j is %s: %s', (result, reason, delivery, scope, permanence, consequence, brokenBefore = 0) => {
    const verdict = classify(result, { ...NAMED, brokenBefore });
    expect(verdict).toMatchObject({ reason, delivery, scope, permanent: permanence === 'permanent', consequence });
  });

  test('every row of the table decides at least one example', () => {
    const hit = new Set(ROWS.map(([result, , , , , , brokenBefore]) => findRule(result, { ...NAMED, brokenBefore })));
    expect(SMTP_RULES.filter((rule) => !hit.has(rule)).map((rule) => rule.when)).toEqual([]);
  });

  test('every reason is given by some row, and every row gives a listed reason', () => {
    expect([...new Set(SMTP_RULES.map((rule) => rule.then.reason))].sort()).toEqual([...SMTP_REASONS].sort());
  });

  const anyReply = fc
    .tuple(fc.integer({ min: 400, max: 599 }), fc.option(fc.tuple(fc.nat(9), fc.nat(999))), fc.string())
    .map(
      ([code, sub, text]) =>
        `${code} ${sub ? `${Math.floor(code / 100)}.${sub.join('.')} ` : ''}${text.replace(/\s/g, ' ')}`,
    );
  const anyRefusal = fc.tuple(fc.constantFrom(...PHASES), anyReply).map(([phase, text]) => refused(phase, text));
  const anyBroken = fc.tuple(fc.constantFrom(...PHASES), fc.boolean()).map(([phase, dot]) => broken(phase, dot));

  test('there always is an answer, and it hangs together', () => {
    fc.assert(
      fc.property(fc.oneof(anyRefusal, anyBroken), fc.nat(5), (result, brokenBefore) => {
        const verdict = classify(result, { brokenBefore });
        expect(verdict.tryUsed).toBe(['sent', 'failed', 'retry'].includes(verdict.delivery));
        expect(verdict.delivery).not.toBe('sent');
        expect(verdict.delivery === 'unknown').toBe(result.kind === 'broken' && result.dotSent);
        if (verdict.scope === 'account' && !verdict.permanent) expect(verdict.tryUsed).toBe(false);
      }),
    );
  });

  test('what fails before MAIL FROM uses nobody’s try and makes no attempt', () => {
    const early = PHASES.slice(0, PHASES.indexOf('mail'));
    fc.assert(
      fc.property(fc.constantFrom(...early), anyReply, (phase, text) => {
        for (const result of [refused(phase, text), broken(phase)]) {
          expect(classify(result)).toMatchObject({
            attempt: 'none',
            tryUsed: false,
            delivery: 'pending',
            scope: 'account',
          });
        }
      }),
    );
  });

  test('from MAIL FROM on there is an attempt', () => {
    expect(classify(refused('mail', '451 no')).attempt).toBe('failed');
    expect(classify(broken('rcpt')).attempt).toBe('failed');
    expect(classify({ kind: 'withheld', phase: 'data', text: '' }).attempt).toBe('failed');
    expect(classify({ kind: 'withheld', phase: 'connect', text: '' }).attempt).toBe('none');
    expect(classify(broken('dot', true)).attempt).toBe('unknown');
    expect(classify(unsendable('too_large')).attempt).toBe('none');
  });
});

describe('parseSmtpReply', () => {
  test.each([
    ['250 2.0.0 ok', 250, '2.0.0'],
    ['250', 250, null],
    ['550-5.1.1 no such\r\n550 5.1.1 user\r\n', 550, '5.1.1'],
    ['550 4.1.1 class differs', 550, null],
    ['354 go ahead', 354, null],
    ['250 10.0.0.1 greets you', 250, null],
    ['250-a\n550 b', 550, null],
    ['550-5.7.1 a\n450 4.2.0 b', 450, '4.2.0'],
    ['450-4.2.0 a\n550 b', 550, null],
    ['550-5.7.1 a\n550-see\n550 there', 550, '5.7.1'],
    ['550-5.7.1 a\n550 5.1.1 b', 550, '5.1.1'],
    ['554-a\n250 2.0.0 b', 250, '2.0.0'],
  ])('%j', (text, code, enhanced) => {
    expect(parseSmtpReply(text)).toEqual({ code, enhanced, text: text.replaceAll('\r', '').trimEnd() });
  });

  test.each(['', 'hello', '2500 ok', '25 ok', '2x0 ok', '250ok', '199 x', '600 x', '250-a\nb', '250-a\n600 b'])(
    '%j is none',
    (text) => expect(parseSmtpReply(text)).toBeNull(),
  );
});
