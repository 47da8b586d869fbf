import fc from 'fast-check';
import { composeLetter, prepareLetter } from '../../src/domain/compose';
import type { FieldValue } from '../../src/domain/client-fields';
import { createEngine, renderByLiquid } from '../../src/domain/liquid';
import { english } from '../../src/domain/problem-texts';
import { compileContent, type LetterData, type OwnFields, ownFieldsIn } from '../../src/domain/template';

/** The fields that owners define, in templates. */

const KEYS = ['city', 'age', 'born', 'vip', 'level'];
const data = (fields: Record<string, FieldValue> = {}): LetterData => ({
  client: { ...fields, fullName: 'Ann', email: 'ann@example.org', comment: '' },
  mailing: { name: '' },
  sender: { name: '', email: '' },
  date: '2027-03-31T22:30:00Z',
  timeZone: 'Pacific/Kiritimati',
});
function compile(body: string, fields: OwnFields = KEYS) {
  const compiled = compileContent({ subject: 's', body }, undefined, fields);
  if (!compiled.ok) throw new Error(compiled.errors.map(english).join());
  return compiled.content;
}
const show = (body: string, fields?: Record<string, FieldValue>) => compile(body).render(data(fields)).html;

test.each<[string, Record<string, FieldValue>, string]>([
  ['{{ client.city }}', { city: 'Omsk' }, 'Omsk'],
  ['{{ client.city }}', {}, ''],
  ['{{ client["city"] }}', { city: 'Omsk' }, 'Omsk'],
  ['{{ client.city | default: "your town" }}', {}, 'your town'],
  ['{{ client.city | upcase }}', { city: 'Omsk' }, 'OMSK'],
  ['{{ client.city }}', { city: '<b> & "c"' }, '&lt;b&gt; &amp; &#34;c&#34;'],
  ['{{ client.age }}', { age: 41.5 }, '41.5'],
  ['{{ client.age }}', { age: 0 }, '0'],
  ['{{ client.age | plus: 1 }}', { age: 41 }, '42'],
  ['{{ client.vip }}', { vip: false }, 'false'],
  ['{% if client.vip %}yes{% else %}no{% endif %}', { vip: true }, 'yes'],
  ['{% if client.age > 18 %}old{% endif %}', { age: 19 }, 'old'],
  ['{% if client.level == "Gold" %}gold{% endif %}', { level: 'Gold' }, 'gold'],
  ['{{ client.born }}', { born: '2026-12-31' }, '2026-12-31'],
  // Whatever the time zone of the letter.
  ['{{ client.born | date: "%d.%m.%Y %H:%M" }}', { born: '2026-12-31' }, '31.12.2026 00:00'],
  ['{{ client.born | date: "%d.%m.%Y" }}', {}, ''],
])('%s with %j', (body, fields, expected) => {
  expect(show(body, fields)).toBe(expected);
});

test.each<[string, OwnFields, string]>([
  ['{{ client.cty }}', KEYS, 'unknown variable "client.cty"; did you mean "client.city"? known are'],
  ['{{ client.City }}', KEYS, 'did you mean "client.city"?'],
  ['{{ city }}', KEYS, 'did you mean "client.city"?'],
  ['{{ client.fulName }}', [], 'did you mean "client.fullName"?'],
  ['{{ sendr.name }}', [], 'did you mean "sender.name"?'],
  ['{{ client.shoe }}', KEYS, 'unknown variable "client.shoe"; known are'],
  ['{{ client.city.length }}', KEYS, 'unknown variable "client.city.length"'],
  ['{{ client.city }}', [], 'unknown variable "client.city"'],
  ['{{ client.constructor }}', 'any', 'unknown variable "client.constructor"'],
  ['{{ client.__proto__ }}', 'any', 'unknown variable "client.__proto__"'],
  ['{{ client.toString }}', 'any', 'unknown variable "client.toString"'],
  ['{{ client }}', 'any', 'unknown variable "client"'],
  ['{{ mailing.city }}', 'any', 'unknown variable "mailing.city"'],
])('%s is refused', (body, fields, message) => {
  const compiled = compileContent({ subject: 's', body }, undefined, fields);
  expect(compiled.ok ? '' : english(compiled.errors[0]!)).toContain(message);
});

test('a field that is gone when the letters are written is empty', () => {
  const content = compile('<p>Hi {{ client.gone }}{{ client.gone | default: "you" }}</p>', 'any');
  expect(content.render(data()).html).toBe('<p>Hi you</p>');
});

test('whether fields are read, and which', () => {
  expect(compile('{{ client.fullName }}').readsFields).toBe(false);
  expect(compile('{{ client.city }}').readsFields).toBe(true);
  const source = { subject: '{{ client.age }}', body: '{% if client.vip %}{{client["city"]}}{% endif %} client.level' };
  expect([...ownFieldsIn(source)].sort()).toEqual(['age', 'city', 'vip']);
  expect([...ownFieldsIn({ subject: '', body: '{% if', bodyText: '{{ client.city }}' })]).toEqual(['city']);
});

test('the footer is added to a message that shows fields', () => {
  const compiled = compileContent({ subject: 's', body: '<p>{{ client.city }}</p>' }, 'en', KEYS);
  expect(compiled.ok && compiled.content.readsFields).toBe(true);
});

test('the program and Liquid itself show the same', () => {
  const engine = createEngine('html');
  const bodies = [
    '<p>{{ client.city }} {{ client.age }} {{ client.vip }}</p>',
    '{{ client.born | date: "%d.%m.%Y" }} {{ client.level | default: "none" | upcase }}',
    '{{ client.city | append: client.age }} {{ client.vip | default: "no" }}',
  ];
  const value = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant('2026-12-31'),
  );
  const fields = fc.dictionary(fc.constantFrom(...KEYS), value);
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fields, (body, given) => {
      const byLiquid = renderByLiquid(engine, engine.parse(body), data(given));
      expect(show(body, given).replace(/\r\n?/g, '\n')).toBe(byLiquid.replace(/\r\n?/g, '\n'));
    }),
  );
});

test('a letter to somebody without a name has their bare address in To', () => {
  const prepared = prepareLetter({ from: { address: 'a@example.org' }, content: compile('<p>Hi</p>') });
  const letter = data();
  letter.client.fullName = '';
  const raw = composeLetter(prepared, {
    data: letter,
    messageId: '<1@example.org>',
    date: new Date(0),
    boundary: 'b',
    eightBitMime: true,
  });
  expect(raw.toString()).toContain('\r\nTo: ann@example.org\r\n');
});
