import * as fc from 'fast-check';
import type { FieldDefinition } from '../../src/domain/client-fields';
import { checkFilter, type FilterContext, mentioned } from '../../src/domain/segment-filter-check';
import {
  builtInFields,
  type FilterType,
  operators,
  operatorsOf,
  type SegmentFilter,
  withTagNames,
} from '../../src/domain/segment-filter';
import { changed, filterOf, type Groups, groupsIn, groupsOf, placed } from '../../src/web/segment-form';

const field = (key: string, type: FieldDefinition['type'], options: string[] = []): FieldDefinition => ({
  key,
  label: key,
  type,
  options,
});
const context: FilterContext = {
  fields: [
    field('city', 'text'),
    field('age', 'number'),
    field('born', 'date'),
    field('vip', 'boolean'),
    field('level', 'choice', ['Gold', 'Серебро']),
  ],
  tags: new Map([
    ['VIP', 7],
    ['vip', 7],
  ]),
  tagNames: ['VIP'],
  mailings: new Set([5]),
};
const check = (given: unknown) => checkFilter(given, context);
const IS = { field: 'email', op: 'is', value: 'a@example.com' };
const nested = (groups: number): unknown =>
  Array.from({ length: groups }).reduce<unknown>((inner) => ({ not: inner }), IS);

it.each<[unknown, unknown]>([
  [{ field: 'email', op: 'is', value: ' Anna@ПРИМЕР.рф ' }, { value: 'anna@xn--e1afmkfd.xn--p1ai' }],
  [{ field: 'email', op: 'contains', value: 'Anna@' }, { value: 'Anna@' }],
  [{ field: 'fields.city', op: 'is', value: 7 }, { value: '7' }],
  [{ field: 'fields.age', op: 'gt', value: '1 234,5' }, { value: 1234.5 }],
  [{ field: 'fields.age', op: 'isOneOf', value: [1, '1', 2] }, { value: [1, 2] }],
  [{ field: 'fields.born', op: 'before', value: '31.12.1999' }, { value: '1999-12-31' }],
  [{ field: 'fields.vip', op: 'isNot', value: 'да' }, { value: true }],
  [{ field: 'fields.level', op: 'is', value: 'серебро' }, { value: 'Серебро' }],
  [{ field: 'createdAt', op: 'after', value: '2026-02-28' }, { value: '2026-02-28' }],
  [{ field: 'createdAt', op: 'after', value: '2026-02-28T10:00:00+03:00' }, { value: '2026-02-28T07:00:00.000Z' }],
  [{ field: 'createdAt', op: 'inLastDays', value: '7' }, { value: 7 }],
  [{ field: 'tag', op: 'isOneOf', value: ['VIP', 'vip'] }, { value: [7] }],
  [
    { field: 'comment', op: 'isSet', value: null },
    { field: 'comment', op: 'isSet' },
  ],
  [{ field: 'received' }, { field: 'received', op: 'is', value: {} }],
  [
    { field: 'received', op: 'isNot', value: { mailingId: 5, days: 30 } },
    { field: 'notReceived', value: { mailingId: 5, days: 30 } },
  ],
  [
    { field: 'notReceived', op: 'inLastDays', value: 30 },
    { field: 'notReceived', op: 'is', value: { days: 30 } },
  ],
  [
    { field: 'received', op: 'notInLastDays', value: 30 },
    { field: 'notReceived', op: 'is', value: { days: 30 } },
  ],
  [
    { field: 'received', op: 'is', value: 5 },
    { field: 'received', op: 'is', value: { mailingId: 5 } },
  ],
  [{ field: 'lastResult', op: 'isOneOf', value: ['failed', 'unknown'] }, { value: ['failed', 'unknown'] }],
  [{ field: 'subscription', op: 'is', value: 'bounced' }, { value: 'bounced' }],
])('%j is read as %j', (given, filter) => {
  expect(check(given)).toMatchObject({ ok: true, filter });
});

it.each<[unknown, string, string, object?]>([
  [null, 'filter', 'filter_shape'],
  [[], 'filter', 'filter_shape'],
  [{}, 'filter', 'filter_shape'],
  [{ all: {} }, 'filter.all', 'wrong_type'],
  [{ any: [] }, 'filter.any', 'filter_empty'],
  [{ all: [IS], any: [IS] }, 'filter.any', 'unknown_field'],
  [{ ...IS, values: [] }, 'filter.values', 'unknown_field'],
  [{ not: [IS] }, 'filter.not', 'filter_shape'],
  [{ field: 7, op: 'is' }, 'filter.field', 'wrong_type'],
  [{ field: 'constructor', op: 'is', value: 'x' }, 'filter.field', 'no_such_field'],
  [{ field: 'fields.__proto__', op: 'is', value: 'x' }, 'filter.field', 'no_such_field'],
  [{ field: 'Email', op: 'is', value: 'x' }, 'filter.field', 'no_such_field', { similar: 'email' }],
  [{ field: 'fields.ctiy', op: 'is', value: 'x' }, 'filter.field', 'no_such_field', { similar: 'fields.city' }],
  [{ field: 'email', value: 'x' }, 'filter.op', 'required'],
  [{ field: 'email', op: 'toString', value: 'x' }, 'filter.op', 'wrong_operator'],
  [{ field: 'fields.vip', op: 'contains', value: 'x' }, 'filter.op', 'wrong_operator', { type: 'boolean' }],
  [{ field: 'email', op: 'is' }, 'filter.value', 'required'],
  [{ field: 'email', op: 'is', value: '  ' }, 'filter.value', 'required'],
  [{ field: 'email', op: 'is', value: { a: 1 } }, 'filter.value', 'wrong_type'],
  [{ field: 'email', op: 'isSet', value: 'x' }, 'filter.value', 'value_not_wanted'],
  [{ field: 'email', op: 'isOneOf', value: 'x' }, 'filter.value', 'wrong_type'],
  [{ field: 'email', op: 'isOneOf', value: [] }, 'filter.value', 'required'],
  [{ field: 'email', op: 'isOneOf', value: ['x', ''] }, 'filter.value.1', 'required'],
  [{ field: 'email', op: 'isOneOf', value: Array(101).fill('x') }, 'filter.value', 'too_many_values', { max: 100 }],
  [{ field: 'fields.level', op: 'is', value: 'Bronze' }, 'filter.value', 'one_of'],
  [{ field: 'fields.born', op: 'before', value: 'soon' }, 'filter.value', 'day'],
  [{ field: 'fields.born', op: 'inLastDays', value: 0 }, 'filter.value', 'too_small'],
  [{ field: 'fields.born', op: 'inLastDays', value: 1.5 }, 'filter.value', 'wrong_type'],
  [{ field: 'fields.born', op: 'inLastDays', value: 36_501 }, 'filter.value', 'too_large'],
  [{ field: 'tag', op: 'is', value: 7 }, 'filter.value', 'wrong_type'],
  [{ field: 'tag', op: 'is', value: 'VIPs' }, 'filter.value', 'no_such_tag', { name: 'VIPs', similar: 'VIP' }],
  [{ field: 'received', value: { mailingId: 6 } }, 'filter.value.mailingId', 'unknown_mailing'],
  [{ field: 'received', value: { days: 'x' } }, 'filter.value.days', 'wrong_type'],
  [{ field: 'received', value: { mailing: 5 } }, 'filter.value.mailing', 'unknown_field'],
  [{ field: 'lastResult', op: 'is', value: 'pending' }, 'filter.value', 'one_of'],
  [{ all: [IS, { any: [IS, { ...IS, op: 'lt' }] }] }, 'filter.all.1.any.1.op', 'wrong_operator'],
  [{ all: Array(51).fill(IS) }, 'filter', 'too_many_conditions', { max: 50 }],
  [nested(6), 'filter.not.not.not.not.not', 'filter_too_deep', { max: 5 }],
  [{ all: Array(50).fill({ field: 'comment', op: 'is', value: 'x'.repeat(1_000) }) }, 'filter', 'too_long'],
])('%j has a problem at %s: %s', (given, path, code, values = {}) => {
  expect(check(given)).toMatchObject({ ok: false, errors: [{ field: path, code, values }] });
});

it('fifty conditions and five groups within each other are few enough', () => {
  expect(check({ all: Array(50).fill(IS) }).ok).toBe(true);
  expect(check(nested(5)).ok).toBe(true);
});

it('finds every problem at once', () => {
  const given = { all: [{ field: 'x', op: 'is', value: 1 }, IS, { field: 'fields.age', op: 'is', value: 'y' }] };
  expect(check(given)).toMatchObject({
    errors: [{ field: 'filter.all.0.field' }, { field: 'filter.all.2.value' }],
  });
});

it('takes any JSON without an exception, and what it has read it reads again', () => {
  const names = fc.constantFrom('all', 'any', 'not', 'field', 'op', 'value', 'mailingId', 'days', '__proto__');
  const texts = fc.constantFrom(...Object.keys(builtInFields), 'fields.city', 'fields.age', ...operators, 'VIP', '7');
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6 },
      texts,
      fc.integer({ min: 0, max: 9 }),
      fc.constant(null),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(names, tie('json'), { maxKeys: 3 }),
      fc.record({ field: texts, op: texts, value: tie('json') }),
    ),
  }));
  fc.assert(
    fc.property(json, (given) => {
      mentioned(given);
      const checked = check(given);
      if (!checked.ok) return;
      const named = withTagNames(checked.filter, new Map([[7, 'VIP']]));
      expect(check(JSON.parse(JSON.stringify(named)))).toEqual(checked);
    }),
    { numRuns: 500 },
  );
});

it('every type has operators, and the contrary of one beside it', () => {
  for (const type of Object.keys(operatorsOf) as FilterType[]) {
    expect(operatorsOf[type]).toContain('is');
    expect(operatorsOf[type].includes('isSet')).toBe(operatorsOf[type].includes('isNotSet'));
  }
});

describe('the form', () => {
  const values = (groups: Groups) =>
    Object.fromEntries(
      groups.flatMap(({ match, rows }, g) => [
        [`g${g}.match`, match],
        ...rows.flatMap(({ kept, ...row }, r) =>
          kept === undefined
            ? Object.entries(row).map(([name, value]) => [`g${g}.${r}.${name}`, value])
            : [[`g${g}.${r}.kept`, kept]],
        ),
      ]),
    ) as Record<string, string>;
  const through = (filter: SegmentFilter) => {
    const groups = groupsIn(values(groupsOf(filter)), context.fields);
    return filterOf(groups, context.fields);
  };

  it.each<[SegmentFilter, unknown]>([
    [{ field: 'email', op: 'isSet' }, { all: [{ field: 'email', op: 'isSet' }] }],
    [{ not: { field: 'email', op: 'isSet' } }, { all: [{ not: { field: 'email', op: 'isSet' } }] }],
    [{ any: [{ field: 'fields.age', op: 'gt', value: 5 }] }, { any: [{ field: 'fields.age', op: 'gt', value: 5 }] }],
    [
      { all: [{ any: [{ all: [{ field: 'email', op: 'isSet' }] }] }, { field: 'tag', op: 'isOneOf', value: ['VIP'] }] },
      { all: [{ field: 'tag', op: 'isOneOf', value: ['VIP'] }, { any: [{ all: [{ field: 'email', op: 'isSet' }] }] }] },
    ],
    [
      { all: [{ field: 'comment', op: 'isOneOf', value: ['a, b', 'c'] }] },
      { all: [{ field: 'comment', op: 'isOneOf', value: ['a, b', 'c'] }] },
    ],
    [
      { all: [{ field: 'createdAt', op: 'after', value: '2026-02-28T07:00:00.000Z' }] },
      { all: [{ field: 'createdAt', op: 'after', value: '2026-02-28T07:00:00.000Z' }] },
    ],
    [
      {
        all: [
          { field: 'notReceived', op: 'is', value: { mailingId: 5, days: 7 } },
          { field: 'received', op: 'is', value: {} },
        ],
      },
      {
        all: [
          { field: 'notReceived', op: 'is', value: { mailingId: 5, days: 7 } },
          { field: 'received', op: 'is', value: {} },
        ],
      },
    ],
  ])('shows %j and gives it back', (filter, expected) => {
    expect(check(through(filter).filter)).toEqual(check(expected));
    expect(check(expected).ok).toBe(true);
  });

  it('shows a problem at the input that it is about', () => {
    const { filter, places } = through({
      all: [
        { field: 'email', op: 'is', value: '' },
        {
          any: [
            { field: 'email', op: 'isSet' },
            { field: 'fields.age', op: 'gt', value: 'old' },
          ],
        },
        { field: 'received', op: 'is', value: { days: 0 } },
      ],
    });
    const checked = check(filter);
    const problems = Object.fromEntries(checked.ok ? [] : checked.errors.map(({ field: path, code }) => [path, code]));
    expect(placed(problems, places)).toEqual({
      'g0.0.value': 'required',
      'g1.1.value': 'number',
      'g0.1.days': 'too_small',
    });
    expect(placed({ name: 'empty', 'filter.all': 'filter_empty' }, places)).toEqual({
      name: 'empty',
      filter: 'filter_empty',
    });
  });

  it('gets and loses rows and groups, and ignores what is no button of its own', () => {
    const groups: Groups = [{ match: 'all', rows: [] }];
    const does = (from: Groups, ...what: string[]) =>
      what.reduce((now, each) => changed(now, each, context.fields), from);
    const [added] = does(groups, 'add.0', 'add.0', 'remove.0.1');
    expect(added?.rows).toEqual([{ field: 'fields.city', op: 'is', value: '', days: '' }]);
    expect(does(groups, 'group', 'add.1')[1]?.rows.length).toBe(2);
    expect(does(groups, 'group', 'ungroup.1')).toEqual(groups);
    expect(does(groups, 'ungroup.0', 'add.7', 'remove.x.y', '', 'constructor')).toEqual(groups);
    expect(does(groups, ...Array<string>(60).fill('add.0'))[0]?.rows.length).toBe(50);
  });

  it('a field of another type gets an operator that it has', () => {
    const form = { 'g0.match': 'all', 'g0.0.field': 'fields.age', 'g0.0.op': 'contains', 'g0.0.value': '5' };
    expect(filterOf(groupsIn(form, context.fields), context.fields).filter).toEqual({
      all: [{ field: 'fields.age', op: 'is', value: '5' }],
    });
  });
});
