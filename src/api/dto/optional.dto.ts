import { applyDecorators } from '@nestjs/common';
import { PartialType as MappedPartialType } from '@nestjs/swagger';
import type { Type } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateIf } from 'class-validator';

/**
 * A field that may be absent; null means the same. If null has a meaning of its own, the field has IsOptional instead.
 */
export const Optional = () =>
  applyDecorators(
    IsOptional(),
    Transform(({ value }: { value: unknown }) => value ?? undefined),
  );

/** A field that may be absent, or null, if another one is given. */
export const OptionalBeside = (other: string) =>
  applyDecorators(
    ValidateIf(
      (body: Record<string, unknown>, value: unknown) =>
        (value ?? undefined) !== undefined || body[other] === undefined,
    ),
    Transform(({ value }: { value: unknown }) => value ?? undefined),
  );

/** All fields may be absent; null is refused for fields that are required in the whole class. */
export const PartialType = <T>(whole: Type<T>): Type<Partial<T>> =>
  MappedPartialType(whole, { skipNullProperties: false });
