import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { Said } from '../openapi/input-schema';
import { FromDigits, QueryId } from './id.dto';

/** A number in a query, or in a path by `Type`. */
export const toBoolean = ({ value }: { value: unknown }): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;

/** Paging of every list. */
export class PageDto {
  @IsOptional()
  @FromDigits()
  @IsInt()
  @Min(1)
  @Max(200)
  @Said({ description: 'How many items at most.' })
  limit: number = 50;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  @Said({ description: 'The `nextCursor` of the page before.' })
  cursor?: string;

  @IsOptional()
  @Transform(toBoolean)
  @IsBoolean()
  @Said({ description: 'Adds `total`, how many there are on all pages.' })
  withTotal?: boolean;
}

/** A list of objects that have owners. */
export class OwnedPageDto extends PageDto {
  @QueryId()
  @Said({ description: "Only this owner's; for managers and admins." })
  ownerId?: number;
}

/** A list of what happened to letters. */
export class LedgerQueryDto extends OwnedPageDto {
  @QueryId()
  mailingId?: number;

  @QueryId()
  runId?: number;

  @QueryId()
  clientId?: number;

  @IsOptional()
  @IsString()
  @Said({ format: 'date-time' })
  from?: string;

  @IsOptional()
  @IsString()
  @Said({ format: 'date-time' })
  to?: string;
}

export class SearchDto extends OwnedPageDto {
  @IsOptional()
  @IsString()
  @MaxLength(200)
  search?: string;
}
