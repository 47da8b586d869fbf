import fc from 'fast-check';
import { namedDelayMs, namesSender, refusalFingerprint, refusalWords } from '../../src/domain/refusal-text';
import { parseSmtpReply, type SmtpReply } from '../../src/domain/smtp-reply';

const reply = (text: string): SmtpReply => {
  const parsed = parseSmtpReply(text);
  if (!parsed) throw new Error(`not a reply: ${text}`);
  return parsed;
};
const FROM = 'news@example.com';
const to = (n: number) => `client-${n}@mail${n}.example.org`;
const print = (text: string, n = 1) => refusalFingerprint(reply(text), { from: FROM, to: to(n) });

test.each([
  ['450 4.2.0 Greylisted, please try again in 300 seconds', 300],
  ['450 Greylisted for 300 seconds (see http://isg.ee.ethz.ch/tools/postgrey/help/example.com.html)', 300],
  ['451 4.7.1 Please retry after 5 minutes', 300],
  ['451 4.7.1 come back in 1 hour', 3_600],
  ['450 4.7.1 try again in 00:04:57', 297],
  ['451 retry in 04:57', 297],
  ['421 Temporarily deferred. Retry-After: 120', 120],
  ['451 wait 10 min before you retry', 600],
  ['451 too many, 30 minutes later it may work', 1_800],
  ['451 4.3.0 Try again in 1h', 3_600],
  ['451 4.3.0 Try again in 15m', 900],
  ['450 4.7.1 Повторите попытку через 5 минут', 300],
  ['450 Bitte versuchen Sie es in 10 Minuten erneut', 600],
  ['450 Réessayez dans 5 minutes', 300],
  ['450 Intente de nuevo en 2 horas', 7_200],
  ['450 请在 5 分钟后重试', 300],
  ['450-4.7.1 Greylisted\n450 4.7.1 try again in 2 days', 172_800],
])('%j names a time', (text, seconds) => expect(namedDelayMs(text)).toBe(seconds * 1_000));

test.each([
  '450 4.2.0 try again later',
  '450 4.2.0 try again in a while',
  '451 no more than 100 letters per 1 hour, try again later',
  '451 You have sent 100 messages in the last 1 hour. Try again later.',
  '451 [10.0.0.1] try again',
  '451 try again in 0 seconds',
  '250 2.0.0 ok',
])('%j names none', (text) => expect(namedDelayMs(text)).toBeNull());

test('two refusals that differ only in numbers, addresses, ids and hosts are the same', () => {
  const text = (n: number, id: string) =>
    `550-5.7.1 [10.0.${n}.1] <client-${n}@mail${n}.example.org>: rejected by policy of mx${n}.example.org (id=${id})\n550 5.7.1 see https://help.example.org/?c=${id} client-${n} - ${id}7a qXw${n === 1 ? 'Yz' : 'Rt'}`;
  expect(print(text(1, 'a1b2'), 1)).toBe(print(text(2, '99zz'), 2));
  expect(print(text(1, 'a1b2'), 1)).toBe('550 5.7.1 rejected by policy of see');
});

test('other words, or another code, are another refusal', () => {
  expect(print('550 5.7.1 rejected by policy')).not.toBe(print('550 5.7.1 rejected by reputation'));
  expect(print('550 5.7.1 rejected')).not.toBe(print('554 5.7.1 rejected'));
  expect(print('550 5.7.1 rejected')).not.toBe(print('550 5.7.0 rejected'));
});

test('the words lose their codes, line by line', () => {
  expect(refusalWords('550-5.1.1 No  such\n550 5.1.1 USER’s mailbox')).toBe("no such user's mailbox");
});

test.each([
  ['sender address rejected', true],
  ['the return-path does not exist', true],
  ['your account is suspended', true],
  [`${FROM}: no such user`, true],
  [`${FROM} may not write to ${to(1)}`, false],
  ['no such user', false],
  ["the recipient's account is suspended", false],
  ['отправитель не существует', true],
])('%j names the sender: %s', (words, is) => expect(namesSender(words, { from: FROM, to: to(1) })).toBe(is));

test('work on an answer of any kind and length is bounded', () => {
  const long = fc.string({ maxLength: 40 }).map((part) => `550 ${(part + ' ').repeat(64 * 1024).slice(0, 64 * 1024)}`);
  fc.assert(
    fc.property(long, (text) => {
      const startedAt = performance.now();
      const said = { code: 550, enhanced: null, text };
      namedDelayMs(text);
      refusalFingerprint(said, { from: FROM, to: to(1) });
      expect(performance.now() - startedAt).toBeLessThan(500);
    }),
    { numRuns: 50 },
  );
});
