import { Injectable, type StreamableFile } from '@nestjs/common';
import { nextStep, stageOf } from '../../domain/mailing-stage';
import type { Viewer } from '../../domain/permissions';
import { isBlocking, isOfLetters } from '../../domain/preflight';
import { AccountsService } from '../../features/accounts/accounts.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import { AttachmentsService } from '../../features/messages/attachments.service';
import { type Outcome, OutcomesService } from '../../features/runs/outcomes.service';
import { RunsService } from '../../features/runs/runs.service';
import { SendNowService } from '../../features/scheduling/send-now.service';
import { TimelineService } from '../../features/statistics/timeline.service';
import { chartFile } from '../chart-file';
import { mailingTitle } from '../mailing-title';
import type { Reader } from '../reader';
import { attemptsChart } from '../report-charts';
import type { FormValues } from '../web-controller';
import { isGoing, paceOf } from './run-live';

/** What the page of a mailing shows beside the mailing, read from several services. */
@Injectable()
export class MailingParts {
  constructor(
    private readonly runs: RunsService,
    private readonly outcomes: OutcomesService,
    private readonly sending: SendNowService,
    private readonly timeline: TimelineService,
    private readonly accounts: AccountsService,
    private readonly attachments: AttachmentsService,
  ) {}

  async of(viewer: Viewer, mailing: MailingView, cursor?: string) {
    const [runs, latest, send, timeline, account] = await Promise.all([
      this.runs.listOfMailing(viewer, mailing.id, { limit: 25, ...(cursor && { cursor }) }),
      this.latest(viewer, mailing),
      this.sending.preview(viewer, mailing.id),
      this.timeline.ofMailing(viewer, mailing.id),
      this.accounts.read(),
    ]);
    const stage = stageOf({ ...mailing, run: latest?.outcome ?? null });
    const again = mailing.status === 'done' ? await this.again(viewer, latest?.outcome) : null;
    const storage = latest && isGoing(latest.run) ? await this.attachments.heldUp(latest.run.id) : null;
    const { startAt, endAt, period, timeZone } = mailing;
    const step = nextStep({
      stage,
      status: mailing.status,
      schedule: { startAt, endAt, period, timeZone },
      now: send.now,
      refused: {
        schedule: send.start !== null,
        send: send.refusal !== null,
        resume: send.check.findings.some((finding) => isBlocking(finding) && isOfLetters(finding)),
      },
      resendable: again ? again.people : 0,
    });
    return { runs, latest, send, timeline, account, storage, stage, step, again };
  }

  /** The run that is under way, or else the last one, its speed since the refresh `before`, and what came of it. */
  async latest(viewer: Viewer, mailing: MailingView, before?: FormValues) {
    const outcome = (await this.outcomes.of(viewer, [mailing.id])).get(mailing.id);
    if (!outcome) return null;
    const run = await this.runs.get(viewer, outcome.runId);
    return { run, pace: paceOf(run, before), outcome };
  }

  private async again(viewer: Viewer, outcome: Outcome | undefined) {
    if (!outcome?.failedRunId) return null;
    const run = await this.runs.get(viewer, outcome.failedRunId);
    return { runId: run.id, people: await this.runs.resendable(run) };
  }

  /** The attempts over time as a picture. */
  async chart(viewer: Viewer, reader: Reader, mailing: MailingView, ending: 'svg' | 'png'): Promise<StreamableFile> {
    const timeline = await this.timeline.ofMailing(viewer, mailing.id);
    return chartFile(attemptsChart(timeline, reader), mailingTitle(mailing, reader.t), ending, reader);
  }
}
