import { applyDecorators } from '@nestjs/common';
import { PartialType as MappedPartialType } from '@nestjs/swagger';
import type { Type } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional } from 'class-validator';

/** A field that may be absent; null is the same. Where null says something of its own, the field has IsOptional. */
export const Optional = () =>
  applyDecorators(
    IsOptional(),
    Transform(({ value }: { value: unknown }) => value ?? undefined),
  );

/** All fields may be absent; null is refused where the whole has no field without it. */
export const PartialType = <T>(whole: Type<T>): Type<Partial<T>> =>
  MappedPartialType(whole, { skipNullProperties: false });
