import fc from 'fast-check';
import { toCrlf } from '../../src/domain/mime-body';
import { htmlToText, textTemplate } from '../../src/domain/html-text';
import { createEngine, renderByLiquid } from '../../src/domain/liquid';
import { compileContent, TEMPLATE_VARIABLES, type ContentSource, type LetterData } from '../../src/domain/template';
import { compileProgram } from '../../src/domain/template-program';
import { english } from '../../src/domain/problem-texts';
import { cases } from '../support/cases';

const ANN: LetterData = {
  client: { fullName: 'Ann & <Bob>', email: 'ann@example.org', comment: 'VIP' },
  mailing: { name: 'Spring' },
  sender: { name: 'The "Shop"', email: 'shop@example.org' },
  date: '2027-03-31T22:30:00Z',
};

function compile(source: Partial<ContentSource>) {
  const compiled = compileContent({ subject: 's', body: 'b', ...source });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return compiled.content;
}
const html = (body: string, data: Partial<LetterData> = {}) => compile({ body }).render({ ...ANN, ...data }).html;
const text = (body: string, data: Partial<LetterData> = {}) => compile({ body }).render({ ...ANN, ...data }).text;
const subject = (source: string, data: Partial<LetterData> = {}) =>
  compile({ subject: source }).render({ ...ANN, ...data }).subject;

describe('compileContent', () => {
  it.each<[keyof ContentSource, string, string]>([
    [
      'body',
      'a\n b {{ client.firstName }}',
      'line 2, column 7: unknown variable "client.firstName"; known are client.fullName',
    ],
    ['subject', '{{ name }}', 'unknown variable "name"'],
    ['bodyText', '{{ name }}', 'unknown variable "name"'],
    ['body', '{{ client }}', 'unknown variable "client"'],
    ['body', '{{ client.constructor.name }}', 'unknown variable "client.constructor.name"'],
    ['body', '{{ client[mailing.name] }}', 'unknown variable "client[mailing.name]"'],
    ['body', '{{ timeZone }}', 'unknown variable "timeZone"'],
    ['body', '{% if false %}{{ nowhere }}{% endif %}', 'unknown variable "nowhere"'],
    ['body', '{% if nowhere %}{% endif %}', 'unknown variable "nowhere"'],
    ['body', '{% case date %}{% when nowhere %}{% endcase %}', 'unknown variable "nowhere"'],
    ['body', '{% for i in (1..nowhere) %}{% endfor %}', 'unknown variable "nowhere"'],
    ['body', '{{ date | append: nowhere }}', 'unknown variable "nowhere"'],
    ['body', '{% echo nowhere %}', 'unknown variable "nowhere"'],
    ['body', '{{ later }}{% assign later = 1 %}', 'unknown variable "later"'],
    ['body', '{% for i in (1..2) %}{% endfor %}{{ i }}', 'unknown variable "i"'],
    ['body', '{% assign client = 1 %}', '"client" cannot be assigned to'],
    ['body', '{% capture date %}{% endcapture %}', '"date" cannot be assigned to'],
    ['body', '{{ date | shout }}', 'unknown filter "shout"; known are abs'],
    ['body', '{{ date | raw }}', 'unknown filter "raw"'],
    ['body', '{{ date | sample }}', 'unknown filter "sample"'],
    ['body', '{% include "x" %}', 'unknown tag "include"; known are'],
    ['body', '{% render "x" %}', 'unknown tag "render"'],
    ['body', '{% layout "x" %}', 'unknown tag "layout"'],
    ['body', 'a\n{{ date', 'line 2, column 1: output "{{ date" not closed'],
    ['body', '{% if date %}', 'not closed'],
    ['body', '{% for i in (1..1000000000) %}{% endfor %}', 'memory alloc limit exceeded'],
    ['body', '{% for i in (1..999) %}{% for j in (1..999) %}a{% endfor %}{% endfor %}', 'too many steps'],
    [
      'body',
      `{% assign a = "${'x'.repeat(99)}" %}{% for i in (1..99) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}`,
      'too long',
    ],
    [
      'body',
      `{% assign a = "${'x'.repeat(99_000)}" %}{% for i in (1..99) %}{% if a contains "y" %}{% endif %}{% endfor %}`,
      'memory alloc limit exceeded',
    ],
    ['body', '{% for i in (1..2) %}{{ forloop.constructor }}{% endfor %}', 'unknown variable "forloop.constructor"'],
    ['body', '{% for i in (1..2) %}{{ forloop["__proto__"] }}{% endfor %}', 'unknown variable "forloop.__proto__"'],
    ['body', '{% for i in (1..2) %}{% assign a = forloop %}{% endfor %}', 'unknown variable "forloop"'],
    [
      'body',
      '{% assign k = "next" %}{% for i in (1..2) %}{{ forloop[k] }}{% endfor %}',
      'unknown variable "forloop[k]"',
    ],
    ['body', `${'x'.repeat(1000)}`.repeat(201), 'at most 200000 characters'],
    ['subject', 'x'.repeat(2001), 'at most 2000 characters'],
    ['body', '{{ date }}{% if date %}x{% endif %}'.repeat(334), 'more than 1000 outputs and tags'],
    ['bodyText', '{% assign a = date %}'.repeat(1001), 'more than 1000 outputs and tags'],
    ...Object.entries({ sort: 9, sort_natural: 9, url_encode: 99, uri_escape: 99 }).map(
      ([filter, times]): ['body', string, string] => [
        'body',
        `{% assign a = "${'x '.repeat(45_000)}" | split: " " %}{% for i in (1..${times}) %}{% assign b = a | ${filter} %}{% endfor %}`,
        'memory alloc limit exceeded',
      ],
    ),
  ])('refuses in %s: %.60s', (field, source, message) => {
    const compiled = compileContent({ subject: 's', body: 'b', [field]: source });
    expect(compiled.ok || compiled.errors.map((e) => [e.field, english(e)])).toEqual([
      [field, expect.stringContaining(message)],
    ]);
  });

  it('takes HTML that is nested without end, and gives the text of all that anybody nests', () => {
    expect(text(`${'<div>'.repeat(30_000)}deep`)).toBe('deep');
    expect(text(`{% for i in (1..9000) %}<b>{% endfor %}deep`)).toBe('deep');
    expect(text(`${'<div>'.repeat(2_000)}deep`)).toBe('...');
    expect(text(`${'<div>'.repeat(100)}shallow`)).toBe('shallow');
  });

  it('takes as many outputs and tags as anybody writes', () => {
    expect(html('{{ client.comment }}{% if date %}{% endif %}'.repeat(333)).length).toBe(999);
  });

  it('lets loops say where they are', () => {
    const loop = '{% for i in (1..2) %}{{ forloop.index }}/{{ forloop.length }}{{ forloop.last }} {% endfor %}';
    expect(html(loop)).toBe('1/2false 2/2true ');
  });

  it('lists everything that is wrong, by field', () => {
    const compiled = compileContent({ subject: '{{ a }}{{ b }}', body: '{{ c }}', bodyText: '{% d %}' });
    expect(compiled.ok ? [] : compiled.errors.map((error) => error.field)).toEqual([
      'subject',
      'subject',
      'body',
      'bodyText',
    ]);
  });

  it.each(TEMPLATE_VARIABLES.map((variable) => variable.name))('knows %s', (name) => {
    expect(compileContent({ subject: `{{ ${name} }}`, body: `{{ ${name} }}` }).ok).toBe(true);
  });
});

describe('html', () => {
  it.each([
    ['{{ client.fullName }}', 'Ann &amp; &lt;Bob&gt;'],
    ['{{ sender.name }}', 'The &#34;Shop&#34;'],
    ['{{ client["email"] }}', 'ann@example.org'],
    ['{{ client.fullName | escape }}', 'Ann &amp; &lt;Bob&gt;'],
    ['{{ client.fullName | escape | upcase }}', 'ANN &amp;AMP; &amp;LT;BOB&amp;GT;'],
    ['{% echo client.fullName %}', 'Ann &amp; &lt;Bob&gt;'],
    ['{% capture x %}{{ client.fullName }}{% endcapture %}{{ x | upcase }}', 'ANN &amp;AMP; &amp;LT;BOB&amp;GT;'],
    ['{{ "a<b\nc" | newline_to_br }}', 'a&lt;b<br />\nc'],
    ['{{ "<b>" | newline_to_br | append: "<i>" }}', '&amp;lt;b&amp;gt;&lt;i&gt;'],
    ['{{ client.comment | default: "-" | downcase }}', 'vip'],
    ['{% assign n = 2 %}{% for i in (1..n) %}{{ i }},{% endfor %}', '1,2,'],
    ['{% if client.comment == "VIP" %}yes{% else %}no{% endif %}', 'yes'],
    ['{% raw %}{{ x }}{% endraw %}', '{{ x }}'],
    ['{%- comment %} {{ nothing }} {% endcomment -%}', ''],
  ])('%j → %j', (body, expected) => expect(html(body)).toBe(expected));

  it('uses no global property of JavaScript', () => {
    expect(html('{% assign x = "a" %}{{ x.constructor }}{{ x.__proto__ }}')).toBe('');
  });
});

describe('subject', () => {
  it.each([
    ['Hi {{ client.fullName }}', 'Hi Ann & <Bob>'],
    ['  Hi\r\n\t{{ mailing.name }} \n', 'Hi Spring'],
    ['a\0b\x1B\u2028c\x85d', 'a b c d'],
    ['{% if client.comment %}{{ client.comment }}{% endif %}', 'VIP'],
  ])('%j → %j', (source, expected) => expect(subject(source)).toBe(expected));

  it('stays one line whatever the data holds', () => {
    const client = { fullName: 'Ann\r\nBcc: eve@example.org', email: 'a@example.org', comment: '' };
    expect(subject('Hi {{ client.fullName }}', { client })).toBe('Hi Ann Bcc: eve@example.org');
  });
});

describe('date', () => {
  it.each<[string, Partial<LetterData>, string]>([
    ['{{ date }}', {}, '2027-03-31T22:30:00Z'],
    ['{{ date | date: "%d.%m.%Y %H:%M" }}', {}, '31.03.2027 22:30'],
    ['{{ date | date: "%d.%m.%Y %H:%M %z" }}', { timeZone: 'Europe/Athens' }, '01.04.2027 01:30 +0300'],
    ['{{ date | date: "%-d %B %Y, %A" }}', { timeZone: 'America/New_York' }, '31 March 2027, Wednesday'],
    ['{{ date | date: "%Y-%m-%d" }}', { date: '2027-03-28', timeZone: 'America/New_York' }, '2027-03-28'],
    ['{{ date | date: "%H:%M" }}', { date: '2027-03-28T03:30:00+02:00', timeZone: 'UTC' }, '01:30'],
    ['{{ "now" | date: "%Y" }}', {}, '2027'],
    [
      '{{ date | date: "%e|%_m|%0e|%^a|%I %p|%j|%s|%%|%Q|%F" }}',
      {},
      '31| 3|31|WED|10 PM|090|1806532200|%|%Q|2027-03-31',
    ],
    ['{{ date | date: "%H", "Asia/Tokyo" }}', {}, '07'],
    ['{{ "soon" | date: "%H" }}', {}, 'soon'],
  ])('%s %j → %s', (body, data, expected) => expect(html(body, data)).toBe(expected));
});

describe('text part', () => {
  it.each([
    ['<h1>Hi</h1><p>a <b>c</b><br>d</p>', 'Hi\n\na c\nd'],
    ['<ul><li>1</li><li>2</li></ul>', ' * 1\n * 2'],
    ['<p><a href="https://example.org/x">Click  here</a></p>', 'Click here [https://example.org/x]'],
    ['<a href="https://example.org">https://example.org</a>', 'https://example.org'],
    ['<a href="mailto:{{ client.email }}">{{ client.email }}</a>', 'ann@example.org'],
    ['<a href="https://example.org"><img src="x.png" alt="Our logo"></a>', 'Our logo [https://example.org]'],
    ['<table><tr><td>a</td><td>b</td></tr></table>', 'a\nb'],
    ['<style>p { color: red }</style><title>t</title>x', 'x'],
    ['<p>{{ client.fullName }}</p>', 'Ann & <Bob>'],
    [`<p>${'word '.repeat(50)}</p>`, 'word '.repeat(50).trim()],
  ])('%j → %j', (body, expected) => expect(toCrlf(text(body))).toBe(toCrlf(expected)));

  it('is the one that was written, if one was written, without HTML escapes', () => {
    const content = compile({ body: '<p>x</p>', bodyText: 'Dear {{ client.fullName }},\n\nbye' });
    expect(content.render(ANN).text).toBe('Dear Ann & <Bob>,\r\n\r\nbye');
    expect(compile({ body: '<p>x</p>', bodyText: '' }).render(ANN).text).toBe('');
    expect(compile({ body: '<p>x</p>', bodyText: null }).render(ANN).text).toBe('x');
  });

  const engine = createEngine('html');
  it.each([
    ['<p>Hi {{ client.fullName }}!</p>', true],
    ['<p title="{{ client.fullName }}" style=\'x:{{ date }}\'>x</p>', true],
    ['<a href="https://example.org/?{{ client.email }}">Click</a>', true],
    ['<a href="mailto:{{ client.email }}">{{ client.email }}</a>', true],
    ['<a href="{{ client.comment }}">Click</a>', false],
    ['<a href="https://example.org">{{ client.comment }}</a>', false],
    ['<a href="https://example.org/{{ client.email }}">https://example.org/</a>', false],
    ['<p title={{ client.fullName }}>x</p>', false],
    ['<{{ client.comment }}>', false],
    ['<ol start="{{ client.comment }}"><li>x</li></ol>', false],
    ['<!-- {{ client.comment }} -->', false],
    ['<style>{{ client.comment }}</style>', false],
    ['&{{ client.comment }};', false],
    ['&#{{ client.comment }};', false],
    ['\uE0000\uE001{{ client.comment }}', false],
  ])('is derived once from the template: %j → %j', (body, derived) => {
    expect(textTemplate(compileProgram(engine, engine.parse(body))!) !== null).toBe(derived);
  });
});

describe('the fast path', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(
      '',
      ' ',
      'Ann',
      'a b',
      ' a',
      'a  b',
      'a\nb',
      '<b>',
      '&amp;',
      '&',
      '"',
      "'",
      '#',
      'mailto:x',
      'https://e.org',
      '\u00A0',
      '\uE0000\uE001',
    ),
  );
  const data: fc.Arbitrary<LetterData> = fc.record({
    client: fc.record({ fullName: word, email: word, comment: word }),
    mailing: fc.record({ name: word }),
    sender: fc.record({ name: word, email: word }),
    date: fc.constantFrom('2027-01-31', '2027-01-31T23:30:00Z'),
    timeZone: fc.constantFrom('UTC', 'Asia/Tokyo'),
  });
  const output = fc.constantFrom(
    ...TEMPLATE_VARIABLES.map((variable) => `{{ ${variable.name} }}`),
    ...[
      'upcase',
      'default: "x"',
      'escape',
      'append: sender.name',
      'truncate: 5',
      'date: "%d"',
      'strip | capitalize',
      'url_encode',
    ].map((filters) => `{{ client.fullName | ${filters} }}`),
    '{{- client.comment -}}',
    '{{ "a<b" | downcase }}',
    '{{ date | date: "%d %B" }}',
  );
  const fixed = fc.constantFrom(
    ...[
      '<p>',
      '</p>',
      '<b>',
      '</b>',
      '<a href="https://e.org/',
      '">',
      '</a>',
      '<a href="',
      '<a href="mailto:',
      '<img alt="',
      '<!--',
      '-->',
    ],
    ...[
      ' ',
      '\n',
      'x',
      '&',
      '&lt',
      ';',
      '<',
      '>',
      '"',
      "'",
      '=',
      '<br>',
      '<ul><li>',
      '</li></ul>',
      '<ol start="',
      '<pre>',
      '</pre>',
    ],
    ...[
      '<table><tr><td>',
      '</td></tr></table>',
      '<h1>',
      '</h1>',
      '<style>',
      '</style>',
      '<p title=',
      '<blockquote>',
      '</blockquote>',
      '#',
    ],
  );
  const body = fc.array(fc.oneof(fixed, output), { maxLength: 12 }).map((parts) => parts.join(''));
  const [htmlEngine, textEngine] = [createEngine('html'), createEngine('text')];

  // A CR within <pre> was kept, so that the text depended on the line breaks of the HTML.
  const CR_IN_PRE = '<pre><blockquote>&lt{{ client.fullName }}\n';
  const anybody: LetterData = {
    client: { fullName: '', email: '', comment: '' },
    mailing: { name: '' },
    sender: { name: '', email: '' },
    date: '2027-01-31',
    timeZone: 'UTC',
  };

  it('gives what Liquid and the conversion of each letter give', () => {
    let derived = 0;
    fc.assert(
      fc.property(body, fc.array(data, { minLength: 3, maxLength: 3 }), (template, letters) => {
        const content = compile({ subject: template.replace(/\n/g, ''), body: template, bodyText: null });
        const custom = compile({ body: template, bodyText: template });
        const program = compileProgram(htmlEngine, htmlEngine.parse(template));
        if (program && program.outputs.length > 0 && textTemplate(program)) derived++;
        for (const letter of letters) {
          const slow = renderByLiquid(htmlEngine, htmlEngine.parse(template), letter);
          const plain = renderByLiquid(textEngine, textEngine.parse(template), letter);
          const rendered = content.render(letter);
          expect(toCrlf(rendered.html)).toBe(toCrlf(slow));
          expect(toCrlf(rendered.text)).toBe(toCrlf(htmlToText(slow)));
          expect(toCrlf(custom.render(letter).text)).toBe(toCrlf(plain));
        }
      }),
      { numRuns: cases(1500, 400), examples: [[CR_IN_PRE, [anybody, anybody, anybody]]] },
    );
    expect(derived).toBeGreaterThan(100);
  });
});
