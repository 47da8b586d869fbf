import { Temporal } from 'temporal-polyfill';
import { singleLineProblem } from './email-address';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import { similarTo } from './similar';

/** What a field of clients holds. A `choice` is one of the texts in `options`. */
export const fieldTypes = ['text', 'number', 'date', 'boolean', 'choice'] as const;
export type FieldType = (typeof fieldTypes)[number];

/** A field that an owner defined: data, so that a new one changes no code. */
export interface FieldDefinition {
  /** Names it in templates (`client.city`), files, filters and REST; unique for its owner whatever the case. */
  key: string;
  /** Names it on pages. */
  label: string;
  type: FieldType;
  /** Of a choice; else empty. */
  options: readonly string[];
}

/** A text, a number, true or false, a day as `YYYY-MM-DD`. */
export type FieldValue = string | number | boolean;
/** By the field's key. A field without a value is absent. */
export type FieldValues = Readonly<Record<string, FieldValue>>;

export const FIELDS_MAX = 50;
export const OPTIONS_MAX = 100;
/** A client's values together, as JSON, in bytes. */
export const VALUES_MAX_BYTES = 8_192;
const TEXT_MAX = 2_000;
const NAME_MAX = 100;
const KEY = /^[a-zA-Z][a-zA-Z0-9_]{0,39}$/;
/** The replacement character, and halves of a pair of UTF-16, which `jsonb` refuses. */
const BROKEN = /\ufffd|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** The names of what every client has, in lower case and without underscores: no field may be called so. */
const OWN_NAMES = new Set(
  (
    'id ownerid owner email emailaddress domain name fullname firstname middlename lastname comment createdat updatedat ' +
    'field fields tag tags segment subscription suppression received notreceived lastresult deliveries client mailing sender'
  ).split(' '),
);

const nameOf = (key: string) => key.toLowerCase().replaceAll('_', '');

/** The rules for a definition, those with which it would be in conflict left out. */
export function checkDefinition({ key, label, type, options }: FieldDefinition): FieldProblem[] {
  const doubled = options.find((option, i) => options.indexOf(option) !== i);
  return [
    ...at('key', keyProblem(key)),
    ...at('label', label === '' ? problem('empty') : singleLineProblem(label, NAME_MAX)),
    ...at('type', fieldTypes.includes(type) ? null : problem('one_of', { options: fieldTypes })),
    ...at('options', type === 'choice' && options.length === 0 ? problem('required') : null),
    ...at('options', type !== 'choice' && options.length > 0 ? problem('unknown_field') : null),
    ...at('options', options.length > OPTIONS_MAX ? problem('too_many', { max: OPTIONS_MAX, what: 'options' }) : null),
    ...at('options', doubled === undefined ? null : problem('repeated_option', { option: doubled })),
    ...options
      .slice(0, OPTIONS_MAX)
      .flatMap((option, i) => [
        ...at(`options.${i}`, option.trim() === '' ? problem('empty') : singleLineProblem(option, NAME_MAX)),
      ]),
  ];
}

/** Whether a text can be the key of a field. Names of JavaScript's own (`constructor`) can't. */
export function keyProblem(key: string): CodedProblem | null {
  if (!KEY.test(key)) return problem('field_key');
  return OWN_NAMES.has(nameOf(key)) || key in {} ? problem('field_key_reserved', { key }) : null;
}

export type CheckedValue = { ok: true; value: FieldValue | null } | { ok: false; problem: CodedProblem };

const fine = (value: FieldValue | null): CheckedValue => ({ ok: true, value });
const wrong = (found: CodedProblem): CheckedValue => ({ ok: false, problem: found });

/**
 * A value of a field from a form, a request or a file: as the type wants it, or as the text that people write for it
 * (`1 234,5`, `31.12.2026`, `да`). Nothing, or an empty text, is no value (null).
 */
export function checkValue({ type, options }: FieldDefinition, given: unknown): CheckedValue {
  if (given === null || given === undefined) return fine(null);
  if (typeof given === 'boolean')
    return type === 'boolean' ? fine(given) : wrong(problem('wrong_type', { wanted: 'string' }));
  if (typeof given === 'number') {
    // Of two zeros JSON knows one.
    if (type === 'number' && Number.isFinite(given)) return fine(given + 0);
    if (type === 'boolean') return booleanOf(String(given));
    return type === 'text' || type === 'choice'
      ? checkValue({ key: '', label: '', type, options }, String(given))
      : wrong(WANTED[type]);
  }
  if (typeof given !== 'string') return wrong(problem('wrong_type', { wanted: 'string' }));
  const text = given.replace(/\r\n?/g, '\n').trim();
  if (text === '') return fine(null);
  switch (type) {
    case 'text':
      return textOf(text);
    case 'number':
      return numberOf(text);
    case 'date':
      return dayOf(text);
    case 'boolean':
      return booleanOf(text);
    case 'choice':
      return choiceOf(text, options);
  }
}

const WANTED: Record<FieldType, CodedProblem> = {
  text: problem('wrong_type', { wanted: 'string' }),
  choice: problem('wrong_type', { wanted: 'string' }),
  number: problem('number'),
  date: problem('day'),
  boolean: problem('yes_no'),
};

function textOf(text: string): CheckedValue {
  if (text.length > TEXT_MAX) return wrong(problem('too_long', { max: TEXT_MAX }));
  if (BROKEN.test(text)) return wrong(problem('broken_character'));
  return CONTROLS.test(text) ? wrong(problem('controls')) : fine(text);
}

/** With a point or a comma before the decimals; blanks may stand between groups of three digits. */
function numberOf(text: string): CheckedValue {
  const plain = text.replace(/^\u2212/, '-').replace(/(\d)[ \u00a0\u202f](?=\d{3}(?:\D|$))/g, '$1');
  if (!/^[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d{1,3})?$/.test(plain) || plain.length > 40)
    return wrong(problem('number'));
  const value = Number(plain.replace(',', '.')) + 0;
  return Number.isFinite(value) ? fine(value) : wrong(problem('number'));
}

/** ISO 8601 (of a time its day), or day, month and year with dots. With slashes nobody knows which is the month. */
function dayOf(text: string): CheckedValue {
  const iso = /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ].{0,40})?$/.exec(text);
  const dotted = /^(\d\d?)\.(\d\d?)\.(\d{4})(?: .{0,20})?$/.exec(text);
  const [year, month, day] = iso ? iso.slice(1).map(Number) : dotted ? dotted.slice(1).reverse().map(Number) : [];
  try {
    if (year === undefined || year < 1) return wrong(problem('day'));
    return fine(Temporal.PlainDate.from({ year, month: month!, day: day! }, { overflow: 'reject' }).toString());
  } catch {
    return wrong(problem('day'));
  }
}

const YES = new Set('true yes y 1 on да ja oui si sí x ✓ +'.split(' '));
const NO = new Set('false no n 0 off нет nein non -'.split(' '));

function booleanOf(text: string): CheckedValue {
  const word = text.toLowerCase();
  if (YES.has(word)) return fine(true);
  return NO.has(word) ? fine(false) : wrong(problem('yes_no'));
}

/** As it is written in the definition, whatever the case. */
function choiceOf(text: string, options: readonly string[]): CheckedValue {
  const folded = text.toLowerCase();
  const option = options.find((o) => o === text) ?? options.find((o) => o.toLowerCase() === folded);
  return option === undefined ? wrong(problem('one_of', { options })) : fine(option);
}

/** What changes in a client's values: null takes a value away. */
export type FieldChange = Readonly<Record<string, FieldValue | null>>;

/**
 * The values of a request, by key; those of unknown keys are refused, with the key that was probably meant.
 * @param given any object of a caller
 */
export function checkValues(
  definitions: readonly FieldDefinition[],
  given: Readonly<Record<string, unknown>>,
): { change: FieldChange; errors: FieldProblem[] } {
  const byKey = new Map(definitions.map((definition) => [definition.key, definition]));
  const change: Record<string, FieldValue | null> = {};
  const errors: FieldProblem[] = [];
  for (const [key, value] of Object.entries(given)) {
    const definition = byKey.get(key);
    if (!definition) {
      const shown = key.length > 60 ? `${key.slice(0, 60)}…` : key;
      errors.push(
        ...at(`fields.${shown}`, problem('no_such_field', { key: shown, similar: similarTo(key, [...byKey.keys()]) })),
      );
      continue;
    }
    const checked = checkValue(definition, value);
    if (checked.ok) change[key] = checked.value;
    else errors.push(...at(`fields.${key}`, checked.problem));
  }
  return { change, errors };
}

/** A client's values after a change. */
export function changedValues(values: FieldValues, change: FieldChange): FieldValues {
  const entries = Object.entries({ ...values, ...change });
  return Object.fromEntries(entries.filter((entry): entry is [string, FieldValue] => entry[1] !== null));
}

/** Whether a client may have all of these. */
export const valuesProblem = (values: FieldValues): CodedProblem | null =>
  Buffer.byteLength(JSON.stringify(values)) > VALUES_MAX_BYTES
    ? problem('fields_too_long', { max: VALUES_MAX_BYTES })
    : null;

/** A value as a form and a CSV file show it; `checkValue` reads it back. */
export function valueText(value: FieldValue | null | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** A made-up client, for a letter that is looked at without one. */
export const SAMPLE_CLIENT = { fullName: 'Anna Example', email: 'anna@example.com', comment: '' };

/** Made-up values of the owner's fields, for such a letter. */
export const sampleValues = (definitions: readonly FieldDefinition[]): FieldValues =>
  Object.fromEntries(
    definitions.map((definition) => [
      definition.key,
      SAMPLES[definition.type] ?? definition.options[0] ?? definition.label,
    ]),
  );

const SAMPLES: Partial<Record<FieldType, FieldValue>> = { number: 42, date: '2027-03-14', boolean: true };
