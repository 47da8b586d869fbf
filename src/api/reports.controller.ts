import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Min } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import {
  type Report,
  type ReportQuery,
  ReportsService,
  type ReportStep,
  reportSteps,
} from '../features/statistics/reports.service';
import { UsersService } from '../features/users/users.service';
import { CurrentViewer } from '../http/viewer';

class ReportQueryDto {
  @IsIn(reportSteps, { message: `must be one of ${reportSteps.join(', ')}` })
  by: ReportStep = 'day';

  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'must be the id of a mailing' })
  @Min(1)
  mailingId?: number;

  /** The first day, `2027-03-01`. */
  @IsOptional()
  @IsString()
  from?: string;

  /** The last day, inclusive. */
  @IsOptional()
  @IsString()
  to?: string;

  /** Whose days; the account's zone if absent. */
  @IsOptional()
  @IsString()
  timeZone?: string;
}

@ApiTags('reports')
@ApiBearerAuth()
@Controller('reports')
export class ReportsController {
  constructor(
    private readonly reports: ReportsService,
    private readonly users: UsersService,
  ) {}

  /** Sent, failed, unknown and skipped by day, week or month, with the reasons and the domains that fail most. */
  @Get()
  async report(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<Report> {
    return this.reports.report(viewer, await this.complete(viewer, query));
  }

  @Get('periods.csv')
  @Header('Content-Type', 'text/csv; charset=utf-8')
  @Header('Content-Disposition', 'attachment; filename="report.csv"')
  async csv(@CurrentViewer() viewer: Viewer, @Query() query: ReportQueryDto): Promise<string> {
    return this.reports.csv(viewer, await this.complete(viewer, query));
  }

  private async complete(viewer: Viewer, query: ReportQueryDto): Promise<ReportQuery> {
    return { ...query, timeZone: query.timeZone ?? (await this.users.byId(viewer.userId)).timeZone };
  }
}
