import type { Claim } from '../../src/features/ledger/claims';
import { MailingStreaks } from '../../src/features/sending/mailing-streaks';
import { recordOf } from '../../src/features/sending/verdict-record';
import { classify, type TransmitResult } from '../../src/domain/smtp-outcome';

const config = { retryDelaysMs: [1_000, 2_000], unknownGraceMs: 9_000, domainRestMs: 5_000 };
const claim: Claim = {
  id: 7,
  runId: 1,
  mailingId: 1,
  ownerId: 1,
  clientId: 1,
  email: 'bob@example.com',
  fullName: 'Bob',
  fields: '{}',
  comment: '',
  attempts: 0,
  tries: 0,
  breaks: 0,
  lostReplies: 0,
  onUnknown: 'resend',
  offered: true,
  skippedFor: null,
};
const reply = (code: number, text: string, enhanced: string | null = null): TransmitResult => ({
  kind: 'refused',
  phase: 'rcpt',
  reply: { code, enhanced, text },
});
const accepted: TransmitResult = {
  kind: 'accepted',
  reply: { code: 250, enhanced: '2.0.0', text: '250 2.0.0 queued as 1' },
};
const lost: TransmitResult = { kind: 'broken', phase: 'dot', dotSent: true, error: 'reset' };
const broken: TransmitResult = { kind: 'broken', phase: 'rcpt', dotSent: false, error: 'reset' };
const down: TransmitResult = { kind: 'broken', phase: 'connect', dotSent: false, error: 'ECONNREFUSED' };

const record = (result: TransmitResult, change: Partial<Claim> = {}) => {
  const held = { ...claim, ...change };
  return recordOf(held, result, classify(result, { brokenBefore: held.breaks }), 12, config, 0.5);
};

it.each<[string, TransmitResult, Partial<Claim>, object]>([
  ['accepted is sent', accepted, {}, { status: 'sent', reason: null, triesUsed: 1 }],
  [
    'a 4xx is deferred by the first delay',
    reply(451, '451 4.7.1 greylisted'),
    {},
    { status: 'deferred', delayMs: 1_000, triesUsed: 1 },
  ],
  [
    'a second one by the second',
    reply(451, '451 4.7.1 greylisted'),
    { tries: 1 },
    { status: 'deferred', delayMs: 2_000 },
  ],
  [
    'when the delays are used up, it has failed',
    reply(451, '451 4.7.1 greylisted'),
    { tries: 2 },
    { status: 'failed', delayMs: null },
  ],
  [
    'a 5xx has failed at once',
    reply(550, '550 5.1.1 no such user', '5.1.1'),
    {},
    { status: 'failed', reason: 'user_unknown' },
  ],
  [
    'a provider that says too fast rests its domain',
    reply(421, '421 4.7.28 rate', '4.7.28'),
    {},
    { status: 'deferred', delayMs: 5_000 },
  ],
  [
    'a lost reply waits out the grace time',
    lost,
    {},
    { status: 'deferred', delayMs: 9_000, lostReplies: 1, triesUsed: 0 },
  ],
  ['a second lost reply is unknown for good', lost, { lostReplies: 1 }, { status: 'unknown', delayMs: null }],
  ['under hold the first is, too', lost, { onUnknown: 'hold' }, { status: 'unknown', delayMs: null }],
  [
    'a break before the dot goes back, with an attempt and no try',
    broken,
    {},
    { status: 'pending', breaks: 1, triesUsed: 0 },
  ],
  ['from the third on it counts as a try', broken, { breaks: 2 }, { status: 'deferred', triesUsed: 1 }],
  [
    'a refused sender counts against nobody, however often',
    { ...reply(550, '550 5.7.1 sender refused', '5.7.1'), phase: 'mail' } as TransmitResult,
    { breaks: 2 },
    { status: 'pending', triesUsed: 0, breaks: 0 },
  ],
  [
    'a quota counts against nobody, however often',
    reply(452, '452 4.3.1 daily sending quota exceeded', '4.3.1'),
    { breaks: 9 },
    { status: 'pending', triesUsed: 0, breaks: 0 },
  ],
  [
    'nor do too many connections at once',
    reply(432, '432 4.3.2 no more', '4.3.2'),
    { breaks: 9 },
    { status: 'pending', triesUsed: 0, breaks: 0 },
  ],
  [
    'nor a connection that has had its share',
    { ...reply(451, '451 no more'), spent: true } as TransmitResult,
    { breaks: 9 },
    { status: 'pending', triesUsed: 0, breaks: 0 },
  ],
  [
    'a time that the server names is the delay, a little longer',
    reply(450, '450 greylisted, try again in 00:00:01'),
    { tries: 1 },
    { status: 'deferred', delayMs: 1_050 },
  ],
  ['but not less than the first delay', reply(450, '450 greylisted, try again in 1 second'), {}, { delayMs: 1_050 }],
  ['nor more than the longest', reply(450, '450 greylisted, try again in 5 minutes'), {}, { delayMs: 2_000 }],
  [
    'nor a try more than there are',
    reply(450, '450 greylisted, try again in 1 second'),
    { tries: 2 },
    { status: 'failed', delayMs: null },
  ],
])('%s', (_, result, change, expected) => {
  expect(record(result, change)).toMatchObject({ deliveryId: 7, ...expected });
});

it('what a refusal has in common with others is written, if it names no recipient', () => {
  expect(record(reply(550, '550 5.7.1 zaff 17', '5.7.1')).attempt?.refusal).toBe('550 5.7.1 zaff');
  expect(record(reply(550, '550 5.1.1 zaff 17', '5.1.1')).attempt?.refusal).toBeNull();
});

it('a sender that is refused only for one recipient, while others are taken, fails there at the third time', () => {
  const streaks = new MailingStreaks();
  const refusal = reply(550, '550 5.7.1 sender rejected', '5.7.1');
  const often = { ...claim, breaks: 2 };
  expect(streaks.blame(often, classify(refusal)).delivery).toBe('pending');
  streaks.note(claim, accepted, classify(accepted));
  expect(streaks.blame(claim, classify(refusal)).delivery).toBe('pending');
  expect(streaks.blame(often, classify(refusal))).toMatchObject({ delivery: 'failed', tryUsed: true });
  expect(record(refusal)).toMatchObject({ status: 'pending', triesUsed: 0, breaks: 1 });
});

it('what fails before MAIL FROM is no attempt and uses no try', () => {
  expect(record(down)).toMatchObject({ attempt: null, status: 'pending', triesUsed: 0, breaks: 0 });
});

it("keeps the server's whole answer and numbers the attempt", () => {
  expect(record(accepted, { attempts: 3 }).attempt).toEqual({
    number: 4,
    status: 'ok',
    replyCode: 250,
    enhancedCode: '2.0.0',
    serverResponse: '250 2.0.0 queued as 1',
    durationMs: 12,
    refusal: null,
  });
});
