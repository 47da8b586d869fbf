import { Get, Header } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { MailingsService } from '../../features/mailings/mailings.service';
import { type ReportQuery, ReportsService, reportSteps } from '../../features/statistics/reports.service';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { nameOf } from './mailings.page';
import { ReportsPage } from './reports.page';

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
    const [report, mailings] = await Promise.all([
      this.reports.report(viewer, asked(ask, reader)),
      this.mailings.list(viewer, { limit: 100 }),
    ]);
    const choices = mailings.items.map((m) => ({ id: m.id, name: nameOf(m, reader.t.mailings.nameless) }));
    return page((t) => t.reports.title, <ReportsPage report={report} mailings={choices} />);
  }

  @Get('periods.csv')
  @Header('Content-Type', 'text/csv; charset=utf-8')
  @Header('Content-Disposition', 'attachment; filename="report.csv"')
  csv(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Ask() ask: FormValues): Promise<string> {
    return this.reports.csv(viewer, asked(ask, reader));
  }
}

function asked({ by, mailingId, from, to }: FormValues, reader: Reader): ReportQuery {
  const mailing = wholeNumber(mailingId);
  return {
    by: oneOf(reportSteps, by) ?? 'day',
    timeZone: reader.timeZone,
    ...(mailing && { mailingId: mailing }),
    ...(from && { from }),
    ...(to && { to }),
  };
}
