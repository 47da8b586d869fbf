import type { Type } from '@nestjs/common';

/** JSON Schema, as OpenAPI 3.1 has it. */
export type Schema = Record<string, unknown>;

/** A value of an answer: its schema and, as `T`, its TypeScript type. */
export interface Kind<T> {
  readonly schema: Schema;
  readonly optional?: boolean;
  /** Never set: it carries the type. */
  readonly example?: T;
}

type Fields = Record<string, Kind<unknown>>;
type ValueOf<K> = K extends Kind<infer T> ? T : never;
type OptionalKey<F extends Fields> = { [N in keyof F]: undefined extends ValueOf<F[N]> ? N : never }[keyof F];
type Values<F extends Fields> = { [N in Exclude<keyof F, OptionalKey<F>>]: ValueOf<F[N]> } & {
  [N in OptionalKey<F>]?: Exclude<ValueOf<F[N]>, undefined>;
};

export interface ShapeClass<V> {
  new (): V;
  readonly fields: Fields;
  /** Picks the declared fields of an object that has more. */
  of(from: V): V;
}

const components = new Map<string, Schema>();

/** Every schema that has a name, for the document's `components`. */
export const namedSchemas = (): Record<string, Schema> =>
  Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Gives a schema a name in the document. @throws Error if another schema has the name */
export function named(name: string, schema: Schema): Schema {
  const known = components.get(name);
  if (known && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`Two schemas are called ${name}.`);
  components.set(name, schema);
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * The base of a class whose instances are JSON objects of an answer: `class ClientAnswer extends Shape({ id, email:
 * text }) {}` is the type of what a handler returns and, as `Client`, the schema in the document.
 */
export function Shape<F extends Fields>(fields: F): ShapeClass<Values<F>> {
  const base = class {
    static readonly fields = fields;
    static of(from: Record<string, unknown>): unknown {
      return Object.fromEntries(Object.keys(fields).map((name) => [name, from[name]]));
    }
  };
  return base as unknown as ShapeClass<Values<F>>;
}

function objectOf(fields: Fields): Schema {
  const entries = Object.entries(fields);
  const required = entries.filter(([, kind]) => !kind.optional).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, kind]) => [name, kind.schema])),
    ...(required.length > 0 && { required }),
  };
}

const kind = <T>(schema: Schema): Kind<T> => ({ schema });

export const ID_SCHEMA = { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

export const id = kind<number>(ID_SCHEMA);
export const count = kind<number>({ type: 'integer', minimum: 0 });
export const whole = kind<number>({ type: 'integer' });
/** From 0 to 1, or more. */
export const share = kind<number>({ type: 'number', minimum: 0 });
export const text = kind<string>({ type: 'string' });
export const flag = kind<boolean>({ type: 'boolean' });
export const time = kind<Date>({ type: 'string', format: 'date-time' });
/** A time that is already a text, formatted by Postgres. */
export const timeText = kind<string>({ type: 'string', format: 'date-time' });
/** `2027-03-14` */
export const day = kind<string>({ type: 'string', format: 'date' });
/** An object with any fields. */
export const details = kind<Record<string, unknown>>({ type: 'object', additionalProperties: true });

/** A number for each of these names that has one. */
export const counts = <const V extends string>(names: readonly V[]) =>
  kind<Partial<Record<V, number>>>({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'integer', minimum: 0 }])),
    additionalProperties: false,
  });

export const oneOf = <const V extends string>(values: readonly V[]) => kind<V>({ type: 'string', enum: values });

export const nullable = <T>({ schema }: Kind<T>): Kind<T | null> => kind(orNull(schema));

/** May be absent, but is never null. */
export const maybe = <T>({ schema }: Kind<T>): Kind<T | undefined> => ({ schema, optional: true });

export const listOf = <T>(items: Kind<T>): Kind<T[]> => kind({ type: 'array', items: items.schema });

/** A value with a sentence about it. */
export const said = <T>(description: string, { schema, ...rest }: Kind<T>): Kind<T> => ({
  ...rest,
  schema: { ...schema, description },
});

/** An object of another shape. */
export const part = <V>(shape: ShapeClass<V> | Type<V>): Kind<V> =>
  kind(named(schemaName(shape), objectOf((shape as ShapeClass<V>).fields)));

/** One page of a list; `total` is there with `withTotal=true`. */
export function pageOf<V>(shape: ShapeClass<V>): Kind<{ items: V[]; nextCursor: string | null; total?: number }> {
  const fields = { items: listOf(part(shape)), nextCursor: nullable(text), total: maybe(count) };
  return kind(named(`${schemaName(shape)}Page`, objectOf(fields)));
}

const schemaName = ({ name }: { name: string }) => name.replace(/Answer$/, '');

/** The same schema, or null. */
export function orNull(schema: Schema): Schema {
  if ('$ref' in schema) return { anyOf: [schema, { type: 'null' }] };
  const { type, enum: values } = schema;
  return { ...schema, type: [type, 'null'], ...(Array.isArray(values) && { enum: [...(values as unknown[]), null] }) };
}
