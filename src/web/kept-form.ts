import { createHash } from 'node:crypto';
import type { Changed } from '../domain/errors';
import type { FormDraft } from '../features/drafts/form-drafts.service';
import type { FormState, FormValues, Meanwhile } from './form-state';
import type { Reader } from './reader';

/** What belongs to one copy of a form, or only helps to fill it in, and not to what is typed into it. */
const OF_THE_COPY = [
  ...['_csrf', 'key', 'page', 'for', 'draft', 'then'],
  ...['previewId', 'previewOf', 'findMessage', 'findClient'],
];
const OF_THE_VERSION = ['version', 'was'];
/** For the script: the names of all fields that are no text of somebody. */
export const KEPT_APART = [...OF_THE_COPY, ...OF_THE_VERSION].join(' ');

/** What the form of a thing contains now, with its version. */
export interface Opened {
  values: FormValues;
  version: number;
}

/** The fields of a form that are worth keeping. */
export const keptFields = (form: FormValues): FormValues =>
  Object.fromEntries(Object.entries(form).filter(([name]) => !OF_THE_COPY.includes(name)));

/** Whether a draft is of what a form was sent with. */
export const isDraftOf = (draft: FormDraft, form: FormValues): boolean =>
  form.draft === draft.keptAt.toISOString() || same(draft.fields, keptFields(form));

/** The version that a form was opened with; undefined for a page that knew none. */
export const versionOf = ({ version }: FormValues): { version?: number } =>
  version !== undefined && /^\d{1,9}$/.test(version) ? { version: Number(version) } : {};

/**
 * A form as its page shows it: the reader's draft, if there is one that differs from what is saved. With the version of
 * its thing go hashes of the values, by which it is known later which fields were changed, and by whom.
 */
export function opened(reader: Pick<Reader, 'draft'>, values: FormValues, version?: number): FormState {
  const state = { values: { ...values, ...(version !== undefined && marks({ values, version })) }, problems: {} };
  const { draft } = reader;
  if (!draft || unitsOf(draft.fields, values).every((name) => same(part(draft.fields, name), part(values, name))))
    return state;
  return { ...state, values: draft.fields, draftOf: draft.keptAt };
}

const marks = ({ values, version }: Opened) => ({
  version: String(version),
  was: new URLSearchParams(
    unitsOf(values).map((name): [string, string] => [name, hashOf(part(values, name))]),
  ).toString(),
});

/**
 * The form of somebody who was late: what they changed stays, what only others changed is as these saved it, and the
 * version is the present one.
 */
export function afterChange(form: FormValues, now: Opened, changed: Changed): FormState {
  const was = new URLSearchParams(form.was ?? '');
  const values: FormValues = {};
  const meanwhile: Meanwhile = { ...changed, differences: [], taken: [] };
  for (const name of unitsOf(form, now.values)) {
    const [mine, theirs] = [part(form, name), part(now.values, name)];
    const before = was.get(name) ?? hashOf({});
    const isTaken = !same(mine, theirs) && hashOf(mine) === before;
    if (isTaken) meanwhile.taken.push(name);
    else if (!same(mine, theirs) && hashOf(theirs) !== before) meanwhile.differences.push({ name, theirs, mine });
    Object.assign(values, isTaken ? theirs : mine);
  }
  return {
    values: { ...values, ...marks(now), page: form.page ?? '', ...(form.draft && { draft: form.draft }) },
    problems: {},
    meanwhile,
  };
}

/** The conditions of a segment mean something only together. */
const unitOf = (name: string): string => (/^g\d+\./.test(name) ? 'filter' : name);

const unitsOf = (...forms: FormValues[]): string[] => [
  ...new Set(
    forms
      .flatMap((form) => Object.keys(keptFields(form)))
      .filter((name) => !OF_THE_VERSION.includes(name))
      .map(unitOf),
  ),
];

const part = (form: FormValues, unit: string): FormValues =>
  Object.fromEntries(Object.entries(form).filter(([name]) => unitOf(name) === unit));

/** Line breaks come back from browsers in another form; a box without a tick is not sent at all. */
const canonical = (values: FormValues): string =>
  JSON.stringify(
    Object.entries(values)
      .map(([name, value]) => [name, value.replace(/\r\n?/g, '\n')])
      .filter(([, value]) => value !== '')
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );

const same = (one: FormValues, other: FormValues): boolean => canonical(one) === canonical(other);

const hashOf = (values: FormValues): string =>
  createHash('sha256').update(canonical(values)).digest('base64url').slice(0, 10);
