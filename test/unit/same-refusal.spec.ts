import fc from 'fast-check';
import { SameRefusal, type Suspicion } from '../../src/domain/same-refusal';
import { classify, parseSmtpReply, type SmtpPhase } from '../../src/domain/smtp-outcome';

const letter = (n: number, refusal = 'no', domain = 'a.example') => ({
  refusal,
  deliveryId: n,
  clientId: n,
  domain,
});
const row = (net: SameRefusal, from: number, count: number, domain = 'a.example'): (Suspicion | null)[] =>
  Array.from({ length: count }, (_, i) => net.refused(letter(from + i, 'no', domain)));

it('ten different recipients in a row', () => {
  const net = new SameRefusal();
  expect(row(net, 1, 9).filter(Boolean)).toEqual([]);
  expect(net.refused(letter(9))).toBeNull();
  expect(net.refused(letter(10))).toEqual({ refusal: 'no', domain: null });
  expect(net.lettersOf('no')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it('a success begins anew; so does another answer, for what comes in a row', () => {
  const net = new SameRefusal();
  row(net, 1, 9);
  net.sent('a.example');
  expect(row(net, 10, 9).filter(Boolean)).toEqual([]);
  net.other();
  expect(row(net, 20, 9).filter(Boolean)).toEqual([]);
  expect(net.lettersOf('no')).toHaveLength(18);
  expect(net.refused(letter(30))).toBeTruthy();
});

it('half of the last fifty, where others get other answers', () => {
  const net = new SameRefusal();
  let at = 0;
  for (let n = 1; at === 0 && n <= 50; n++) {
    net.other();
    if (net.refused(letter(n))) at = n;
  }
  expect(at).toBe(25);
});

it('all of one domain, while letters to others are taken', () => {
  const net = new SameRefusal();
  net.sent('b.example');
  expect(row(net, 1, 10).at(-1)).toEqual({ refusal: 'no', domain: 'a.example' });
  const another = new SameRefusal();
  another.sent('a.example');
  expect(row(another, 1, 10).at(-1)).toEqual({ refusal: 'no', domain: null });
  const mixed = new SameRefusal();
  mixed.sent('b.example');
  mixed.refused(letter(99, 'no', 'c.example'));
  expect(row(mixed, 1, 9).at(-1)).toEqual({ refusal: 'no', domain: null });
});

it('what was about those recipients after all is suspected later the next time', () => {
  const net = new SameRefusal();
  expect(row(net, 1, 10).at(-1)).toBeTruthy();
  net.clear('no');
  net.sent('a.example');
  expect(row(net, 20, 19).filter(Boolean)).toEqual([]);
  expect(net.refused(letter(40))).toBeTruthy();
  expect(Array.from({ length: 10 }, (_, i) => net.refused(letter(50 + i, 'other'))).at(-1)).toBeTruthy();
});

/** The fold as the gate makes it: what of each answer goes into the net, and when it stops. */
function chargedBefore(answers: { text: string; phase: SmtpPhase; to: string }[]): number | null {
  const net = new SameRefusal();
  for (const [i, { text, phase, to }] of answers.entries()) {
    const reply = parseSmtpReply(text);
    if (!reply) throw new Error(text);
    const domain = to.slice(to.indexOf('@') + 1);
    if (reply.code < 400) {
      net.sent(domain);
      continue;
    }
    const verdict = classify({ kind: 'refused', phase, reply }, { from: 'news@example.com', to });
    if (verdict.delivery === 'pending') return i;
    if (verdict.refusal === null) net.other();
    else if (net.refused({ refusal: verdict.refusal, deliveryId: i, clientId: i, domain })) return i + 1;
  }
  return null;
}

const to = fc.nat(5).map((n) => `client@mail${n}.example`);
/** Words of no language: no rule can know them. */
const nonsense = fc
  .array(fc.stringMatching(/^[bcdfgjkqvwxz]{4,9}$/), { minLength: 1, maxLength: 6 })
  .map((words) => words.join(' '));
const code = fc.constantFrom('550', '554', '550 5.7.1', '554 5.7.0', '550 5.3.0', '451 4.3.5', '450', '451');
const phase = fc.constantFrom<SmtpPhase>('rcpt', 'data', 'dot');

test('one text that no rule knows and that refuses everybody charges ten at most', () => {
  const everybody = fc.tuple(code, nonsense, phase).chain(([codes, words, at]) =>
    fc.array(fc.tuple(to, fc.nat(1e6)), { minLength: 10, maxLength: 60 }).map((all) =>
      all.map(([address, id], i) => ({
        text: `${codes} <${i}-${address}> ${words} (${id}) from 10.0.0.${i} id=${id}x`,
        phase: at,
        to: `${i}-${address}`,
      })),
    ),
  );
  fc.assert(fc.property(everybody, (answers) => expect(chargedBefore(answers)).toBeLessThanOrEqual(10)));
});

test('whatever came before: ten after the last success', () => {
  const before = fc.array(
    fc.tuple(fc.constantFrom('250 ok', '550 5.1.1 no such user', '550 qqq', '450 vvv'), phase, to),
  );
  fc.assert(
    fc.property(before, nonsense, (some, words) => {
      const first = some.map(([text, at, address]) => ({ text, phase: at, to: address }));
      const then = Array.from({ length: 12 }, (_, i) => ({
        text: `554 ${words}`,
        phase: 'dot' as const,
        to: `${i}@x${i % 3}.example`,
      }));
      const stopped = chargedBefore([...first, ...then]);
      expect(stopped).not.toBeNull();
      expect(stopped).toBeLessThanOrEqual(first.length + 10);
    }),
  );
});

test('a list of the dead never trips it, nor does a mix with successes', () => {
  const dead = fc.constantFrom('550 5.7.1 No such user!', '550 5.1.1 user unknown', '550 нет такого пользователя');
  fc.assert(
    fc.property(fc.array(fc.tuple(dead, phase, to), { minLength: 10, maxLength: 100 }), (answers) => {
      expect(chargedBefore(answers.map(([text, at, address]) => ({ text, phase: at, to: address })))).toBeNull();
    }),
  );
  const mix = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), to), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(mix, nonsense, (runs, words) => {
      const answers = runs.flatMap(([count, address]) => [
        ...Array.from({ length: count }, () => ({ text: `550 ${words}`, phase: 'rcpt' as const, to: address })),
        { text: '250 ok', phase: 'dot' as const, to: address },
      ]);
      expect(chargedBefore(answers)).toBeNull();
    }),
  );
});
