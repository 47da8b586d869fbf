import fc from 'fast-check';
import { readSpf, SPF_COUNTED } from '../../src/domain/spf';

/** A zone: names to TXT records; a name that is null is not answered. */
type Zone = Record<string, string[] | null>;

async function read(zone: Zone, domain = 'a.example') {
  let asked = 0;
  const spf = await readSpf(domain, (name) => {
    asked++;
    return Promise.resolve(name in zone ? zone[name]! : []);
  });
  return { ...spf, asked };
}
const of = (record: string, rest: Zone = {}) => read({ 'a.example': [record], ...rest });

describe('an SPF record', () => {
  test.each<[string, number]>([
    ['v=spf1 -all', 0],
    ['v=spf1', 0],
    ['v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ?all', 0],
    ['v=spf1 a mx ptr exists:x.example -all', 4],
    ['v=spf1 a:b.example a:b.example/24 mx/24//64 +mx:b.example ~ptr:b.example -all', 5],
    ['V=SPF1 A MX -ALL', 2],
    ['v=spf1  a   mx', 2],
    // Nothing is tested behind `all`, and a redirect counts only without it (RFC 7208 5.1, 6.1).
    ['v=spf1 a -all mx mx mx', 1],
    ['v=spf1 a -all redirect=b.example', 1],
    ['v=spf1 redirect=b.example a', 4],
    ['v=spf1 include:b.example -all', 3],
    ['v=spf1 include:b.example include:b.example -all', 6],
    // What is made of the letter can't be followed.
    ['v=spf1 include:%{d}.x.example exists:%{i}._spf.x.example -all', 2],
    ['v=spf1 exp=why.example unknown-modifier=x a -all', 1],
  ])('%s: %i look-ups', async (record, lookups) => {
    const b = { 'b.example': ['google-site-verification=x', 'v=spf1 a mx ~all'] };
    expect(await of(record, b)).toMatchObject({ lookups, fault: null, complete: true, records: [record] });
  });

  test.each<[string, object]>([
    ['v=spf1 mail.example -all', { kind: 'syntax', at: 'mail.example' }],
    ['v=spf1 ip4:300 -all', { kind: 'syntax', at: 'ip4:300' }],
    ['v=spf1 ip4 -all', { kind: 'syntax', at: 'ip4' }],
    ['v=spf1 include -all', { kind: 'syntax', at: 'include' }],
    ['v=spf1 include: -all', { kind: 'syntax', at: 'include:' }],
    ['v=spf1 all:x -all', { kind: 'syntax', at: 'all:x' }],
    ['v=spf1 ptr/24', { kind: 'syntax', at: 'ptr/24' }],
    ['v=spf1 include:none.example -all', { kind: 'not_one', at: 'none.example' }],
    ['v=spf1 include:two.example -all', { kind: 'not_one', at: 'two.example' }],
    ['v=spf1 redirect=none.example', { kind: 'not_one', at: 'none.example' }],
    ['v=spf1 include:A.example. -all', { kind: 'circle', at: 'a.example' }],
    ['v=spf1 include:c.example -all', { kind: 'circle', at: 'a.example' }],
  ])('%s can not be evaluated', async (record, fault) => {
    const rest = { 'two.example': ['v=spf1 a', 'v=spf1 mx'], 'c.example': ['v=spf1 redirect=a.example'] };
    expect(await of(record, rest)).toMatchObject({ fault });
  });

  test('is not one: none, several, not answered', async () => {
    expect(await read({ 'a.example': ['v=spf10 a', 'v=spf1a', 'spf'] })).toMatchObject({ records: [], lookups: 0 });
    expect((await read({ 'a.example': ['v=spf1 a', 'v=spf1 mx'] })).records).toHaveLength(2);
    expect(await read({ 'a.example': null })).toMatchObject({ records: null, lookups: 0, fault: null });
  });

  test('is read in part if a name that it includes is not answered', async () => {
    expect(await of('v=spf1 include:away.example mx -all', { 'away.example': null })).toMatchObject({
      lookups: 2,
      complete: false,
      fault: null,
    });
  });

  test('is counted to a bound, whatever it includes', async () => {
    const deep: Zone = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`n${i}.example`, [`v=spf1 include:n${i + 1}.example -all`]]),
    );
    const wide: Zone = {
      'a.example': [`v=spf1 ${'include:b.example '.repeat(500)}-all`],
      'b.example': [`v=spf1 ${'include:c.example '.repeat(500)}-all`],
      'c.example': ['v=spf1 -all'],
    };
    for (const found of [await read(deep, 'n0.example'), await read(wide)])
      expect(found).toMatchObject({ lookups: SPF_COUNTED, asked: SPF_COUNTED + 1 });
  });

  test('never costs more than a bounded number of questions, and ends', async () => {
    const name = fc.constantFrom('a.example', 'b.example', 'c.example', 'd.example', '%{d}.example');
    const term = fc.oneof(
      fc.constantFrom('a', 'mx', 'ptr', 'ip4:192.0.2.1', '-all', 'nonsense', 'exists:%{i}.x'),
      name.map((n) => `include:${n}`),
      name.map((n) => `redirect=${n}`),
    );
    const record = fc.array(term, { maxLength: 40 }).map((terms) => ['v=spf1', ...terms].join(' '));
    const answer = fc.oneof(
      { weight: 8, arbitrary: fc.array(record, { maxLength: 2 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    );
    const zone = fc.tuple(answer, answer, answer, answer);
    await fc.assert(
      fc.asyncProperty(zone, async ([a, b, c, d]) => {
        const found = await read({ 'a.example': a, 'b.example': b, 'c.example': c, 'd.example': d });
        expect(found.asked).toBeLessThanOrEqual(SPF_COUNTED + 1);
        expect(found.lookups).toBeLessThanOrEqual(SPF_COUNTED);
      }),
    );
  });
});
