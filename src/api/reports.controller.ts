import { Get, Query, type StreamableFile } from '@nestjs/common';
import { IsIn, IsOptional, IsString } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import {
  type ReportPart,
  type ReportPeriod,
  reportPeriods,
  type ReportQuery,
  ReportsService,
  type ReportStep,
  reportSteps,
} from '../features/statistics/reports.service';
import { UsersService } from '../features/users/users.service';
import { reportFile } from '../http/csv-file';
import { CurrentViewer } from '../http/viewer';
import { QueryId } from './dto/id.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { CSV, Operation } from './openapi/operation';
import { count, day, id, listOf, oneOf, part, said, Shape, text } from './openapi/shape';

class ReportQueryDto {
  @IsIn(reportSteps)
  by: ReportStep = 'day';

  @QueryId()
  mailingId?: number;

  @IsOptional()
  @IsIn(reportPeriods)
  @Said({ description: 'A range by its name, in place of `from` and `to`; one that is not over ends today.' })
  period?: ReportPeriod;

  @IsOptional()
  @IsString()
  @Said({ format: 'date', description: 'The first day.' })
  from?: string;

  @IsOptional()
  @IsString()
  @Said({ format: 'date', description: 'The last day, inclusive.' })
  to?: string;

  @IsOptional()
  @IsString()
  @Said({ description: "An IANA zone: whose days; the account's if absent." })
  timeZone?: string;
}

const counts = {
  sent: count,
  failed: count,
  unknown: count,
  skipped: count,
  bounced: said('Became known in the period, also of letters that were sent before; so do the two that follow.', count),
  complained: count,
  unsubscribed: count,
  cancelled: said('Not sent, because the mailing was finished or ended before.', count),
};

class ReportCountsAnswer extends Shape(counts) {}
class ReportPeriodAnswer extends Shape({ start: said('Its first day.', day), ...counts }) {}
class ReportMailingAnswer extends Shape({ id, name: text, ...counts }) {}
class ReportReasonAnswer extends Shape({ reason: text, failed: count }) {}
class ReportDomainAnswer extends Shape({ domain: text, failed: count }) {}

class ReportAnswer extends Shape({
  by: oneOf(reportSteps),
  from: day,
  to: day,
  timeZone: text,
  total: part(ReportCountsAnswer),
  items: said('Every period, oldest first, also empty ones.', listOf(part(ReportPeriodAnswer))),
  mailings: listOf(part(ReportMailingAnswer)),
  reasons: listOf(part(ReportReasonAnswer)),
  domains: said('Mail domains by how many letters failed there.', listOf(part(ReportDomainAnswer))),
}) {}

@ApiController('reports')
export class ReportsController {
  constructor(
    private readonly reports: ReportsService,
    private readonly users: UsersService,
  ) {}

  @Get()
  @Operation(
    'What was sent, failed and became known later, by day, week or month, and which reasons and domains fail most',
    ReportAnswer,
  )
  async report(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<ReportAnswer> {
    return this.reports.report(viewer, await this.complete(viewer, query));
  }

  @Get('periods.csv')
  @Operation('The periods of a report as CSV', CSV)
  async periods(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<StreamableFile> {
    return this.file(viewer, query, 'periods');
  }

  @Get('mailings.csv')
  @Operation('The mailings of a report as CSV, at most 10,000', CSV)
  async mailings(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<StreamableFile> {
    return this.file(viewer, query, 'mailings');
  }

  @Get('reasons.csv')
  @Operation('Why letters failed, as CSV', CSV)
  async reasons(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<StreamableFile> {
    return this.file(viewer, query, 'reasons');
  }

  @Get('domains.csv')
  @Operation('Mail domains by how many letters failed there, as CSV, at most 1,000', CSV)
  async domains(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<StreamableFile> {
    return this.file(viewer, query, 'domains');
  }

  private async file(viewer: Viewer, query: ReportQueryDto, part: ReportPart): Promise<StreamableFile> {
    return reportFile(await this.reports.csv(viewer, await this.complete(viewer, query), part), part);
  }

  private async complete(viewer: Viewer, query: ReportQueryDto): Promise<ReportQuery> {
    return { ...query, timeZone: query.timeZone ?? (await this.users.byId(viewer.userId)).timeZone };
  }
}
