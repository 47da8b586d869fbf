import { Get, Inject, Post, Res, StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { mayChangeOf, type Viewer } from '../../domain/permissions';
import { deliveryStatuses } from '../../domain/states';
import { deliveryEvents } from '../../domain/suppression';
import { DeliveriesExport } from '../../features/runs/deliveries-export.service';
import { DeliveriesService } from '../../features/runs/deliveries.service';
import { RunsService } from '../../features/runs/runs.service';
import { SendNowService } from '../../features/scheduling/send-now.service';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { Id } from '../../http/id.pipe';
import { csvFile } from '../../http/csv-file';
import { CurrentViewer } from '../../http/viewer';
import { fragment, page, redirect, type WebAnswer } from '../answers';
import { orBlocked } from '../blocked';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { isGoing, isOutdated, paceOf, RunLive } from './run-live';
import { RunParts } from './run-parts.service';
import { RunPage } from './run.page';

/** The page of a run: who got the letter, who did not, and why. */
@WebController('/')
export class RunsWebController {
  constructor(
    private readonly runs: RunsService,
    private readonly parts: RunParts,
    private readonly deliveries: DeliveriesService,
    private readonly csvExport: DeliveriesExport,
    private readonly sending: SendNowService,
    private readonly statistics: StatisticsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('runs/:id')
  async show(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Ask() { status, event, search, cursor }: FormValues,
  ): Promise<WebAnswer> {
    const run = await this.runs.get(viewer, id);
    const chosen = oneOf(deliveryStatuses, status);
    const known = oneOf(deliveryEvents, event);
    const [parts, deliveries] = await Promise.all([
      this.parts.of(viewer, reader, run),
      this.deliveries.listOfRun(viewer, id, {
        limit: 50,
        // The counters do not know what is searched for.
        withTotal: !search,
        ...(chosen && { status: chosen }),
        ...(known && { event: known }),
        ...(search && { search }),
        ...(cursor && { cursor }),
      }),
    ]);
    const mayChange = mayChangeOf(viewer, run.ownerId);
    const again = mayChange && parts.mailing && !isGoing(run) ? await this.runs.resendable(run) : 0;
    const elsewhere = await this.deliveries.elsewhere(id, deliveries.items);
    return page(
      (t) => t.run.title,
      <RunPage
        {...{ run, deliveries, mayChange, elsewhere, again, ...parts }}
        pace={paceOf(run)}
        sender={this.config.mailFrom}
      />,
    );
  }

  /** The live part while the run is under way; reloads the page when it is over. */
  @Get('runs/:id/live')
  async look(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Ask() before: FormValues,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    const run = await this.runs.get(viewer, id);
    if (isOutdated(run, before)) response.setHeader('HX-Refresh', 'true');
    const { status, event } = before;
    const keep = { ...(status && { status }), ...(event && { event }) };
    return fragment(<RunLive run={run} pace={paceOf(run, before)} from={`/runs/${id}/live`} keep={keep} />);
  }

  @Get('runs/:id/deliveries.csv')
  async csv(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    await this.runs.get(viewer, id);
    return csvFile(this.csvExport.csv(viewer, id), `run-${id}.csv`);
  }

  @Post('runs/:id/resend-failed')
  resendFailed(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return orBlocked(
      reader,
      form,
      async (override) => {
        const { runId } = await this.sending.resendFailed(viewer, id, override);
        const { mailingId } = await this.runs.get(viewer, runId);
        await this.statistics.forget(viewer);
        return redirect(`/mailings/${mailingId}`, 'resending');
      },
      async () => {
        const { ownerId } = await this.runs.get(viewer, id);
        const back = { to: `/runs/${id}`, text: reader.t.run.title };
        const anyway = { to: `/runs/${id}/resend-failed`, text: reader.t.preflight.verbs.resend };
        return { ownerId, messageId: null, back, anyway };
      },
    );
  }

  @Post('deliveries/:id/resend')
  async resend(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const { runId } = await this.deliveries.resend(viewer, id);
    return redirect(`/runs/${runId}?status=unknown`, 'resending');
  }

  @Post('deliveries/:id/mark-sent')
  async markSent(@CurrentViewer() viewer: Viewer, @Id() id: number, @Form() form: FormValues): Promise<WebAnswer> {
    const { runId } = await this.deliveries.markSent(viewer, id);
    return redirect(`/runs/${wholeNumber(form.runId) ?? runId}?status=unknown`, 'saved');
  }
}
