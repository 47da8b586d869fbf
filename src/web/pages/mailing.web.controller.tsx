import { Get, Inject, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { type MailingView, MailingsService } from '../../features/mailings/mailings.service';
import { LifecycleService } from '../../features/scheduling/lifecycle.service';
import { SendNowService } from '../../features/scheduling/send-now.service';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { fragment, page, redirect, type WebAnswer } from '../answers';
import { orBlocked } from '../blocked';
import { cut } from '../../domain/cut';
import { formKey } from '../form-key';
import { CurrentReader } from '../readers.service';
import { mailingTitle } from '../mailing-title';
import type { Flash, Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { MailingClientsPage } from './mailing-clients.page';
import type { MayDo } from './mailing-actions';
import { MailingPage } from './mailing.page';
import { MailingParts } from './mailing-parts.service';
import { isOutdated, RunLive } from './run-live';

/** What is said after each of them was done. */
const LET_GO = { start: 'started', send: 'sending', resume: 'resumed' } as const satisfies Record<string, Flash>;

/** The page of a mailing and its actions. */
@WebController('mailings/:id')
export class MailingWebController {
  constructor(
    private readonly mailings: MailingsService,
    private readonly lifecycle: LifecycleService,
    private readonly sending: SendNowService,
    private readonly statistics: StatisticsService,
    private readonly parts: MailingParts,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async show(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Ask() { cursor }: FormValues,
  ): Promise<WebAnswer> {
    const mailing = await this.mailings.get(viewer, id);
    const parts = await this.parts.of(viewer, mailing, cursor);
    const body = (
      <MailingPage mailing={mailing} {...parts} sender={this.config.mailFrom} may={mayDo(viewer, mailing)} />
    );
    return page(() => mailingTitle(mailing, reader.t), body);
  }

  /** The live part while a run is under way; reloads the page when the buttons have to change. */
  @Get('live')
  async look(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Ask() before: FormValues,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    const mailing = await this.mailings.get(viewer, id);
    const latest = await this.parts.latest(viewer, mailing, before);
    if (before.was !== mailing.status || !latest || isOutdated(latest.run, before))
      response.setHeader('HX-Refresh', 'true');
    const from = `/mailings/${id}/live`;
    return fragment(latest ? <RunLive {...latest} from={from} keep={{ was: mailing.status }} /> : <></>);
  }

  @Get('chart.svg')
  async svg(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number) {
    return this.parts.chart(viewer, reader, await this.mailings.get(viewer, id), 'svg');
  }

  @Get('chart.png')
  async png(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number) {
    return this.parts.chart(viewer, reader, await this.mailings.get(viewer, id), 'png');
  }

  @Post('start')
  start(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number, @Form() form: FormValues) {
    return this.letGo(viewer, reader, id, form, 'start', (why) =>
      this.lifecycle.start(viewer, id, why, { onlySchedules: true }),
    );
  }

  @Post('pause')
  pause(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.change(viewer, id, () => this.lifecycle.pause(viewer, id), 'paused');
  }

  @Post('resume')
  resume(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number, @Form() form: FormValues) {
    return this.letGo(viewer, reader, id, form, 'resume', (why) => this.lifecycle.resume(viewer, id, why));
  }

  @Post('finish')
  finish(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return this.change(viewer, id, () => this.lifecycle.finish(viewer, id), 'finished');
  }

  @Post('send')
  send(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number, @Form() form: FormValues) {
    const key = formKey(form.key);
    return this.letGo(viewer, reader, id, form, 'send', (why) => this.sending.send(viewer, id, key, why));
  }

  @Post('delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.lifecycle.delete(viewer, id);
    await this.statistics.forget(viewer);
    return redirect('/mailings', 'deleted');
  }

  /** Makes a copy of the mailing that is not started. */
  @Post('copy')
  async copy(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const name = mailingTitle(await this.mailings.get(viewer, id), reader.t);
    const made = await this.mailings.copy(viewer, id, cut(reader.t.mailings.copyOf(name), 200));
    return redirect(`/mailings/${made.id}/edit`, 'copied');
  }

  @Get('clients')
  async selected(@CurrentViewer() viewer: Viewer, @Id() id: number, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const mailing = await this.mailings.get(viewer, id);
    const clients = await this.mailings.clients(viewer, id, { limit: 100, ...(cursor && { cursor }) });
    const mayChange = mayDo(viewer, mailing).change && mailing.status !== 'done';
    return page(
      (t) => t.field.recipients,
      <MailingClientsPage mailing={mailing} clients={clients} mayChange={mayChange} />,
    );
  }

  @Post('clients/remove')
  async remove(@CurrentViewer() viewer: Viewer, @Id() id: number, @Form() form: FormValues): Promise<WebAnswer> {
    const clientId = wholeNumber(form.clientId);
    if (clientId) await this.mailings.removeClients(viewer, id, [clientId]);
    return redirect(`/mailings/${id}/clients`, 'saved');
  }

  /** An action that the check before letters go out may refuse. */
  private letGo(
    viewer: Viewer,
    reader: Reader,
    id: number,
    form: FormValues,
    verb: keyof typeof LET_GO,
    work: (override: string | undefined) => Promise<unknown>,
  ): Promise<WebAnswer> {
    return orBlocked(
      reader,
      form,
      (override) => this.change(viewer, id, () => work(override), LET_GO[verb]),
      async () => {
        const mailing = await this.mailings.get(viewer, id);
        const back = { to: `/mailings/${id}`, text: mailingTitle(mailing, reader.t) };
        const anyway = { to: `/mailings/${id}/${verb}`, text: reader.t.preflight.verbs[verb] };
        return { ...mailing, back, anyway };
      },
    );
  }

  private async change(viewer: Viewer, id: number, work: () => Promise<unknown>, flash: Flash): Promise<WebAnswer> {
    await work();
    await this.statistics.forget(viewer);
    return redirect(`/mailings/${id}`, flash);
  }
}

function mayDo(viewer: Viewer, mailing: MailingView): MayDo {
  const owner = writableOwner(viewer);
  const own = mailing.ownerId === viewer.userId;
  const toManagers = ['paused_by_manager', 'owner_blocked', 'restored'].includes(mailing.statusCode ?? '');
  const toOwners = !['paused_by_manager', 'owner_blocked'].includes(mailing.statusCode ?? '');
  return {
    change: owner === null || own,
    pause: own || viewer.role !== 'user',
    resume: viewer.role === 'admin' || (toManagers && viewer.role === 'manager') || (toOwners && own),
  };
}
