import { Controller, Get, Header, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { Readable } from 'node:stream';
import type { Viewer } from '../domain/permissions';
import { type DeliveryStatus, deliveryStatuses } from '../domain/states';
import { DeliveriesService } from '../features/deliveries/deliveries.service';
import { DeliveriesExport } from '../features/deliveries/deliveries-export.service';
import { RunsService, type RunView } from '../features/runs/runs.service';
import { SendNowService } from '../features/scheduling/send-now.service';
import { deliveryAnswer } from './deliveries.controller';
import { PageDto } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';

class DeliveryQueryDto extends PageDto {
  @IsOptional()
  @IsIn(deliveryStatuses, { message: `must be one of ${deliveryStatuses.join(', ')}` })
  status?: DeliveryStatus;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  search?: string;
}

export const runAnswer = (r: RunView) => ({
  id: r.id,
  ownerId: r.ownerId,
  mailingId: r.mailingId,
  occurrenceAt: r.occurrenceAt,
  trigger: r.trigger,
  sourceRunId: r.sourceRunId,
  status: r.status,
  reason: r.reason,
  pausedAt: r.pausedAt,
  startedAt: r.status === 'missed' ? null : (r.startedAt ?? r.createdAt),
  finishedAt: r.finishedAt,
  counts: r.counts,
});

@ApiTags('runs')
@ApiBearerAuth()
@Controller('runs')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly sending: SendNowService,
    private readonly deliveries: DeliveriesService,
    private readonly exports: DeliveriesExport,
  ) {}

  @Get(':id')
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return runAnswer(await this.runs.get(viewer, id));
  }

  /** A new run for those whose delivery ended failed or unknown. */
  @Post(':id/resend-failed')
  @HttpCode(202)
  resendFailed(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.sending.resendFailed(viewer, id);
  }

  @Get(':id/deliveries')
  async list(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: DeliveryQueryDto) {
    const page = await this.deliveries.listOfRun(viewer, id, query);
    return { ...page, items: page.items.map(deliveryAnswer) };
  }

  @Get(':id/deliveries.csv')
  @Header('Content-Type', 'text/csv; charset=utf-8')
  async csv(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    await this.runs.get(viewer, id);
    return new StreamableFile(Readable.from(this.exports.csv(viewer, id)), {
      disposition: `attachment; filename="run-${id}.csv"`,
      type: 'text/csv; charset=utf-8',
    });
  }
}
