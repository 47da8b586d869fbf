import fc from 'fast-check';
import { Liquid } from 'liquidjs';
import { htmlToText } from '../../src/domain/html-text';
import { createContext, createEngine, type LetterData, LIMITS } from '../../src/domain/liquid';
import { compileContent } from '../../src/domain/template';
import { ValidationError } from '../../src/domain/errors';
import { english } from '../../src/domain/problem-texts';

/** That no template costs more than it is charged for, and none is charged more than so much: counted, never timed. */

const engine = createEngine('html');
const data: LetterData = {
  client: { fullName: 'Ann B', email: 'ann@example.org', comment: 'я"&<x '.repeat(1_600) },
  mailing: { name: 'M' },
  sender: { name: 'S', email: 's@example.org' },
  date: '2027-03-31T09:00:00Z',
};

/** What one rendering is charged, and why it ended if it did not reach its end. */
function charged(source: string): { cost: number; problem: string } {
  const context = createContext(engine, data);
  let problem = '';
  try {
    engine.renderSync(engine.parse(source), context);
  } catch (error) {
    problem = (error as Error).message;
  }
  return { cost: (context.memoryLimit as unknown as { base: number }).base, problem };
}

const repeat = (text: string, n: number) => text.repeat(n);
const C = 'client.comment';

/** Templates by a size; the most is what fits into a message. */
const GROWING: [string, (n: number) => string, number][] = [
  ['operands', (n) => `{% if ${repeat('date or ', n)}date %}{% endif %}`, 2_000],
  ['operands in a loop', (n) => `{% for i in (1..${n}) %}{% if nil or nil or nil %}{% endif %}{% endfor %}`, 2_000],
  ['branches', (n) => `{% if nil %}${repeat('{% elsif nil %}', n)}{% endif %}`, 1_000],
  ['cases', (n) => `{% case 1 %}{% when ${repeat('0,', n)}0 %}{% endcase %}`, 2_000],
  ['loops', (n) => `{% for i in (1..${n}) %}{% endfor %}`, 10_000],
  ['filters', (n) => `{{ date ${repeat('| upcase ', n)} }}`, 50],
  ['outputs', (n) => repeat('{{ date }}', n), 1_000],
  ['properties', (n) => `{{ client${repeat('.a', n)} }}`, 2_000],
  ['dates', (n) => repeat('{{ date | date: "%c" }}', n), 500],
  ['long texts', (n) => `{{ "${repeat('x', n)}" | upcase | downcase }}`, 50_000],
  ['a search from the end', (n) => `{{ "${repeat('a', n)}" | remove_last: "${repeat('a', 100)}b" }}`, 50_000],
  ['comparisons', (n) => `{% assign a = "${repeat('x', n)}" %}{% if a == a %}{% endif %}`, 50_000],
  ['lists', (n) => `{% assign a = "${repeat('x ', n)}" | split: " " | sort %}`, 5_000],
];

test('a message is rendered twice to be accepted, and twice more with its footer, however costly it is', () => {
  const rendered = jest.spyOn(Liquid.prototype, 'renderSync');
  const source = { subject: 's', body: '{% for i in (1..3) %}<p>{{ client.fullName }}</p>{% endfor %}' };
  const times = (footer?: 'en', more: object = {}) => {
    rendered.mockClear();
    expect(compileContent({ ...source, ...more }, footer).ok).toBe(true);
    return rendered.mock.calls.length;
  };
  expect([times(), times('en')]).toEqual([2, 4]);
  // Asked for again, as a form does with each change in it.
  expect([times(), times('en')]).toEqual([0, 0]);
  expect(times('en', { subject: 'another' })).toBe(4);
  for (let n = 0; n < 8; n++) times(undefined, { subject: `s${n}` });
  expect(times('en')).toBe(4);
  rendered.mockRestore();
});

test('a search from the end is charged for each place and each character it is compared at', () => {
  const search = (n: number) => charged(`{{ "${repeat('a', n)}" | remove_last: "${repeat('a', n / 2)}b" }}`);
  expect(search(2_000).cost / search(1_000).cost).toBeGreaterThan(3);
  expect(search(120_000).problem).toMatch(/memory alloc limit/);
  const long = `{{ "${repeat('a', 120_000)}" | replace_last: "${repeat('a', 60_000)}b", "c" }}`;
  expect(charged(long).problem).toMatch(/memory alloc limit/);
});

test.each(['truncatewords', 'split: ""', 'normalize_whitespace', 'strip_newlines', 'strip_html'])(
  '%s, which does more with each character than reading it, is charged for that',
  (filter) => {
    const often = (n: number) =>
      charged(`{% assign a = "${repeat('я ', 50_000)}" %}${repeat(`{% assign b = a | ${filter} %}`, n)}`);
    expect(often(1).cost).toBeGreaterThanOrEqual(300_000);
    expect(often(7).problem).toMatch(/memory alloc limit/);
  },
);

test('names within the brackets of names end early', () => {
  const nested = (n: number) => `{{ ${repeat('client[', n)}"email"${repeat(']', n)} }}`;
  const problem = (n: number) => {
    const compiled = compileContent({ subject: 's', body: nested(n) });
    return compiled.ok ? '' : new ValidationError(compiled.errors).message;
  };
  expect(problem(1)).toBe('');
  for (const n of [6, 100, 2_000]) expect(problem(n)).toMatch(/brackets within each other deeper than 5 levels/);
});

describe.each(GROWING)('%s', (_, template, most) => {
  test('twice as many are charged twice as much at most', () => {
    for (let n = Math.ceil(most / 8); 2 * n <= most; n *= 2) {
      const [once, twice] = [charged(template(n)), charged(template(2 * n))];
      expect([once.problem, twice.problem]).toEqual(['', '']);
      expect(twice.cost / once.cost).toBeGreaterThan(1.4);
      expect(twice.cost / once.cost).toBeLessThan(2.3);
    }
  });
});

test.each([
  [
    'a condition of 2,000 operands in a loop',
    `{% for i in (1..1000) %}{% if ${repeat('date or ', 2_000)}date %}{% endif %}{% endfor %}`,
  ],
  ['nested loops', `${repeat('{% for i in (1..10) %}', 9)}x${repeat('{% endfor %}', 9)}`],
  ['a loop around nothing', '{% for i in (1..1000000) %}{% endfor %}'],
  ['doubling by append', `{% assign a = ${C} %}{% for i in (1..50) %}{% assign a = a | append: a %}{% endfor %}`],
  [
    'doubling by capture',
    `{% assign a = ${C} %}{% for i in (1..50) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}`,
  ],
  ['growing by replace', `{{ ${C} | replace: "", ${C} }}`],
  ['growing by join', `{{ ${C} | split: "" | join: ${C} }}`],
  [
    'comparing lists',
    `{% assign a = ${C} | split: "" %}{% for i in (1..2000) %}{% if a == a %}{% endif %}{% endfor %}`,
  ],
  ['cutting from the end', `{% assign a = ${C} %}{% for i in (1..2000) %}{% assign b = a | slice: -1 %}{% endfor %}`],
  [
    'reading numbers',
    `{% assign a = "${repeat('1', 90_000)}" %}{% for i in (1..2000) %}{% assign b = a | abs %}{% endfor %}`,
  ],
  ['formatting dates', `{% for i in (1..2000) %}{{ date | date: "%c" }}{% endfor %}`],
  ['a long format', `{{ date | date: "${repeat('%c', 20_000)}" }}`],
  ['sorting', `{% assign a = ${C} | split: "" %}{% for i in (1..999) %}{% assign b = a | sort_natural %}{% endfor %}`],
])('%s ends at a limit', (_, source) => {
  const { cost, problem } = charged(source);
  expect(problem).toMatch(/too many steps|memory alloc limit exceeded|output is too long/);
  expect(cost).toBeLessThanOrEqual(LIMITS.memory);
});

test('whatever a template is made of, a letter is charged no more than the limit, and says why it ended', () => {
  const piece = fc.constantFrom(
    '{% for i in (1..99) %}',
    '{% endfor %}',
    '{% if a contains i or a == client.email %}',
    '{% endif %}',
    '{% assign a = a | append: client.comment %}',
    '{% assign a = a | split: " " | join: client.fullName %}',
    '{% capture a %}{{ a }}{{ client.comment | url_encode }}',
    '{% endcapture %}',
    '{{ a | replace: "x", client.comment | newline_to_br }}',
    '{{ date | date: "%c %c" }}',
    '<p>text</p>',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const { cost, problem } = charged(pieces.join(''));
      expect(cost).toBeLessThanOrEqual(LIMITS.memory);
      expect(problem).not.toContain('call stack');
    }),
    { numRuns: 200 },
  );
});

describe('a template is refused at once', () => {
  test.each([
    [
      '8,000 operands',
      `{% if ${repeat('client.email == "x" or ', 8_000)}date %}{% endif %}`,
      'more than 5000 names and filters',
    ],
    ['20,000 filters', `{{ date ${repeat('| upcase ', 20_000)} }}`, 'more than 5000 names and filters'],
    ['51 filters', `{{ date ${repeat('| upcase ', 51)} }}`, 'more than 50 filters in one place'],
    ['51 levels', `${repeat('{% if date %}', 51)}${repeat('{% endif %}', 51)}`, 'deeper than 50 levels'],
    ['a long path', `{{ client${repeat('.a', 90_000)} }}`, 'more than 5000 names and filters'],
  ])('%s', (_, body, problem) => {
    const compiled = compileContent({ subject: 's', body });
    expect(compiled.ok || compiled.errors.map(english)).toEqual([expect.stringContaining(problem)]);
  });

  test('many unknown variables are told in part', () => {
    const compiled = compileContent({
      subject: 's',
      body: Array.from({ length: 900 }, (_, i) => `{{ x${i} }}`).join(''),
    });
    expect(compiled.ok || compiled.errors.length).toBeLessThan(25);
  });
});

test('values that are put in many times are counted each time', () => {
  const compiled = compileContent({ subject: 's', body: repeat(`{{ ${C} }}`, 900) });
  if (!compiled.ok) throw new Error('refused');
  expect(() => compiled.content.render(data)).toThrow('the output is too long');
});

describe('the text of HTML', () => {
  test('that is larger than any letter is what stands between its tags', () => {
    expect(htmlToText(`${repeat('<p>one &amp; two</p>', 5_000)}`).split('\n')[4_999]).toBe('one & two');
    expect(htmlToText(`<style>x</style>${repeat('<b>', 20_000)}a<br>b<!-- c -->`)).toBe('a\nb');
    expect(htmlToText(repeat('<', 100_000))).toHaveLength(100_000);
  });

  test('that nests lists, quotations and links without end stays as long as it is', () => {
    for (const tag of ['<ul><li>', '<ol><li>', '<blockquote>', '<a href="x">'])
      expect(htmlToText(repeat(tag, 250) + repeat('word ', 5_000)).length).toBeLessThan(30_000);
  });
});
