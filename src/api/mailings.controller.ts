import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiTags, PartialType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { ValidationError } from '../domain/errors';
import type { Viewer } from '../domain/permissions';
import { parseInstant } from '../domain/schedule-input';
import { type MailingStatus, mailingStatuses } from '../domain/states';
import { CLIENT_IDS_MAX, MailingsService, type MailingView } from '../features/mailings/mailings.service';
import { RunsService } from '../features/runs/runs.service';
import { LifecycleService } from '../features/scheduling/lifecycle.service';
import { MailingEditService } from '../features/scheduling/mailing-edit.service';
import { SendNowService } from '../features/scheduling/send-now.service';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { PageDto, SearchDto } from './dto/list.dto';
import { Id } from '../http/id.pipe';
import { runAnswer } from './runs.controller';
import { CurrentViewer } from '../http/viewer';

class ClientIdsDto {
  @IsArray({ message: 'must be a list of client ids' })
  @ArrayMaxSize(CLIENT_IDS_MAX, { message: `must have at most ${CLIENT_IDS_MAX} ids` })
  @IsInt({ each: true, message: 'must hold whole numbers only' })
  clientIds!: number[];
}

class MailingDto {
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  name?: string;

  @IsInt({ message: 'must be the id of a message' })
  messageId!: number;

  /** `all` or `selected`. */
  @IsString()
  audience!: string;

  /** For `selected`. */
  @IsOptional()
  @IsArray({ message: 'must be a list of client ids' })
  @ArrayMaxSize(CLIENT_IDS_MAX, { message: `must have at most ${CLIENT_IDS_MAX} ids` })
  @IsInt({ each: true, message: 'must hold whole numbers only' })
  clientIds?: number[];

  /** ISO-8601 with offset. */
  @IsString()
  startAt!: string;

  /** ISO-8601 with offset, exclusive. */
  @IsOptional()
  @IsString()
  endAt?: string | null;

  /** `once`, `daily`, `weekly` or `monthly`. */
  @IsString()
  period!: string;

  /** An IANA zone; the owner's if absent. */
  @IsOptional()
  @IsString()
  timeZone?: string;

  /** What to do when the reply to a sent letter was lost: `resend` (once) or `hold`. */
  @IsOptional()
  @IsString()
  onUnknown?: string;
}

class MailingPatchDto extends PartialType(MailingDto) {}

class MailingQueryDto extends SearchDto {
  @IsOptional()
  @IsIn(mailingStatuses, { message: `must be one of ${mailingStatuses.join(', ')}` })
  status?: MailingStatus;
}

class ScheduleQueryDto {
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(200, { message: 'must be at most 200' })
  count: number = 10;

  @IsOptional()
  @IsString()
  from?: string;
}

export const mailingAnswer = (m: MailingView) => ({
  id: m.id,
  ownerId: m.ownerId,
  name: m.name,
  messageId: m.messageId,
  audience: m.audience,
  startAt: m.startAt,
  endAt: m.endAt,
  period: m.period,
  timeZone: m.timeZone,
  onUnknown: m.onUnknown,
  status: m.status,
  statusReason:
    m.statusCode === null ? null : { code: m.statusCode, text: m.statusText, since: m.statusSince, by: m.statusBy },
  nextRunAt: m.status === 'started' ? m.nextRunAt : null,
  recipientCount: m.recipientCount,
  lastRun: m.lastRun,
  createdAt: m.createdAt,
  updatedAt: m.updatedAt,
  ...(m.warnings?.length ? { warnings: m.warnings } : {}),
});

@ApiTags('mailings')
@ApiBearerAuth()
@Controller('mailings')
export class MailingsController {
  constructor(
    private readonly mailings: MailingsService,
    private readonly lifecycle: LifecycleService,
    private readonly editing: MailingEditService,
    private readonly sending: SendNowService,
    private readonly scheduler: SchedulerService,
    private readonly runs: RunsService,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Query() query: MailingQueryDto) {
    const page = await this.mailings.list(viewer, query);
    return { ...page, items: page.items.map(mailingAnswer) };
  }

  @Post()
  async create(@CurrentViewer() viewer: Viewer, @Body() body: MailingDto) {
    return mailingAnswer(await this.mailings.create(viewer, body));
  }

  @Get(':id')
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return mailingAnswer(await this.mailings.get(viewer, id));
  }

  @Patch(':id')
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: MailingPatchDto) {
    return mailingAnswer(await this.editing.update(viewer, id, body));
  }

  /** The mailing is hidden; its ledger stays. */
  @Delete(':id')
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.lifecycle.delete(viewer, id);
  }

  /** The clients of a mailing to selected ones. */
  @Get(':id/clients')
  async clients(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    await this.mailings.get(viewer, id);
    return this.mailings.clients(viewer, id, query);
  }

  @Post(':id/clients')
  @HttpCode(200)
  async addClients(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ClientIdsDto) {
    return mailingAnswer(await this.mailings.addClients(viewer, id, body.clientIds));
  }

  @Delete(':id/clients')
  async removeClients(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ClientIdsDto) {
    return mailingAnswer(await this.mailings.removeClients(viewer, id, body.clientIds));
  }

  /** The next occurrences, in the mailing's time zone. */
  @Get(':id/schedule')
  async schedule(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: ScheduleQueryDto) {
    const from = query.from === undefined ? undefined : parseInstant(query.from);
    if (from !== undefined && !(from instanceof Date))
      throw new ValidationError([{ field: 'from', message: from.problem }]);
    return { items: await this.scheduler.schedule(viewer, id, query.count, from) };
  }

  @Post(':id/start')
  @HttpCode(200)
  async start(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return mailingAnswer(await this.lifecycle.start(viewer, id));
  }

  @Post(':id/pause')
  @HttpCode(200)
  async pause(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return mailingAnswer(await this.lifecycle.pause(viewer, id));
  }

  @Post(':id/resume')
  @HttpCode(200)
  async resume(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return mailingAnswer(await this.lifecycle.resume(viewer, id));
  }

  @Post(':id/finish')
  @HttpCode(200)
  async finish(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return mailingAnswer(await this.lifecycle.finish(viewer, id));
  }

  /** Starts a run now. The same Idempotency-Key gives the same run. */
  @Post(':id/send')
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: false })
  send(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Headers('idempotency-key') key?: string,
  ): Promise<{ runId: number }> {
    if (key !== undefined && !/^[\x21-\x7e]{1,200}$/.test(key)) {
      throw new ValidationError([{ field: 'Idempotency-Key', message: 'must be 1 to 200 visible ASCII characters' }]);
    }
    return this.sending.send(viewer, id, key ?? null);
  }

  @Get(':id/runs')
  async runsOf(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    await this.mailings.get(viewer, id);
    const page = await this.runs.listOfMailing(viewer, id, query);
    return { ...page, items: page.items.map(runAnswer) };
  }
}
