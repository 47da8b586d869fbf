import { valueText } from '../domain/client-fields';
import type { FieldDefinition } from '../domain/client-fields';
import {
  builtInFields,
  type Condition,
  type FilterType,
  isBuiltIn,
  type Operator,
  operatorsOf,
  ownField,
  receiptOf,
  type SegmentFilter,
  valuesOf,
} from '../domain/segment-filter';
import type { FieldProblems } from './texts/texts';
import type { FormValues } from './web-controller';

/** A condition of the form, as typed. */
export interface Row {
  field: string;
  op: string;
  /** Of `received` and `notReceived` the id of a mailing. */
  value: string;
  days: string;
  /** A part that the form can't show, as JSON: it is passed on. */
  kept?: string;
}

export interface Group {
  match: 'all' | 'any';
  rows: Row[];
}

/** The first group is the whole filter; the others stand within it. */
export type Groups = Group[];

/** At most so many groups and conditions a form has. */
const [GROUPS_MAX, ROWS_MAX] = [10, 50];

/** The fields on offer: those that every client has, then the owner's own. */
export const offered = (definitions: readonly FieldDefinition[]): { field: string; type: FilterType }[] => [
  ...definitions.map(({ key, type }) => ({ field: ownField(key), type })),
  ...Object.entries(builtInFields).map(([field, type]) => ({ field, type })),
];

export const typeOf = (field: string, definitions: readonly FieldDefinition[]): FilterType =>
  isBuiltIn(field) ? builtInFields[field] : (definitions.find(({ key }) => ownField(key) === field)?.type ?? 'text');

/** The operators that the form offers: of a receipt the fields say already whether it was received. */
export const operatorsFor = (type: FilterType): readonly Operator[] =>
  type === 'receipt' ? ['is'] : operatorsOf[type];

export function newRow(definitions: readonly FieldDefinition[]): Row {
  const [first] = offered(definitions);
  return { field: first?.field ?? 'email', op: operatorsFor(first?.type ?? 'text')[0] ?? 'is', value: '', days: '' };
}

/** What a form contains; a field whose type has other operators than before gets its first. */
export function groupsIn(values: FormValues, definitions: readonly FieldDefinition[]): Groups {
  const groups: Groups = [];
  for (let g = 0; g < GROUPS_MAX && values[`g${g}.match`] !== undefined; g++) {
    const rows: Row[] = [];
    for (let r = 0; r < ROWS_MAX; r++) {
      const of = (name: string) => values[`g${g}.${r}.${name}`];
      const kept = of('kept');
      const field = of('field');
      if (kept !== undefined) rows.push({ field: '', op: '', value: '', days: '', kept });
      else if (field !== undefined) {
        const options = operatorsFor(typeOf(field, definitions));
        const op = options.find((each) => each === of('op')) ?? options[0] ?? 'is';
        rows.push({ field, op, value: of('value') ?? '', days: of('days') ?? '' });
      }
    }
    groups.push({ match: values[`g${g}.match`] === 'any' ? 'any' : 'all', rows });
  }
  return groups.length > 0 ? groups : [{ match: 'all', rows: [] }];
}

/** The fields of a form that shows these groups: what `groupsIn` reads. */
export function fieldsOf(groups: Groups): FormValues {
  const fields: FormValues = {};
  for (const [g, { match, rows }] of groups.entries()) {
    fields[`g${g}.match`] = match;
    for (const [r, { kept, ...typed }] of rows.entries())
      for (const [name, value] of Object.entries(kept === undefined ? typed : { kept }))
        if (value !== '') fields[`g${g}.${r}.${name}`] = value;
  }
  return fields;
}

/** What a button of the form does: `add.1`, `remove.0.3`, `group`, `ungroup.2`. Others change nothing. */
export function changed(groups: Groups, what: string, definitions: readonly FieldDefinition[]): Groups {
  const [verb = '', group, row] = what.split('.');
  const [g, r] = [Number(group), Number(row)];
  const within = (change: (rows: Row[]) => Row[]) =>
    groups.map((each, i) => (i === g ? { ...each, rows: change(each.rows) } : each));
  switch (verb) {
    case 'add':
      return within((rows) => [...rows, newRow(definitions)].slice(0, ROWS_MAX));
    case 'remove':
      return within((rows) => rows.filter((_, i) => i !== r));
    case 'group':
      return [...groups, { match: 'any' as const, rows: [newRow(definitions)] }].slice(0, GROUPS_MAX);
    case 'ungroup':
      return groups.filter((_, i) => i !== g || i === 0);
    default:
      return groups;
  }
}

/** The filter of a form, and from which input each of its parts came, for the problems. */
export function filterOf(groups: Groups, definitions: readonly FieldDefinition[]) {
  const places = new Map<string, string>();
  const [root, ...inner] = groups;
  if (!root) return { filter: { all: [] } as unknown, places };
  const partsOf = (group: Group, g: number, path: string) =>
    group.rows.map((row, r) => {
      places.set(`${path}.${r}`, `g${g}.${r}`);
      return row.kept === undefined ? conditionOf(row, typeOf(row.field, definitions)) : parsed(row.kept);
    });
  const path = `filter.${root.match}`;
  const parts: unknown[] = partsOf(root, 0, path);
  inner.forEach((group, i) => {
    if (group.rows.length > 0)
      parts.push({ [group.match]: partsOf(group, i + 1, `${path}.${parts.length}.${group.match}`) });
  });
  return { filter: { [root.match]: parts } as unknown, places };
}

function conditionOf({ field, op, value, days }: Row, type: FilterType): unknown {
  if (type === 'receipt') {
    const receipt = { ...(value && { mailingId: Number(value) }), ...(days.trim() && { days: days.trim() }) };
    return { field, op: 'is', value: receipt };
  }
  if (op === 'isSet' || op === 'isNotSet') return { field, op };
  if (op !== 'isOneOf') return { field, op, value };
  const values = value.split(/[,\n]/).map((each) => each.trim());
  return { field, op, value: values.filter((each) => each !== '') };
}

/** The JSON of a kept part; null for what is none. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** The problems of a filter at the inputs that they are about; those of the whole filter at `filter`. */
export function placed(problems: FieldProblems, places: ReadonlyMap<string, string>): FieldProblems {
  const found: FieldProblems = {};
  for (const [path, text] of Object.entries(problems)) {
    const part = [...places.keys()]
      .filter((each) => path === each || path.startsWith(`${each}.`))
      .sort((a, b) => b.length - a.length)[0];
    const rest = part === undefined ? [] : path.slice(part.length + 1).split('.');
    const input = rest.includes('days') ? 'days' : rest[0] || 'value';
    const name = part === undefined ? (path.startsWith('filter') ? 'filter' : path) : `${places.get(part)}.${input}`;
    found[name] ??= text;
  }
  return found;
}

/** A filter, as callers read it, as the form shows it. What the form can't show is kept as it is. */
export function groupsOf(filter: SegmentFilter): Groups {
  const root: Group = { match: 'any' in filter ? 'any' : 'all', rows: [] };
  const parts = 'all' in filter ? filter.all : 'any' in filter ? filter.any : [filter];
  const inner: Groups = [];
  for (const part of parts) {
    const list = 'all' in part ? part.all : 'any' in part ? part.any : null;
    if (list === null || inner.length === GROUPS_MAX - 1) root.rows.push(rowOf(part));
    else inner.push({ match: 'any' in part ? 'any' : 'all', rows: list.map(rowOf) });
  }
  return [root, ...inner];
}

function rowOf(part: SegmentFilter): Row {
  const kept = { field: '', op: '', value: '', days: '', kept: JSON.stringify(part) };
  if (!('field' in part)) return kept;
  const { field, op } = part;
  if (field === 'received' || field === 'notReceived') {
    const { mailingId, days } = receiptOf(part);
    return { field, op, value: String(mailingId ?? ''), days: String(days ?? '') };
  }
  return isShown(part) ? { field, op, value: valuesOf(part).map(valueText).join(', '), days: '' } : kept;
}

/** Values with commas, and moments, have no input of their own. */
function isShown(condition: Condition): boolean {
  const values = valuesOf(condition).map(valueText);
  if (condition.op === 'isOneOf') return !values.some((value) => /[,\n]/.test(value));
  return !(condition.field === 'createdAt' && values.some((value) => value.length > 10 && /T/.test(value)));
}
