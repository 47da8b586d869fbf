import { type FieldDefinition, type FieldType } from './client-fields';

/** What a client got: letters of one mailing or of any, ever or in the last days. */
export interface Receipt {
  mailingId?: number;
  days?: number;
}

/** A text, a number, true or false, a day as `YYYY-MM-DD`, an instant, several of them, or a receipt. */
export type FilterValue = string | number | boolean | readonly (string | number)[] | Receipt;

/** One condition. Stored, a tag is its id, so that a new name changes nothing; callers write and read names. */
export interface Condition {
  field: string;
  op: Operator;
  /** Absent for `isSet` and `isNotSet`. */
  value?: FilterValue;
}

/** Which clients of an owner belong to a segment. */
export type SegmentFilter =
  { all: readonly SegmentFilter[] } | { any: readonly SegmentFilter[] } | { not: SegmentFilter } | Condition;

export const operators = [
  'is',
  'isNot',
  'isOneOf',
  'contains',
  'startsWith',
  'endsWith',
  'isSet',
  'isNotSet',
  'before',
  'after',
  'inLastDays',
  'notInLastDays',
  'lt',
  'lte',
  'gt',
  'gte',
] as const;
export type Operator = (typeof operators)[number];

/** What a condition is about, beside the types of the owner's own fields. */
export type FilterType = FieldType | 'instant' | 'tag' | 'receipt' | 'result' | 'subscription';

const TEXT = ['is', 'isNot', 'isOneOf', 'contains', 'startsWith', 'endsWith', 'isSet', 'isNotSet'] as const;
const DAYS = ['is', 'isNot', 'before', 'after', 'inLastDays', 'notInLastDays', 'isSet', 'isNotSet'] as const;

/** The operators of each type, the usual one first. */
export const operatorsOf: Record<FilterType, readonly Operator[]> = {
  text: TEXT,
  number: ['is', 'isNot', 'isOneOf', 'lt', 'lte', 'gt', 'gte', 'isSet', 'isNotSet'],
  date: DAYS,
  instant: DAYS,
  boolean: ['is', 'isNot', 'isSet', 'isNotSet'],
  choice: ['is', 'isNot', 'isOneOf', 'isSet', 'isNotSet'],
  tag: ['is', 'isNot', 'isOneOf', 'isSet', 'isNotSet'],
  receipt: ['is', 'isNot', 'isSet', 'isNotSet', 'inLastDays', 'notInLastDays'],
  result: ['is', 'isNot', 'isOneOf', 'isSet', 'isNotSet'],
  subscription: ['is', 'isNot', 'isOneOf'],
};

/** Operators that say the contrary of another one. They hold for clients without a value, too. */
export const CONTRARY = {
  isNot: 'is',
  isNotSet: 'isSet',
  notInLastDays: 'inLastDays',
} as const satisfies Partial<Record<Operator, Operator>>;

/** How the last delivery of a client that has ended did end. */
export const lastResults = ['sent', 'failed', 'unknown', 'skipped', 'cancelled'] as const;

/** What every client has, by its name in filters. */
export const builtInFields = {
  email: 'text',
  domain: 'text',
  fullName: 'text',
  comment: 'text',
  createdAt: 'instant',
  tag: 'tag',
  subscription: 'subscription',
  received: 'receipt',
  notReceived: 'receipt',
  lastResult: 'result',
} as const satisfies Record<string, FilterType>;
export type BuiltInField = keyof typeof builtInFields;

/** The name of an owner's own field in filters. */
export const ownField = (key: string): string => `fields.${key}`;
/** The key of an own field, or null for a field that every client has. */
export const ownKey = (field: string): string | null => (field.startsWith('fields.') ? field.slice(7) : null);

/** Whether a name is that of a field which every client has. */
export const isBuiltIn = (field: string): field is BuiltInField => Object.hasOwn(builtInFields, field);

/** The names by which filters ask for an owner's clients. */
export const filterFields = (definitions: readonly Pick<FieldDefinition, 'key'>[]): string[] => [
  ...Object.keys(builtInFields),
  ...definitions.map(({ key }) => ownField(key)),
];

/** Levels of groups in each other, and conditions altogether. */
export const FILTER_DEPTH_MAX = 5;
export const CONDITIONS_MAX = 50;
/** The values of one `isOneOf`. */
export const VALUES_MAX = 100;
/** A filter as JSON, in bytes. */
export const FILTER_MAX_BYTES = 32_768;
export const DAYS_MAX = 36_500;

/** The conditions of a filter, in the order in which they stand there. */
export function conditionsOf(filter: SegmentFilter): Condition[] {
  if ('all' in filter) return filter.all.flatMap(conditionsOf);
  if ('any' in filter) return filter.any.flatMap(conditionsOf);
  return 'not' in filter ? conditionsOf(filter.not) : [filter];
}

/** The same filter with other conditions. */
export function mapConditions(filter: SegmentFilter, change: (condition: Condition) => Condition): SegmentFilter {
  const each = (part: SegmentFilter) => mapConditions(part, change);
  if ('all' in filter) return { all: filter.all.map(each) };
  if ('any' in filter) return { any: filter.any.map(each) };
  return 'not' in filter ? { not: each(filter.not) } : change(filter);
}

/** The values of a condition; none or one counts as a list, too. */
export function valuesOf({ value }: Condition): readonly (string | number | boolean)[] {
  if (value === undefined) return [];
  if (typeof value !== 'object') return [value];
  return Array.isArray(value) ? (value as readonly (string | number)[]) : [];
}

/** The receipt that a condition asks for. */
export const receiptOf = ({ value }: Condition): Receipt =>
  typeof value === 'object' && !Array.isArray(value) ? (value as Receipt) : {};

/** The ids of what a stored filter names. */
export function named(filter: SegmentFilter): { tags: number[]; mailings: number[]; fields: string[] } {
  const all = conditionsOf(filter);
  return {
    tags: all.filter(({ field }) => field === 'tag').flatMap((one) => valuesOf(one).map(Number)),
    mailings: all.map((one) => receiptOf(one).mailingId).filter((id) => id !== undefined),
    fields: all.map(({ field }) => ownKey(field)).filter((key) => key !== null),
  };
}

/** A stored filter as callers read it: with the names of tags. */
export const withTagNames = (filter: SegmentFilter, names: ReadonlyMap<number, string>): SegmentFilter =>
  mapConditions(filter, (condition) => {
    if (condition.field !== 'tag' || condition.value === undefined) return condition;
    const name = (id: unknown) => names.get(Number(id)) ?? `#${String(id)}`;
    const { value } = condition;
    return { ...condition, value: Array.isArray(value) ? value.map(name) : name(value) };
  });
