import { checkValue, type FieldDefinition } from './client-fields';
import { emailKey } from './email-address';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import { parseInstant } from './schedule-input';
import {
  builtInFields,
  type Condition,
  CONDITIONS_MAX,
  DAYS_MAX,
  FILTER_DEPTH_MAX,
  FILTER_MAX_BYTES,
  filterFields,
  type FilterType,
  type FilterValue,
  isBuiltIn,
  lastResults,
  type Operator,
  operatorsOf,
  ownKey,
  type Receipt,
  type SegmentFilter,
  VALUES_MAX,
} from './segment-filter';
import { subscriptionStatuses } from './subscription';
import { similarTo } from './similar';

/** What a filter may name. */
export interface FilterContext {
  fields: readonly FieldDefinition[];
  /** The ids of the tags that the filter names, by the name as it is written there. */
  tags: ReadonlyMap<string, number>;
  /** Names to suggest for one that is unknown. */
  tagNames: readonly string[];
  /** Those of the mailings it names that there are. */
  mailings: ReadonlySet<number>;
}

export type CheckedFilter = { ok: true; filter: SegmentFilter } | { ok: false; errors: FieldProblem[] };

/**
 * A filter from a request or a form, in the form in which it is stored: values as their type wants them, tags as ids.
 * Every problem is found with its path, `filter.all.2.value`.
 */
export function checkFilter(given: unknown, context: FilterContext): CheckedFilter {
  const check = new FilterCheck(context);
  const filter = check.part(given, 'filter', 0);
  if (filter && check.errors.length === 0 && Buffer.byteLength(JSON.stringify(filter)) > FILTER_MAX_BYTES)
    check.errors.push(...at('filter', problem('too_long', { max: FILTER_MAX_BYTES })));
  return filter && check.errors.length === 0 ? { ok: true, filter } : { ok: false, errors: check.errors };
}

/** The names of tags and the ids of mailings in any JSON, so that they can be looked up before it is checked. */
export function mentioned(given: unknown): { tags: string[]; mailings: number[] } {
  const tags = new Set<string>();
  const mailings = new Set<number>();
  const look = (part: unknown, depth: number): void => {
    if (typeof part !== 'object' || part === null || depth > FILTER_DEPTH_MAX) return;
    const { all, any, not, field, value } = part as Record<string, unknown>;
    for (const list of [all, any]) if (Array.isArray(list)) for (const each of list) look(each, depth + 1);
    look(not, depth + 1);
    if (field === 'tag')
      for (const name of Array.isArray(value) ? value : [value]) if (typeof name === 'string') tags.add(name);
    const { mailingId } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    for (const id of [mailingId, value]) if (isId(id)) mailings.add(id);
  };
  look(given, 0);
  return { tags: [...tags], mailings: [...mailings] };
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const GROUPS = ['all', 'any', 'not'] as const;

class FilterCheck {
  readonly errors: FieldProblem[] = [];
  private conditions = 0;

  constructor(private readonly context: FilterContext) {}

  part(given: unknown, path: string, depth: number): SegmentFilter | null {
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      return this.wrong(path, problem('filter_shape'));
    const group = GROUPS.find((name) => Object.hasOwn(given, name));
    const names = Object.keys(given);
    const stranger = names.find((name) => !(group ? [group] : ['field', 'op', 'value']).includes(name));
    if (stranger !== undefined) return this.wrong(`${path}.${stranger.slice(0, 60)}`, problem('unknown_field'));
    if (!group) return this.condition(given as Record<string, unknown>, path);
    if (depth === FILTER_DEPTH_MAX) return this.wrong(path, problem('filter_too_deep', { max: FILTER_DEPTH_MAX }));
    const inner = (given as Record<string, unknown>)[group];
    if (group === 'not') {
      const negated = this.part(inner, `${path}.not`, depth + 1);
      return negated && { not: negated };
    }
    if (!Array.isArray(inner)) return this.wrong(`${path}.${group}`, problem('wrong_type', { wanted: 'list' }));
    if (inner.length === 0) return this.wrong(`${path}.${group}`, problem('filter_empty'));
    const parts: SegmentFilter[] = [];
    for (const [i, each] of inner.entries()) {
      const part = this.part(each, `${path}.${group}.${i}`, depth + 1);
      if (part) parts.push(part);
      if (this.conditions > CONDITIONS_MAX) break;
    }
    return group === 'all' ? { all: parts } : { any: parts };
  }

  private condition({ field, op, value }: Record<string, unknown>, path: string): Condition | null {
    if (++this.conditions === CONDITIONS_MAX + 1)
      return this.wrong('filter', problem('too_many_conditions', { max: CONDITIONS_MAX }));
    if (this.conditions > CONDITIONS_MAX) return null;
    if (field === undefined) return this.wrong(path, problem('filter_shape'));
    if (typeof field !== 'string') return this.wrong(`${path}.field`, problem('wrong_type', { wanted: 'string' }));
    const definition = this.definition(field);
    if (!definition) {
      const key = field.length > 60 ? `${field.slice(0, 60)}…` : field;
      const similar = similarTo(field, filterFields(this.context.fields));
      return this.wrong(`${path}.field`, problem('no_such_field', { key, similar }));
    }
    const { type } = definition;
    const asked = op ?? (type === 'receipt' ? 'is' : undefined);
    const options = operatorsOf[type];
    const operator = options.find((each) => each === asked);
    if (asked === undefined) return this.wrong(`${path}.op`, problem('required'));
    if (!operator) return this.wrong(`${path}.op`, problem('wrong_operator', { type, options }));
    if (type === 'receipt') return this.receipt(field, operator, value, `${path}.value`);
    const checked = this.value(definition, operator, value, `${path}.value`);
    if (checked === null) return null;
    return checked === undefined ? { field, op: operator } : { field, op: operator, value: checked };
  }

  private definition(field: string): (Omit<FieldDefinition, 'type'> & { type: FilterType }) | undefined {
    if (isBuiltIn(field)) return { key: field, label: '', options: [], type: builtInFields[field] };
    const key = ownKey(field);
    return this.context.fields.find((each) => each.key === key);
  }

  /** Undefined: the operator takes none. Null: it is wrong. */
  private value(
    definition: Omit<FieldDefinition, 'type'> & { type: FilterType },
    op: Operator,
    value: unknown,
    path: string,
  ): FilterValue | null | undefined {
    if (op === 'isSet' || op === 'isNotSet')
      return [undefined, null, '', true].includes(value as null)
        ? undefined
        : this.wrong(path, problem('value_not_wanted', { op }));
    if (op === 'inLastDays' || op === 'notInLastDays') return this.days(value, path);
    if (op !== 'isOneOf') return this.single(definition, op, value, path);
    if (!Array.isArray(value)) return this.wrong(path, problem('wrong_type', { wanted: 'list' }));
    if (value.length === 0) return this.wrong(path, problem('required'));
    if (value.length > VALUES_MAX) return this.wrong(path, problem('too_many_values', { max: VALUES_MAX }));
    const values = value.map((each, i) => this.single(definition, op, each, `${path}.${i}`));
    return values.includes(null) ? null : [...new Set(values as (string | number)[])];
  }

  private single(
    definition: Omit<FieldDefinition, 'type'> & { type: FilterType },
    op: Operator,
    value: unknown,
    path: string,
  ): string | number | boolean | null {
    const { type, key } = definition;
    if (value === undefined || value === null || value === '') return this.wrong(path, problem('required'));
    if (type === 'tag') return this.tag(value, path);
    if (type === 'result') return this.option(lastResults, value, path);
    if (type === 'subscription') return this.option(subscriptionStatuses, value, path);
    if (type === 'receipt') return null;
    if (type === 'instant') {
      const instant = typeof value === 'string' && value.length > 10 ? parseInstant(value) : null;
      if (instant instanceof Date && (op === 'before' || op === 'after')) return instant.toISOString();
      return this.checked({ ...definition, type: 'date' }, value, path);
    }
    const checked = this.checked({ ...definition, type }, value, path);
    // An address is stored in one form, whatever the form in which people write it.
    return key === 'email' && typeof checked === 'string' && WHOLE.has(op) ? (emailKey(checked) ?? checked) : checked;
  }

  private checked(definition: FieldDefinition, value: unknown, path: string) {
    const checked = checkValue(definition, value);
    if (!checked.ok) return this.wrong(path, checked.problem);
    return checked.value ?? this.wrong(path, problem('required'));
  }

  private tag(value: unknown, path: string): number | null {
    if (typeof value !== 'string') return this.wrong(path, problem('wrong_type', { wanted: 'string' }));
    const id = this.context.tags.get(value);
    if (id !== undefined) return id;
    const name = value.length > 60 ? `${value.slice(0, 60)}…` : value;
    return this.wrong(path, problem('no_such_tag', { name, similar: similarTo(value, this.context.tagNames) }));
  }

  private option(options: readonly string[], value: unknown, path: string): string | null {
    return options.find((each) => each === value) ?? this.wrong(path, problem('one_of', { options }));
  }

  private days(value: unknown, path: string): number | null {
    const days = typeof value === 'string' && /^\d{1,6}$/.test(value.trim()) ? Number(value) : value;
    if (!Number.isSafeInteger(days)) return this.wrong(path, problem('wrong_type', { wanted: 'integer' }));
    if ((days as number) < 1) return this.wrong(path, problem('too_small', { min: 1 }));
    return (days as number) > DAYS_MAX ? this.wrong(path, problem('too_large', { max: DAYS_MAX })) : (days as number);
  }

  /** Every way to say it becomes `received` or `notReceived` with `is` and what was received. */
  private receipt(field: string, op: Operator, value: unknown, path: string): Condition | null {
    const found = this.receiptOf(op, value, path);
    if (!found) return null;
    const isContrary = op === 'isNot' || op === 'isNotSet' || op === 'notInLastDays';
    const received = (field === 'received') !== isContrary;
    return { field: received ? 'received' : 'notReceived', op: 'is', value: found };
  }

  private receiptOf(op: Operator, value: unknown, path: string): Receipt | null {
    if (op === 'isSet' || op === 'isNotSet' || value === undefined || value === null) return {};
    if (op === 'inLastDays' || op === 'notInLastDays') {
      const days = this.days(value, path);
      return days === null ? null : { days };
    }
    const given = typeof value === 'number' ? { mailingId: value } : value;
    if (typeof given !== 'object' || Array.isArray(given))
      return this.wrong(path, problem('wrong_type', { wanted: 'object' }));
    const stranger = Object.keys(given).find((name) => name !== 'mailingId' && name !== 'days');
    if (stranger !== undefined) return this.wrong(`${path}.${stranger.slice(0, 60)}`, problem('unknown_field'));
    const { mailingId, days } = given as Record<string, unknown>;
    const receipt: Receipt = {};
    if (mailingId !== undefined && mailingId !== null) {
      if (!isId(mailingId)) return this.wrong(`${path}.mailingId`, problem('wrong_type', { wanted: 'id' }));
      if (!this.context.mailings.has(mailingId))
        return this.wrong(`${path}.mailingId`, problem('unknown_mailing', { id: mailingId }));
      receipt.mailingId = mailingId;
    }
    if (days !== undefined && days !== null) {
      const checked = this.days(days, `${path}.days`);
      if (checked === null) return null;
      receipt.days = checked;
    }
    return receipt;
  }

  private wrong(field: string, found: CodedProblem): null {
    this.errors.push(...at(field, found));
    return null;
  }
}

const WHOLE: ReadonlySet<Operator> = new Set(['is', 'isNot', 'isOneOf']);
