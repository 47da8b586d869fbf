import { Get, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { auditActions } from '../features/audit/audit';
import { AuditService } from '../features/audit/audit.service';
import { Allows, CurrentViewer } from '../http/viewer';
import { instant } from './dto/instant';
import { PageDto } from './dto/list.dto';
import { QueryId } from './dto/id.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, details, id, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class AuditQueryDto extends PageDto {
  @QueryId()
  @Said({ description: 'Who did it.' })
  actorId?: number;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  @Said({ description: 'A part of the name or address of whoever did it.' })
  who?: string;

  @IsOptional()
  @IsIn(auditActions)
  action?: string;

  @IsOptional()
  @IsString()
  @MaxLength(50)
  objectType?: string;

  @QueryId()
  objectId?: number;

  @IsOptional()
  @IsString()
  @Said({ format: 'date-time' })
  from?: string;

  @IsOptional()
  @IsString()
  @Said({ format: 'date-time' })
  to?: string;
}

class AuditEntryAnswer extends Shape({
  id,
  createdAt: time,
  actorId: nullable(count),
  actorEmail: nullable(text),
  via: oneOf(['session', 'token', 'cli', 'anonymous']),
  ip: nullable(text),
  action: text,
  objectType: nullable(text),
  objectId: nullable(count),
  objectName: said('What the object is called now; null if it is gone.', nullable(text)),
  detail: details,
}) {}

@ApiController('audit')
@Allows('audit.read')
export class AuditController {
  constructor(private readonly log: AuditService) {}

  @Get()
  @Operation(
    'Who did what to which object, when and from where, newest first; for managers and admins',
    pageOf(AuditEntryAnswer),
  )
  async list(@CurrentViewer() viewer: Viewer, @Query() { from, to, ...query }: AuditQueryDto) {
    const page = await this.log.list(viewer, { ...query, ...instant('from', from), ...instant('to', to) });
    return { ...page, items: page.items.map((entry) => AuditEntryAnswer.of(entry)) };
  }
}
