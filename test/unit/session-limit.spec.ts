import { SessionLimit } from '../../src/domain/session-limit';
import { parseSmtpReply, type TransmitResult } from '../../src/domain/smtp-outcome';

type Refused = Extract<TransmitResult, { kind: 'refused' }>;
const named = { from: 'news@example.com', to: 'bob@client.example' };
const refused = (text: string): Refused => {
  const reply = parseSmtpReply(text);
  if (!reply) throw new Error(text);
  return { kind: 'refused', phase: 'rcpt', reply };
};
const accepted: TransmitResult = {
  kind: 'accepted',
  reply: { code: 250, enhanced: null, text: '250 ok' },
};
const GRUMPF = '450 4.3.9 grumpf';

it.each(['452 4.4.5 x', '452 4.5.3 x', '451 too many messages per session', '421 no more in this connection'])(
  '%j on a connection that served letters is a limit, and the number is learned; on a fresh one it is not',
  (text) => {
    const limit = new SessionLimit();
    expect(limit.spent(refused(text), 0, named)).toBe(false);
    expect(limit.most).toBe(Infinity);
    expect(limit.spent(refused(text), 7, named)).toBe(true);
    expect(limit.most).toBe(7);
  },
);

it('an unknown wording is asked about once: what a fresh connection takes was a limit', () => {
  const limit = new SessionLimit();
  expect(limit.spent(refused('450 4.3.9 grumpf'), 5, named)).toBe(true);
  expect(limit.most).toBe(Infinity);
  limit.settled(GRUMPF, accepted, named);
  expect(limit.most).toBe(5);
  expect(limit.spent(refused('450 4.3.9 grumpf'), 3, named)).toBe(true);
  expect(limit.most).toBe(3);
});

it('what a fresh connection says again is not of this kind, ever', () => {
  const limit = new SessionLimit();
  expect(limit.spent(refused('450 4.3.9 grumpf'), 5, named)).toBe(true);
  limit.settled('450 4.3.9 grumpf', refused('450 4.3.9 grumpf'), named);
  for (let i = 0; i < 3; i++) expect(limit.spent(refused('450 4.3.9 grumpf'), 5, named)).toBe(false);
  expect(limit.most).toBe(Infinity);
});

it.each([
  '450 4.2.1 mailbox busy',
  '450 greylisted',
  '452 4.2.2 full',
  '432 4.3.2 concurrent',
  '421 too many connections',
  '451 daily sending quota exceeded',
  '550 5.7.1 no',
])('%j is none', (text) => expect(new SessionLimit().spent(refused(text), 5, named)).toBe(false));

it('after many connections that were ended early it is tried whether the limit is gone', () => {
  const limit = new SessionLimit();
  limit.spent(refused('452 4.4.5 x'), 4, named);
  for (let i = 0; i < 50; i++) limit.retired();
  expect(limit.most).toBe(8);
  limit.spent(refused('452 4.4.5 x'), 4, named);
  expect(limit.most).toBe(4);
});
