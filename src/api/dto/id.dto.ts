import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateBy } from 'class-validator';

const isId = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;

/**
 * An id, or with `each` a list of them: a whole number that JSON carries exactly. A list is checked as a whole:
 * class-validator would allocate objects for each of its items.
 */
export const IsId = ({ each = false } = {}) =>
  ValidateBy({
    name: each ? 'isIds' : 'isId',
    validator: { validate: (value) => (each ? Array.isArray(value) && value.every(isId) : isId(value)) },
  });

/** A number in a query, as digits; anything else is refused by the validation. */
export const FromDigits = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value,
  );

/** An id in a query. */
export const QueryId = () => applyDecorators(IsOptional(), FromDigits(), IsId());
