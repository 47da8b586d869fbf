import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { auditActions } from '../features/audit/audit';
import { AuditService } from '../features/audit/audit.service';
import { Allows, CurrentViewer } from '../http/viewer';
import { instant } from './attempts.controller';
import { PageDto } from './dto/list.dto';

class AuditQueryDto extends PageDto {
  /** Who did it. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  actorId?: number;

  @IsOptional()
  @IsIn(auditActions, { message: `must be one of ${auditActions.join(', ')}` })
  action?: string;

  @IsOptional()
  @IsString()
  @MaxLength(50)
  objectType?: string;

  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  objectId?: number;

  @IsOptional()
  @IsString()
  from?: string;

  @IsOptional()
  @IsString()
  to?: string;
}

@ApiTags('audit')
@ApiBearerAuth()
@Allows('audit.read')
@Controller('audit')
export class AuditController {
  constructor(private readonly log: AuditService) {}

  /** Who did what to which object, when and from where; newest first. */
  @Get()
  list(@CurrentViewer() viewer: Viewer, @Query() { from, to, ...query }: AuditQueryDto) {
    return this.log.list(viewer, { ...query, ...instant('from', from), ...instant('to', to) });
  }
}
