import { Get, Param, type StreamableFile } from '@nestjs/common';
import { NotFoundError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { MailingsService } from '../../features/mailings/mailings.service';
import {
  type ReportQuery,
  reportParts,
  reportPeriods,
  ReportsService,
  reportSteps,
} from '../../features/statistics/reports.service';
import { reportFile } from '../../http/csv-file';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { chartFile } from '../chart-file';
import { CurrentReader } from '../readers.service';
import { mailingTitle } from '../mailing-title';
import type { Reader } from '../reader';
import { eventsChart, periodsChart } from '../report-charts';
import { Ask, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import type { FoundMailings } from './report-controls';
import { ReportsPage } from './reports.page';

/** How many mailings a search offers. */
const OFFERED = 20;

@WebController('reports')
export class ReportsWebController {
  constructor(
    private readonly reports: ReportsService,
    private readonly mailings: MailingsService,
  ) {}

  @Get()
  async show(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() ask: FormValues,
  ): Promise<WebAnswer> {
    const query = asked(ask, reader);
    const found = await this.find(viewer, reader, query, ask.mailing);
    // A search that finds one mailing has chosen it.
    const only = found?.items.length === 1 ? found.items[0] : undefined;
    if (only) query.mailingId = only.id;
    const [report, periods, name] = await Promise.all([
      this.reports.report(viewer, query),
      this.reports.periods(reader.timeZone),
      this.nameOf(viewer, reader, query),
    ]);
    const mailing = query.mailingId === undefined ? null : { id: query.mailingId, name };
    return page(
      (t) => t.reports.title,
      <ReportsPage report={report} periods={periods} mailing={mailing} found={only ? null : found} />,
    );
  }

  @Get(':part.csv')
  async csv(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Param('part') part: string,
    @Ask() ask: FormValues,
  ): Promise<StreamableFile> {
    const chosen = oneOf(reportParts, part);
    if (!chosen) throw new NotFoundError('Report', part);
    return reportFile(await this.reports.csv(viewer, asked(ask, reader), chosen), chosen);
  }

  @Get('chart.svg')
  svg(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Ask() ask: FormValues) {
    return this.chart(viewer, reader, ask, 'svg');
  }

  @Get('chart.png')
  png(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Ask() ask: FormValues) {
    return this.chart(viewer, reader, ask, 'png');
  }

  private async chart(viewer: Viewer, reader: Reader, ask: FormValues, ending: 'svg' | 'png'): Promise<StreamableFile> {
    const query = asked(ask, reader);
    const [report, name] = await Promise.all([
      this.reports.overTime(viewer, query),
      this.nameOf(viewer, reader, query),
    ]);
    const { t, format } = reader;
    const range = t.reports.range(format.plainDay(report.from), format.plainDay(report.to));
    const data = ask.chart === 'after' ? eventsChart(report, reader) : periodsChart(report, reader);
    return chartFile(data, query.mailingId === undefined ? range : `${range} · ${name}`, ending, reader);
  }

  /** The mailings whose name or subject contains the text; null if none is asked for, or one is chosen already. */
  private async find(
    viewer: Viewer,
    reader: Reader,
    { mailingId }: ReportQuery,
    search: string | undefined,
  ): Promise<FoundMailings | null> {
    if (!search?.trim() || mailingId !== undefined) return null;
    const { items, nextCursor } = await this.mailings.list(viewer, { limit: OFFERED, search: search.trim() });
    return {
      items: items.map((mailing) => ({ id: mailing.id, name: mailingTitle(mailing, reader.t) })),
      more: nextCursor !== null,
    };
  }

  /** What the chosen mailing is called; its number, if it was deleted or is not the viewer's. */
  private async nameOf(viewer: Viewer, { t }: Reader, { mailingId }: ReportQuery): Promise<string> {
    if (mailingId === undefined) return '';
    try {
      return mailingTitle(await this.mailings.get(viewer, mailingId), t);
    } catch (error) {
      if (error instanceof NotFoundError) return t.mailings.nameless(mailingId);
      throw error;
    }
  }
}

function asked({ by, mailingId, period, from, to }: FormValues, reader: Reader): ReportQuery {
  const mailing = wholeNumber(mailingId);
  const named = oneOf(reportPeriods, period);
  return {
    by: oneOf(reportSteps, by) ?? (named === 'this_year' ? 'month' : 'day'),
    timeZone: reader.timeZone,
    ...(mailing && { mailingId: mailing }),
    ...(named && { period: named }),
    ...(from && { from }),
    ...(to && { to }),
  };
}
