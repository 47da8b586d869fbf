import {
  type ArgumentMetadata,
  Injectable,
  ValidationPipe,
  type ValidationError as ClassValidatorError,
} from '@nestjs/common';
import { type FieldError, ValidationError } from '../domain/errors';

/** Postgres has no text with NUL in it, and nobody types one. */
@Injectable()
class InputPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' || metadata.type === 'query') {
      const fields = fieldsWithNul(value, '');
      if (fields.length > 0)
        throw new ValidationError(fields.map((field) => ({ field, message: 'must not contain the character NUL' })));
    }
    return (await super.transform(value, metadata)) as unknown;
  }
}

function fieldsWithNul(value: unknown, path: string): string[] {
  if (typeof value === 'string') return value.includes('\0') ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => fieldsWithNul(part, path === '' ? key : `${path}.${key}`));
}

/** Bodies and queries: unknown fields are refused, every problem is named with its field. */
export const validationPipe = new InputPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  transform: true,
  stopAtFirstError: true,
  exceptionFactory: (errors) => new ValidationError(errors.flatMap((error) => fieldErrors(error, ''))),
});

function fieldErrors(error: ClassValidatorError, path: string): FieldError[] {
  const field = `${path}${error.property}`;
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
    field,
    message:
      rule === 'whitelistValidation'
        ? 'is not a field of this request'
        : message.replace(new RegExp(`^${error.property} `), ''),
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldErrors(child, `${field}.`))];
}
