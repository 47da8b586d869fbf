import { Body, Delete, Get, Headers, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { invalid } from '../domain/errors';
import { problem } from '../domain/problems';
import type { Viewer } from '../domain/permissions';
import { cut } from '../domain/cut';
import { type MailingView, MailingsService } from '../features/mailings/mailings.service';
import { RunsService } from '../features/runs/runs.service';
import { LifecycleService } from '../features/scheduling/lifecycle.service';
import { MailingEditService } from '../features/scheduling/mailing-edit.service';
import { PreflightService } from '../features/scheduling/preflight.service';
import { SendNowService } from '../features/scheduling/send-now.service';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { instant } from './dto/instant';
import { PageDto } from './dto/list.dto';
import { RecipientAnswer } from './dto/recipient.dto';
import { Id } from '../http/id.pipe';
import { RunAnswer, runAnswer, RunBegunAnswer } from './runs.controller';
import { MANY_IDS_BYTES } from '../http/body';
import { CurrentViewer, TakesBodies } from '../http/viewer';
import {
  ClientIdsDto,
  MailingAnswer,
  mailingAnswer,
  MailingCopyDto,
  MailingDto,
  MailingPatchDto,
  MailingQueryDto,
  PreflightAnswer,
  ScheduleAnswer,
  ScheduleQueryDto,
  StartDto,
} from './dto/mailing.dto';
import { IfMatch, since, TakesIfMatch } from './dto/version.dto';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { pageOf } from './openapi/shape';

const STATE_CONFLICTS = ['MAILING_CREATED', 'MAILING_STARTED', 'MAILING_PAUSED', 'MAILING_DONE'] as const;
const START_CONFLICTS = [
  ...STATE_CONFLICTS,
  'MAILING_EMPTY',
  'MAILING_ENDED',
  'OWNER_BLOCKED',
  'PREFLIGHT_BLOCKED',
] as const;
const SEND_CONFLICTS = [...START_CONFLICTS, 'MAILING_SENDING', 'LETTERS_PER_DAY'] as const;
const CLIENT_CONFLICTS = ['MAILING_AUDIENCE_ALL', 'MAILING_DONE'] as const;

@ApiController('mailings')
@TakesBodies(MANY_IDS_BYTES)
export class MailingsController {
  constructor(
    private readonly mailings: MailingsService,
    private readonly lifecycle: LifecycleService,
    private readonly editing: MailingEditService,
    private readonly sending: SendNowService,
    private readonly scheduler: SchedulerService,
    private readonly runs: RunsService,
    private readonly check: PreflightService,
  ) {}

  @Get()
  @Operation('Mailings, newest first', pageOf(MailingAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: MailingQueryDto) {
    const page = await this.mailings.list(viewer, query);
    return { ...page, items: page.items.map(mailingAnswer) };
  }

  @Post()
  @Operation('Add a mailing', MailingAnswer)
  async create(@CurrentViewer() viewer: Viewer, @Body() body: MailingDto) {
    return this.answer(await this.mailings.create(viewer, body));
  }

  @Get(':id')
  @Operation('A mailing', MailingAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.answer(await this.mailings.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change a mailing', MailingAnswer, { conflicts: ['MAILING_DONE', 'CHANGED_MEANWHILE'] })
  @TakesIfMatch()
  async update(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: MailingPatchDto,
    @IfMatch() header?: number,
  ) {
    return this.answer(await this.editing.update(viewer, id, since(body, header)));
  }

  @Delete(':id')
  @Operation('Delete a mailing; its ledger stays', null, { conflicts: ['MAILING_SENDING'] })
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.lifecycle.delete(viewer, id);
  }

  @Post(':id/copy')
  @Operation('Copy a mailing; the copy is not started', MailingAnswer)
  async copy(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: MailingCopyDto) {
    const name = body.name ?? cut(`Copy of ${(await this.mailings.get(viewer, id)).name || `mailing ${id}`}`, 200);
    return this.answer(await this.mailings.copy(viewer, id, name));
  }

  @Get(':id/clients')
  @Operation('The selected clients of a mailing', pageOf(RecipientAnswer))
  async listClients(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    await this.mailings.get(viewer, id);
    return this.mailings.clients(viewer, id, query);
  }

  @Post(':id/clients')
  @Operation('Add clients to a mailing to selected ones', MailingAnswer, { conflicts: CLIENT_CONFLICTS })
  @HttpCode(200)
  async addClients(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ClientIdsDto) {
    return this.answer(await this.mailings.addClients(viewer, id, body.clientIds));
  }

  @Delete(':id/clients')
  @Operation('Take clients out of a mailing to selected ones', MailingAnswer, { conflicts: CLIENT_CONFLICTS })
  async removeClients(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: ClientIdsDto) {
    return this.answer(await this.mailings.removeClients(viewer, id, body.clientIds));
  }

  @Get(':id/schedule')
  @Operation("The next occurrences, in the mailing's time zone", ScheduleAnswer)
  async schedule(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: ScheduleQueryDto) {
    const { from } = instant('from', query.from);
    return { items: await this.scheduler.schedule(viewer, id, query.count, from) };
  }

  @Get(':id/preflight')
  @Operation('What would keep it from starting, and who would get nothing', PreflightAnswer)
  async preflight(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return PreflightAnswer.of(await this.check.of(viewer, id));
  }

  @Post(':id/start')
  @Operation('Start a mailing: it runs by its schedule', MailingAnswer, { conflicts: START_CONFLICTS })
  @HttpCode(200)
  async start(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: StartDto) {
    return this.answer(await this.lifecycle.start(viewer, id, body.override));
  }

  @Post(':id/pause')
  @Operation('Pause a mailing; nothing more goes out', MailingAnswer, { conflicts: STATE_CONFLICTS })
  @HttpCode(200)
  async pause(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.answer(await this.lifecycle.pause(viewer, id));
  }

  @Post(':id/resume')
  @Operation('Resume a paused mailing', MailingAnswer, { conflicts: START_CONFLICTS })
  @HttpCode(200)
  async resume(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: StartDto) {
    return this.answer(await this.lifecycle.resume(viewer, id, body.override));
  }

  @Post(':id/finish')
  @Operation('Finish a mailing for good', MailingAnswer, { conflicts: STATE_CONFLICTS })
  @HttpCode(200)
  async finish(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.answer(await this.lifecycle.finish(viewer, id));
  }

  @Post(':id/send')
  @Operation('Start a run now; the same Idempotency-Key gives the same run', RunBegunAnswer, {
    conflicts: SEND_CONFLICTS,
  })
  @HttpCode(202)
  @ApiHeader({ name: 'Idempotency-Key', required: false, schema: { type: 'string', pattern: '^[!-~]{1,200}$' } })
  send(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Body() body: StartDto,
    @Headers('Idempotency-Key') key?: string,
  ): Promise<RunBegunAnswer> {
    if (key !== undefined && !/^[\x21-\x7e]{1,200}$/.test(key)) {
      throw invalid('Idempotency-Key', problem('idempotency_key', { max: 200 }));
    }
    return this.sending.send(viewer, id, key ?? null, body.override);
  }

  @Get(':id/runs')
  @Operation('The runs of a mailing, newest first', pageOf(RunAnswer))
  async listRuns(@CurrentViewer() viewer: Viewer, @Id() id: number, @Query() query: PageDto) {
    await this.mailings.get(viewer, id);
    const page = await this.runs.listOfMailing(viewer, id, query);
    return { ...page, items: page.items.map(runAnswer) };
  }

  /** Of a single mailing the recipients are counted, if no counter tells how many there are. */
  private async answer(mailing: MailingView): Promise<MailingAnswer> {
    return mailingAnswer(await this.mailings.counted(mailing));
  }
}
