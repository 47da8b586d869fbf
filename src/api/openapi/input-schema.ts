import type { Type } from '@nestjs/common';
import { getMetadataStorage, ValidateBy } from 'class-validator';
import { ID_SCHEMA, named, orNull, type Schema } from './shape';

/**
 * Adds facts to a field's schema that its validators do not contain, such as a format or a description. Validates
 * nothing.
 */
export const Said = (schema: Schema) =>
  ValidateBy({ name: 'said', constraints: [schema], validator: { validate: () => true } });

/** What each validator enforces, as JSON Schema. */
const RULES = {
  isString: () => ({ type: 'string' }),
  isBoolean: () => ({ type: 'boolean' }),
  isInt: () => ({ type: 'integer' }),
  isArray: () => ({ type: 'array' }),
  isObject: () => ({ type: 'object' }),
  isId: () => ID_SCHEMA,
  isIds: () => ({ type: 'array', items: ID_SCHEMA }),
  isIn: ([values]) => ({ type: 'string', enum: values }),
  min: ([minimum]) => ({ minimum }),
  max: ([maximum]) => ({ maximum }),
  maxLength: ([maxLength]) => ({ maxLength }),
  arrayMaxSize: ([maxItems]) => ({ maxItems }),
  said: ([schema]) => schema as Schema,
} satisfies Record<string, (constraints: unknown[]) => Schema>;

/** The validators that bodies and queries may use: those that the document and the field problems can describe. */
export type Validator = keyof typeof RULES;

export interface InputField {
  name: string;
  required: boolean;
  /** Whether null means an absent value; a query has no null. */
  takesNull: boolean;
  schema: Schema;
}

export const rulesOf = (input: Type) => getMetadataStorage().getTargetValidationMetadatas(input, '', false, false);
type Rule = ReturnType<typeof rulesOf>[number];

/** The fields of a body or query, derived from its validators. @throws Error for a validator that has no rule here */
export function inputFields(input: Type): InputField[] {
  const rules = rulesOf(input);
  const defaults = new input() as Record<string, unknown>;
  const names = [...new Set(rules.map((rule) => rule.propertyName))];
  return names.map((name) => {
    const ofField = rules.filter((rule) => rule.propertyName === name);
    return fieldOf(name, ofField, defaults[name], Object.fromEntries(names.map((other) => [other, null])));
  });
}

/** @param whole all fields: one that may be absent only beside another one is not required */
function fieldOf(name: string, rules: Rule[], byDefault: unknown, whole: Record<string, unknown>): InputField {
  const conditions = rules.filter((rule) => rule.type === 'conditionalValidation');
  /** Whether the field's validators run for this value. */
  const checked = (value: unknown) =>
    conditions.every(({ constraints: [asks] }) =>
      (asks as (object: unknown, value: unknown) => boolean)({ ...whole, [name]: value }, value),
    );
  // `Said` comes last, because it narrows the schema of the others.
  const sorted = rules.filter((rule) => !conditions.includes(rule)).sort((a, b) => +isSaid(a) - +isSaid(b));
  const of = (each: boolean) =>
    Object.assign({}, ...sorted.filter((rule) => Boolean(rule.each) === each).map(schemaOf)) as Schema;
  const items = of(true);
  const schema = { ...of(false), ...(Object.keys(items).length > 0 && { items }) };
  return {
    name,
    required: byDefault === undefined && checked(undefined),
    takesNull: !checked(null),
    schema: { ...schema, ...(byDefault !== undefined && { default: byDefault }) },
  };
}

const isSaid = (rule: Rule) => rule.name === 'said';

function schemaOf({ name, constraints, propertyName }: Rule): Schema {
  const rule = name !== undefined && name in RULES ? RULES[name as Validator] : null;
  if (!rule) throw new Error(`Say in input-schema.ts what the validator ${name} of ${propertyName} means.`);
  return rule((constraints as unknown[] | undefined) ?? []);
}

/** A body's schema, under its class's name; unknown fields are refused. */
export function inputSchema(input: Type): { schema: Schema; required: boolean } {
  const fields = inputFields(input);
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  const properties = Object.fromEntries(
    fields.map(({ name, schema, takesNull }) => [name, takesNull ? orNull(schema) : schema]),
  );
  const schema = { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
  return { schema: named(input.name, schema), required: required.length > 0 };
}
