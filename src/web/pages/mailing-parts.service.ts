import { Injectable, type StreamableFile } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { AccountsService } from '../../features/accounts/accounts.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import { RunsService } from '../../features/runs/runs.service';
import { SendNowService } from '../../features/scheduling/send-now.service';
import { TimelineService } from '../../features/statistics/timeline.service';
import { chartFile } from '../chart-file';
import type { Reader } from '../reader';
import { attemptsChart } from '../report-charts';
import type { FormValues } from '../web-controller';
import { nameOf } from './mailings.page';
import { paceOf } from './run-live';

/** What the page of a mailing shows beside the mailing, read from several services. */
@Injectable()
export class MailingParts {
  constructor(
    private readonly runs: RunsService,
    private readonly sending: SendNowService,
    private readonly timeline: TimelineService,
    private readonly accounts: AccountsService,
  ) {}

  async of(viewer: Viewer, mailing: MailingView, cursor?: string) {
    const [runs, latest, send, timeline, account] = await Promise.all([
      this.runs.listOfMailing(viewer, mailing.id, { limit: 25, ...(cursor && { cursor }) }),
      this.latest(viewer, mailing),
      this.sending.preview(viewer, mailing.id),
      this.timeline.ofMailing(viewer, mailing.id),
      this.accounts.read(),
    ]);
    return { runs, latest, send, timeline, account };
  }

  /** The live run, or else the last one, and its speed since the refresh `before`. */
  async latest(viewer: Viewer, mailing: MailingView, before?: FormValues) {
    if (!mailing.lastRun) return null;
    const run = await this.runs.get(viewer, mailing.lastRun.id);
    return { run, pace: paceOf(run, before) };
  }

  /** The attempts over time as a picture. */
  async chart(viewer: Viewer, reader: Reader, mailing: MailingView, ending: 'svg' | 'png'): Promise<StreamableFile> {
    const timeline = await this.timeline.ofMailing(viewer, mailing.id);
    return chartFile(attemptsChart(timeline, reader), nameOf(mailing, reader.t.mailings.nameless), ending, reader);
  }
}
