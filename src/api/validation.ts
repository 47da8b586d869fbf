import {
  type ArgumentMetadata,
  Injectable,
  type Type,
  ValidationPipe,
  type ValidationError as ClassValidatorError,
} from '@nestjs/common';
import { type ClassTransformOptions, instanceToPlain, plainToInstance } from 'class-transformer';
import { invalid, ValidationError } from '../domain/errors';
import { JSON_BOUNDS } from '../domain/json-bounds';
import { at, type CodedProblem, type FieldProblem, problem } from '../domain/problems';
import { rulesOf, type Validator } from './openapi/input-schema';

/** At the top of a query or body. The documents of some routes may have more names inside. */
const FIELDS = { query: 100, body: JSON_BOUNDS.names };

/**
 * Checks for what a body or query must not contain anywhere, before any of it is copied. The size of bodies is limited
 * before.
 */
@Injectable()
class InputPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // Path parameters have a pipe of their own; converting one to a number here would hide how it was written.
    if (metadata.type === 'param') return value;
    if (metadata.type === 'body' || metadata.type === 'query') {
      const max = FIELDS[metadata.type];
      if (isObject(value) && !Array.isArray(value) && Object.keys(value).length > max)
        throw invalid(metadata.type, problem('too_many', { max, what: 'fields' }));
      const errors = foreign(value, '');
      if (errors.length > 0) throw new ValidationError(errors);
    }
    return (await super.transform(value, metadata)) as unknown;
  }

  // The next two methods of Nest each traverse the body, which costs as much as everything else, and are not needed.
  /** Names such as `__proto__` are refused by `foreign` already. */
  protected override stripProtoKeys(): void {}
  /** Neither JSON nor a query can contain a list with gaps. */
  protected override closeArrayGaps(): void {}
}

/**
 * Finds texts with NUL, which Postgres can't store, and field names that every object has (`__proto__`, `constructor`,
 * `toString` …) or `prototype`, which would be dropped silently.
 */
function foreign(value: unknown, path: string): readonly FieldProblem[] {
  if (typeof value === 'string') return at(path, value.includes('\0') ? problem('nul') : null);
  if (!isObject(value)) return [];
  const errors: FieldProblem[] = [];
  const within = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
  if (Array.isArray(value)) {
    // Items of long lists of plain values are checked without allocations.
    value.forEach((part: unknown, i) => {
      if (isObject(part) || (typeof part === 'string' && part.includes('\0'))) errors.push(...foreign(part, within(i)));
    });
    return errors;
  }
  for (const [name, part] of Object.entries(value)) {
    if (name in Object.prototype || name === 'prototype') errors.push(...at(within(name), problem('unknown_field')));
    else errors.push(...foreign(part, within(name)));
  }
  return errors;
}

/**
 * class-transformer is slow at copying. No class has a field of another class, so that lists and objects in fields need
 * no copy.
 */
function toInstance<T>(type: Type<T>, plain: unknown, options?: ClassTransformOptions): T | T[] {
  if (!isObject(plain) || Array.isArray(plain)) return plainToInstance(type, plain, options);
  const fields = Object.entries(plain);
  const inner = Object.fromEntries(fields.filter(([, value]) => isObject(value)));
  const others = Object.fromEntries(fields.filter(([, value]) => !isObject(value)));
  return Object.assign(plainToInstance(type, others, options) as object, inner) as T;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Bodies and queries: unknown fields are refused, every problem is named with its field. */
export const validationPipe = new InputPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  transform: true,
  validationError: { target: true, value: true },
  transformerPackage: { plainToInstance: toInstance, classToPlain: instanceToPlain },
  exceptionFactory: (errors) => new ValidationError(errors.flatMap((error) => fieldProblems(error, ''))),
});

/** The problem that each validator reports, by its arguments. */
const CODES: Record<Exclude<Validator, 'said'>, (constraints: unknown[], each: boolean) => CodedProblem> = {
  isString: () => problem('wrong_type', { wanted: 'string' }),
  isBoolean: () => problem('wrong_type', { wanted: 'boolean' }),
  isInt: () => problem('wrong_type', { wanted: 'integer' }),
  isArray: () => problem('wrong_type', { wanted: 'list' }),
  isObject: () => problem('wrong_type', { wanted: 'object' }),
  isId: () => problem('wrong_type', { wanted: 'id' }),
  isIds: () => problem('wrong_type', { wanted: 'ids' }),
  isIn: ([options], each) => problem(each ? 'some_of' : 'one_of', { options: options as string[] }),
  min: ([min]) => problem('too_small', { min: Number(min) }),
  max: ([max]) => problem('too_large', { max: Number(max) }),
  maxLength: ([max]) => problem('too_long', { max: Number(max) }),
  // The only lists that are bounded by a validator are those of ids.
  arrayMaxSize: ([max]) => problem('too_many', { max: Number(max), what: 'ids' }),
};

/**
 * If several rules of a field are violated, the one that comes first in the class is reported; class-validator lists
 * them from the last.
 */
function fieldProblems(error: ClassValidatorError, path: string): FieldProblem[] {
  const { property, constraints, children = [] } = error;
  const field = `${path}${property}`;
  const name = Object.keys(constraints ?? {}).at(-1);
  const own = name === undefined ? null : coded(error, name);
  return [...at(field, own), ...children.flatMap((child) => fieldProblems(child, `${field}.`))];
}

function coded({ property, value, target }: ClassValidatorError, name: string): CodedProblem {
  // An unknown field, or a body for a class without fields.
  if (!Object.hasOwn(CODES, name)) return problem('unknown_field');
  if (value === undefined) return problem('required');
  const rules = rulesOf(target?.constructor as Type);
  const rule = rules.find((each) => each.propertyName === property && each.name === name);
  return CODES[name as keyof typeof CODES]((rule?.constraints ?? []) as unknown[], rule?.each ?? false);
}
