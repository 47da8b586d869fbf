import { Get, Query } from '@nestjs/common';
import { IsIn, IsOptional } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { type AttemptStatus, attemptStatuses } from '../domain/states';
import { AttemptsService, type AttemptView } from '../features/ledger/attempts.service';
import { LedgerQueryDto } from './dto/list.dto';
import { CurrentViewer } from '../http/viewer';
import { QueryId } from './dto/id.dto';
import { instant } from './dto/instant';
import { RecipientAnswer } from './dto/recipient.dto';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { count, id, nullable, oneOf, pageOf, part, Shape, text, time, whole } from './openapi/shape';

class AttemptQueryDto extends LedgerQueryDto {
  @QueryId()
  deliveryId?: number;

  @IsOptional()
  @IsIn(attemptStatuses)
  status?: AttemptStatus;
}

class AttemptAnswer extends Shape({
  id,
  ownerId: id,
  createdAt: time,
  status: oneOf(attemptStatuses),
  reason: nullable(text),
  serverResponse: text,
  replyCode: nullable(whole),
  enhancedCode: nullable(text),
  durationMs: nullable(whole),
  attemptNumber: count,
  mailingId: id,
  runId: id,
  deliveryId: id,
  client: part(RecipientAnswer),
}) {}

const attemptAnswer = ({ clientId, email, fullName, ...attempt }: AttemptView) =>
  AttemptAnswer.of({ ...attempt, client: { id: clientId, email, fullName } });

@ApiController('attempts')
export class AttemptsController {
  constructor(private readonly attempts: AttemptsService) {}

  @Get()
  @Operation('Every try to hand a letter over, newest first', pageOf(AttemptAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() { from, to, ...query }: AttemptQueryDto) {
    const page = await this.attempts.list(viewer, { ...query, ...instant('from', from), ...instant('to', to) });
    return { ...page, items: page.items.map(attemptAnswer) };
  }
}
