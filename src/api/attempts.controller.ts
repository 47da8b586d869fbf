import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Min } from 'class-validator';
import { ValidationError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { parseInstant } from '../domain/schedule-input';
import { type AttemptStatus, attemptStatuses } from '../domain/states';
import { AttemptsService, type AttemptView } from '../features/deliveries/attempts.service';
import { OwnedPageDto } from './dto/list.dto';
import { CurrentViewer } from '../http/viewer';

class AttemptQueryDto extends OwnedPageDto {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  mailingId?: number;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  runId?: number;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  clientId?: number;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  deliveryId?: number;

  @IsOptional()
  @IsIn(attemptStatuses, { message: `must be one of ${attemptStatuses.join(', ')}` })
  status?: AttemptStatus;

  @IsOptional()
  @IsString()
  from?: string;

  @IsOptional()
  @IsString()
  to?: string;
}

const attemptAnswer = (a: AttemptView) => ({
  id: a.id,
  ownerId: a.ownerId,
  createdAt: a.createdAt,
  status: a.status,
  reason: a.reason,
  serverResponse: a.serverResponse,
  replyCode: a.replyCode,
  enhancedCode: a.enhancedCode,
  durationMs: a.durationMs,
  attemptNumber: a.attemptNumber,
  mailingId: a.mailingId,
  runId: a.runId,
  deliveryId: a.deliveryId,
  client: { id: a.clientId, email: a.email, fullName: a.fullName },
});

@ApiTags('attempts')
@ApiBearerAuth()
@Controller('attempts')
export class AttemptsController {
  constructor(private readonly attempts: AttemptsService) {}

  /** Newest first. */
  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Query() { from, to, ...query }: AttemptQueryDto) {
    const page = await this.attempts.list(viewer, { ...query, ...instant('from', from), ...instant('to', to) });
    return { ...page, items: page.items.map(attemptAnswer) };
  }
}

/** A date and time of a query. @throws ValidationError */
export function instant<F extends string>(field: F, text: string | undefined): Partial<Record<F, Date>> {
  if (text === undefined) return {};
  const parsed = parseInstant(text);
  if (!(parsed instanceof Date)) throw new ValidationError([{ field, message: parsed.problem }]);
  return { [field]: parsed } as Partial<Record<F, Date>>;
}
