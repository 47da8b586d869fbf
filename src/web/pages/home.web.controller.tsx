import { Get, Param, Query, Res, type StreamableFile } from '@nestjs/common';
import type { Response } from 'express';
import type { Viewer } from '../../domain/permissions';
import { AccountsService } from '../../features/accounts/accounts.service';
import { SuppressionBatches } from '../../features/consent/batches.service';
import { OutcomesService } from '../../features/runs/outcomes.service';
import { FirstStepsService } from '../../features/statistics/first-steps.service';
import { StatisticsService } from '../../features/statistics/statistics.service';
import { SecondFactorService } from '../../features/users/second-factor.service';
import { CurrentViewer, Public } from '../../http/viewer';
import { fragment, page, redirect, type WebAnswer } from '../answers';
import { chartFile } from '../chart-file';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { daysChart } from '../report-charts';
import { isLanguage } from '../texts/texts';
import { WebController } from '../web-controller';
import { localPath } from '../local-path';
import { HomeLive, HomePage, type HomeProps } from './home.page';

@WebController('/')
export class HomeWebController {
  constructor(
    private readonly statistics: StatisticsService,
    private readonly outcomes: OutcomesService,
    private readonly firstSteps: FirstStepsService,
    private readonly accounts: AccountsService,
    private readonly secondFactor: SecondFactorService,
    private readonly batches: SuppressionBatches,
  ) {}

  @Get()
  async home(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    const [read, remind, steps] = await Promise.all([
      this.read(viewer, reader),
      this.secondFactor.isMissing(viewer),
      this.firstSteps.of(viewer),
    ]);
    return page((t) => t.home.title, <HomePage {...read} remind={remind} steps={steps} />);
  }

  @Get('live')
  async live(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    return fragment(<HomeLive {...await this.read(viewer, reader)} />);
  }

  @Get('chart.svg')
  svg(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<StreamableFile> {
    return this.chart(viewer, reader, 'svg');
  }

  @Get('chart.png')
  png(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<StreamableFile> {
    return this.chart(viewer, reader, 'png');
  }

  /** For visitors who are not signed in; users have a language in their profile. */
  @Public()
  @Get('language/:code')
  language(
    @Param('code') code: string,
    @Query('next') next: unknown,
    @Res({ passthrough: true }) response: Response,
  ): WebAnswer {
    if (isLanguage(code))
      response.cookie('gonets_language', code, { sameSite: 'lax', path: '/', maxAge: 31_536_000_000 });
    return redirect(localPath(next));
  }

  private async chart(viewer: Viewer, reader: Reader, ending: 'svg' | 'png'): Promise<StreamableFile> {
    const overview = await this.statistics.overview(viewer, reader.timeZone);
    const [first, last] = [overview.days[0], overview.days.at(-1)].map((day) => reader.format.plainDay(day?.day ?? ''));
    return chartFile(daysChart(overview, reader), reader.t.reports.range(first ?? '', last ?? ''), ending, reader);
  }

  private async read(viewer: Viewer, reader: Reader): Promise<HomeProps> {
    const [overview, present, account, outages] = await Promise.all([
      this.statistics.overview(viewer, reader.timeZone),
      this.statistics.present(viewer),
      this.accounts.read(),
      this.batches.undecided(viewer),
    ]);
    const outcomes = await this.outcomes.of(
      viewer,
      present.live.map(({ mailingId }) => mailingId),
    );
    return { overview, present, outcomes, account, outages };
  }
}
