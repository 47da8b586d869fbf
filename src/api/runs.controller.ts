import { Body, Get, Header, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { type DeliveryStatus, deliveryStatuses, runReasons, runStatuses, runTriggers } from '../domain/states';
import { type DeliveryEvent, deliveryEvents } from '../domain/suppression';
import { type NamedFilter, SegmentsService } from '../features/audiences/segments.service';
import { DeliveriesService } from '../features/runs/deliveries.service';
import { DeliveriesExport } from '../features/runs/deliveries-export.service';
import { RunsService, type RunView } from '../features/runs/runs.service';
import { SendNowService } from '../features/scheduling/send-now.service';
import { DeliveryAnswer, deliveryAnswer } from './deliveries.controller';
import { filterValue } from './dto/filter.dto';
import { PageDto } from './dto/list.dto';
import { StartDto } from './dto/mailing.dto';
import { Id } from '../http/id.pipe';
import { csvFile } from '../http/csv-file';
import { CurrentViewer } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, Operation } from './openapi/operation';
import { count, details, id, maybe, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

class DeliveryQueryDto extends PageDto {
  @IsOptional()
  @IsIn(deliveryStatuses)
  status?: DeliveryStatus;

  @IsOptional()
  @IsIn(deliveryEvents)
  @Said({ description: 'Only those about which this became known.' })
  event?: DeliveryEvent;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  search?: string;
}

export class CountsAnswer extends Shape({
  total: count,
  pending: count,
  sending: count,
  deferred: count,
  sent: count,
  failed: count,
  unknown: count,
  skipped: count,
  cancelled: count,
}) {}

class AfterAnswer extends Shape({ bounced: count, softBounced: count, complained: count, unsubscribed: count }) {}

class RunSegmentAnswer extends Shape({ name: text, filter: filterValue }) {}

export class RunAnswer extends Shape({
  id,
  ownerId: id,
  mailingId: id,
  occurrenceAt: nullable(time),
  trigger: oneOf(runTriggers),
  sourceRunId: said('Of a resend: the run whose failures it sends to again.', nullable(id)),
  status: oneOf(runStatuses),
  reason: nullable(oneOf(runReasons)),
  pausedAt: nullable(time),
  startedAt: nullable(time),
  finishedAt: nullable(time),
  counts: part(CountsAnswer),
  after: said('What became known after letters were sent; it changes no count.', part(AfterAnswer)),
  segment: maybe(
    said('To whom it went, as it was when the run began; only of a single run.', nullable(part(RunSegmentAnswer))),
  ),
  excludeSegment: maybe(said('Who was left out; only of a single run.', nullable(part(RunSegmentAnswer)))),
  skippedBy: maybe(said('Why how many were skipped; only of a single run.', details)),
}) {}

export class RunBegunAnswer extends Shape({ runId: id }) {}

export const runAnswer = (run: RunView & { segment?: NamedFilter | null; excludeSegment?: NamedFilter | null }) =>
  RunAnswer.of({ ...run, startedAt: run.status === 'missed' ? null : (run.startedAt ?? run.createdAt) });

@ApiController('runs')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly sending: SendNowService,
    private readonly deliveries: DeliveriesService,
    private readonly exports: DeliveriesExport,
    private readonly segments: SegmentsService,
  ) {}

  @Get(':id')
  @Operation('A run with its counts', RunAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    const run = await this.runs.get(viewer, id);
    return runAnswer({ ...run, ...(await this.segments.ofRun(run)) });
  }

  @Post(':id/resend-failed')
  @Operation('Start a run for those whose delivery ended failed or unknown', RunBegunAnswer, {
    conflicts: [
      'RUN_NOTHING_FAILED',
      'RUN_RESENDING',
      'MAILING_PAUSED',
      'OWNER_BLOCKED',
      'LETTERS_PER_DAY',
      'PREFLIGHT_BLOCKED',
    ],
  })
  @HttpCode(202)
  resendFailed(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: StartDto): Promise<RunBegunAnswer> {
    return this.sending.resendFailed(viewer, id, body.override);
  }

  @Get(':id/deliveries')
  @Operation('The deliveries of a run', pageOf(DeliveryAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: DeliveryQueryDto) {
    const page = await this.deliveries.listOfRun(viewer, id, query);
    return { ...page, items: page.items.map(deliveryAnswer) };
  }

  @Get(':id/deliveries.csv')
  @Operation('The deliveries of a run as CSV', CSV)
  @Header('Content-Type', 'text/csv; charset=utf-8')
  async csv(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    await this.runs.get(viewer, id);
    return csvFile(this.exports.csv(viewer, id), `run-${id}.csv`);
  }
}
