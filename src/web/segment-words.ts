import { isBuiltIn, ownKey, type Condition, receiptOf, type SegmentFilter, valuesOf } from '../domain/segment-filter';
import type { FilterNames } from '../features/clients/segment-context';
import type { Formats } from './formats';
import type { Texts } from './texts/texts';
import { mailingTitle } from './mailing-title';

/** In whose language, and what things are called. */
export interface Wording {
  t: Texts;
  format: Formats;
  names: FilterNames;
}

/** The same as a sentence of its own. */
export function filterSentence(filter: SegmentFilter, wording: Wording): string {
  const words = filterWords(filter, wording);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A filter in words: `City is Moscow and (Tag is VIP or Tag is New)`. Tags may be ids or names. */
export function filterWords(filter: SegmentFilter, wording: Wording): string {
  const words = wording.t.segments;
  const inner = (part: SegmentFilter): string => {
    const text = filterWords(part, wording);
    const parts = 'all' in part ? part.all : 'any' in part ? part.any : [];
    return parts.length > 1 ? `(${text})` : text;
  };
  if ('all' in filter) return joined(filter.all, words.and, inner, wording);
  if ('any' in filter) return joined(filter.any, words.or, inner, wording);
  return 'not' in filter ? words.not(filterWords(filter.not, wording)) : conditionWords(filter, wording);
}

/** A group of one is that one: no parentheses. */
const joined = (
  parts: readonly SegmentFilter[],
  word: string,
  inner: (part: SegmentFilter) => string,
  wording: Wording,
): string => {
  const [first] = parts;
  return parts.length === 1 && first ? filterWords(first, wording) : parts.map(inner).join(word);
};

function conditionWords(condition: Condition, wording: Wording): string {
  const { t, names } = wording;
  const { field, op } = condition;
  if (field === 'received' || field === 'notReceived') {
    const { mailingId, days } = receiptOf(condition);
    const mailing =
      mailingId === undefined ? null : mailingTitle({ id: mailingId, name: names.mailings.get(mailingId) ?? '' }, t);
    return t.segments.got(field === 'received', mailing, days ?? null);
  }
  const values = valuesOf(condition).map((value) => valueWords(field, value, wording));
  return t.segments.says(fieldWords(field, wording), op, values.join(', '));
}

/** What a field is called on pages. */
export function fieldWords(field: string, { t, names }: Pick<Wording, 't' | 'names'>): string {
  if (isBuiltIn(field)) return t.segments.fields[field];
  const key = ownKey(field);
  return names.fields.find((each) => each.key === key)?.label ?? key ?? field;
}

function valueWords(field: string, value: string | number | boolean, { t, format, names }: Wording): string {
  if (field === 'tag') return names.tags.get(Number(value)) ?? String(value);
  if (field === 'subscription') return t.segments.subscription[value as keyof typeof t.segments.subscription];
  if (field === 'lastResult') return t.deliveryStatus[value as keyof typeof t.deliveryStatus];
  if (typeof value === 'boolean') return value ? t.segments.yes : t.segments.no;
  if (typeof value === 'number') return String(value);
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return format.longDay(value);
  return /^\d{4}-\d\d-\d\dT/.test(value) && field === 'createdAt' ? format.time(value) : value;
}
