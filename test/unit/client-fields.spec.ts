import * as fc from 'fast-check';
import {
  changedValues,
  checkDefinition,
  checkValue,
  checkValues,
  type FieldDefinition,
  type FieldType,
  valuesProblem,
  valueText,
} from '../../src/domain/client-fields';
import { similarTo } from '../../src/domain/similar';

const field = (type: FieldType, more: Partial<FieldDefinition> = {}): FieldDefinition => ({
  key: 'city',
  label: 'City',
  type,
  options: type === 'choice' ? ['Gold', 'Серебро'] : [],
  ...more,
});

it.each<[FieldType, unknown, unknown]>([
  ['text', ' Москва ', 'Москва'],
  ['text', 'a\r\nb', 'a\nb'],
  ['text', 12, '12'],
  ['text', '', null],
  ['text', '   ', null],
  ['text', null, null],
  ['number', 1.5, 1.5],
  ['number', '1 234,5', 1234.5],
  ['number', '1\u00a0234', 1234],
  ['number', '-3', -3],
  ['number', '\u22123', -3],
  ['number', '.5', 0.5],
  ['number', '1e3', 1000],
  ['number', '', null],
  ['date', '2026-02-28', '2026-02-28'],
  ['date', '2026-2-8', '2026-02-08'],
  ['date', '31.12.2026', '2026-12-31'],
  ['date', '2026-02-28T10:00:00Z', '2026-02-28'],
  ['date', '2026-02-28 10:00', '2026-02-28'],
  ['boolean', true, true],
  ['boolean', 'Да', true],
  ['boolean', '0', false],
  ['boolean', 1, true],
  ['boolean', 'NO', false],
  ['choice', 'gold', 'Gold'],
  ['choice', 'СЕРЕБРО', 'Серебро'],
])('a %s takes %j as %j', (type, given, value) => {
  expect(checkValue(field(type), given)).toEqual({ ok: true, value });
});

it.each<[FieldType, unknown, string]>([
  ['text', 'x'.repeat(2_001), 'too_long'],
  ['text', 'a\u0000b', 'controls'],
  ['text', { a: 1 }, 'wrong_type'],
  ['text', ['a'], 'wrong_type'],
  ['text', true, 'wrong_type'],
  ['number', 'twelve', 'number'],
  ['number', '1,234,5', 'number'],
  ['number', '1e999', 'number'],
  ['number', '9'.repeat(400), 'number'],
  ['number', Infinity, 'number'],
  ['date', '2026-02-29', 'day'],
  ['date', '02/03/2026', 'day'],
  ['date', '31.02.2026', 'day'],
  ['date', 5, 'day'],
  ['date', '0000-01-01', 'day'],
  ['boolean', 'perhaps', 'yes_no'],
  ['boolean', 2, 'yes_no'],
  ['choice', 'Bronze', 'one_of'],
])('a %s refuses %j: %s', (type, given, code) => {
  expect(checkValue(field(type), given)).toMatchObject({ ok: false, problem: { code } });
});

it('reads back what it shows', () => {
  const types = fc.constantFrom<FieldType>('text', 'number', 'date', 'boolean', 'choice');
  const value: Record<FieldType, fc.Arbitrary<unknown>> = {
    text: fc.string({ maxLength: 50 }).filter((text) => text.trim() !== ''),
    number: fc.double({ noNaN: true, noDefaultInfinity: true }),
    date: fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((d) => d.toISOString()),
    boolean: fc.boolean(),
    choice: fc.constantFrom('Gold', 'Серебро'),
  };
  fc.assert(
    fc.property(
      types.chain((type) => fc.tuple(fc.constant(type), value[type])),
      ([type, given]) => {
        const first = checkValue(field(type), given);
        if (!first.ok) return;
        expect(checkValue(field(type), valueText(first.value))).toEqual(first);
      },
    ),
  );
});

it.each(['city', 'City_2', 'a', 'x'.repeat(40)])('a field may be called %s', (key) => {
  expect(checkDefinition(field('text', { key }))).toEqual([]);
});

it.each([
  ['', 'field_key'],
  ['1a', 'field_key'],
  ['город', 'field_key'],
  ['a-b', 'field_key'],
  ['x'.repeat(41), 'field_key'],
  ['__proto__', 'field_key'],
  ['constructor', 'field_key_reserved'],
  ['hasOwnProperty', 'field_key_reserved'],
  ['email', 'field_key_reserved'],
  ['Full_Name', 'field_key_reserved'],
  ['createdAt', 'field_key_reserved'],
])('a field may not be called %j: %s', (key, code) => {
  expect(checkDefinition(field('text', { key }))).toMatchObject([{ field: 'key', code }]);
});

it.each<[Partial<FieldDefinition>, string, string]>([
  [{ label: '' }, 'label', 'empty'],
  [{ label: 'a\nb' }, 'label', 'not_one_line'],
  [{ type: 'colour' as FieldType }, 'type', 'one_of'],
  [{ type: 'choice', options: [] }, 'options', 'required'],
  [{ options: ['a'] }, 'options', 'unknown_field'],
  [{ type: 'choice', options: ['a', 'a'] }, 'options', 'repeated_option'],
  [{ type: 'choice', options: [' '] }, 'options.0', 'empty'],
  [{ type: 'choice', options: Array.from({ length: 101 }, (_, i) => String(i)) }, 'options', 'too_many'],
])('a definition that breaks a rule is refused: %#', (more, at, code) => {
  expect(checkDefinition(field('text', more))).toMatchObject([{ field: at, code }]);
});

it('names an unknown key, and the one that was meant', () => {
  const { change, errors } = checkValues([field('text'), field('number', { key: 'age' })], {
    city: 'X',
    age: null,
    sity: 1,
  });
  expect(change).toEqual({ city: 'X', age: null });
  expect(errors).toMatchObject([
    { field: 'fields.sity', code: 'no_such_field', values: { key: 'sity', similar: 'city' } },
  ]);
});

it('merges a change: null takes a value away, what is not named stays', () => {
  expect(changedValues({ a: 1, b: 'x' }, { a: null, c: true })).toEqual({ b: 'x', c: true });
});

it('counts the bytes of all values', () => {
  expect(valuesProblem({ a: 'я'.repeat(4_000) })).toBeNull();
  expect(valuesProblem({ a: 'я'.repeat(2_000), b: 'я'.repeat(2_200) })).toMatchObject({ code: 'fields_too_long' });
});

it.each<[string, string | null]>([
  ['ctiy', 'city'],
  ['CITY', 'city'],
  ['agee', 'age'],
  ['birthday', null],
])('for %j takes %j', (name, meant) => {
  expect(similarTo(name, ['city', 'age', 'phone'])).toBe(meant);
});

it('does not compare endless names', () => {
  expect(similarTo('x'.repeat(1_000_000), ['city', 'x'.repeat(1_000_000)])).toBeNull();
});
