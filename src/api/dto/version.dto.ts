import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { IsInt, Min } from 'class-validator';
import type { Request } from 'express';
import { invalid } from '../../domain/errors';
import { problem } from '../../domain/problems';
import { Said } from '../openapi/input-schema';
import { count, said } from '../openapi/shape';
import { Optional } from './optional.dto';

/** The version of an answer. */
export const version = said('Raised by each change of what can be edited; see `If-Match`.', count);

/** The version that a change began with, in the body of a PATCH. */
export class VersionDto {
  @Optional()
  @IsInt()
  @Min(0)
  @Said({ description: 'The version that you began with, if no change of another may be lost. Or use `If-Match`.' })
  version?: number;
}

const HEADER = 'If-Match';

/** Describes the header of a route that uses `IfMatch`. */
export const TakesIfMatch = () =>
  ApiHeader({
    name: HEADER,
    required: false,
    description: 'The version that you began with: `"3"`. If it has another one by now, the answer is 409.',
    schema: { type: 'string' },
  });

/**
 * The version in the header If-Match, which goes before that of the body; undefined if it is absent or `*`. It is the
 * version of what can be edited, no entity tag of the answer: that also has numbers which change by themselves.
 */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number | undefined => {
  const given = context.switchToHttp().getRequest<Request>().get(HEADER)?.trim();
  if (given === undefined || given === '*') return undefined;
  const digits = /^"?(\d{1,9})"?$/.exec(given)?.[1];
  if (digits === undefined) throw invalid(HEADER, problem('wrong_type', { wanted: 'integer' }));
  return Number(digits);
});

/** A change with the version that it began with, wherever that was given. */
export const since = <T extends { version?: number }>(change: T, header: number | undefined): T =>
  header === undefined ? change : { ...change, version: header };
