import type { MailingStage } from '../../domain/mailing-stage';
import { subjectTitle } from '../../domain/subject-title';
import type { Page } from '../../domain/paging';
import { takes } from '../../features/audiences/audiences';
import type { AccountState } from '../../features/accounts/accounts.service';
import type { RunView } from '../../features/runs/runs.service';
import type { Outcome } from '../../features/runs/outcomes.service';
import type { Timeline } from '../../features/statistics/timeline.service';
import { Chart } from '../components/chart';
import { Facts } from '../components/facts';
import { Icon } from '../components/icon';
import { languageNames } from '../components/language';
import { LetterThumb } from '../components/letter-thumb';
import { type Column, PageHead, Table } from '../components/list';
import { Pager } from '../components/pager';
import { PreflightBox } from '../components/preflight';
import { EventNumbers, MailingChip, RunChip, StatusReason } from '../components/states';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import { attemptsChart, attemptsTitle } from '../report-charts';
import { StorageTrouble } from './attachments.page';
import { AccountTrouble } from './home.page';
import { type ActionProps, DraftLine, MailingActions } from './mailing-actions';
import { isGoing, type Pace, RunLive, timeOf } from './run-live';

export interface MailingProps extends ActionProps {
  stage: MailingStage;
  runs: Page<RunView>;
  /** The sending that is under way, or else the last one. */
  latest: { run: RunView; pace: Pace; outcome: Outcome } | null;
  timeline: Timeline;
  account: AccountState;
  /** Why letters with attachments wait. */
  storage: string | null;
}

/** First how the mailing stands, in one sentence with the next step; the facts come after it. */
export function MailingPage({ stage, runs, latest, timeline, account, storage, ...actions }: MailingProps) {
  const { mailing, send, sender, may } = actions;
  const { t } = useReader();
  const chosen = mailing.status === 'done' ? mailing.recipientCount : send.check.chosen;
  const isLast = latest !== null && isGoing(latest.run) && mailing.nextRunAt === null;
  return (
    <>
      <PageHead
        title={mailingTitle(mailing, t)}
        back={{ to: '/mailings', text: t.mailings.title }}
        chip={<MailingChip mailing={mailing} outcome={latest?.outcome} />}
      >
        <MailingActions {...actions} />
      </PageHead>
      {mailing.statusCode && (
        <div class="alert alert-warning">
          <Icon name="warning" />
          <div>
            <StatusReason code={mailing.statusCode} text={mailing.statusText} since={mailing.statusSince} />
          </div>
        </div>
      )}
      {latest && isGoing(latest.run) && account.state !== 'open' && <AccountTrouble account={account} />}
      {storage && <StorageTrouble text={storage} />}
      {stage === 'draft' && <DraftLine {...actions} />}
      {stage === 'scheduled' && <ScheduledLine mailing={mailing} />}
      {stage === 'onHold' && !mailing.statusCode && !(latest && isGoing(latest.run)) && (
        <p class="alert alert-warning">
          <Icon name="warning" />
          {t.line.held}
        </p>
      )}
      <div class="stage">
        <Thumbnail mailing={mailing} runId={latest?.run.id} />
        <div>
          {latest && <RunLive {...latest} from={`/mailings/${mailing.id}/live`} keep={{ was: mailing.status }} />}
          {mailing.status !== 'done' && (
            <PreflightBox check={send.check} mailing={mailing} now={send.now} may={may} isLast={isLast} />
          )}
          <MailingFacts mailing={mailing} sender={sender} chosen={chosen} />
        </div>
      </div>
      {timeline.points.length > 0 && <Tries id={mailing.id} timeline={timeline} />}
      <Runs runs={runs} shownAbove={latest && isGoing(latest.run) ? latest.run.id : null} />
    </>
  );
}

function ScheduledLine({ mailing: { nextRunAt } }: Pick<MailingProps, 'mailing'>) {
  const { t, format } = useReader();
  if (!nextRunAt) return null;
  return (
    <p class="alert alert-info">
      <Icon name="mailings" />
      {t.line.next(format.due(nextRunAt))}
    </p>
  );
}

/** The letter, small: as it was last sent, or as it would be. */
function Thumbnail({ mailing: { messageId }, runId }: Pick<MailingProps, 'mailing'> & { runId: number | undefined }) {
  const { t } = useReader();
  if (runId === undefined && messageId === null) return null;
  const of = runId === undefined ? `/messages/${messageId}` : `/runs/${runId}`;
  return (
    <div class="thumb">
      <LetterThumb src={`${of}/letter.html`} />
      {runId === undefined ? <a href={of}>{t.line.seeMessage}</a> : <a href={`${of}/letter`}>{t.line.seeLetter}</a>}
    </div>
  );
}

type FactsProps = Pick<MailingProps, 'mailing' | 'sender'> & { chosen: number | null };

function MailingFacts({ mailing, sender, chosen }: FactsProps) {
  const { t, format, timeZone: own } = useReader();
  const { messageId, startAt, endAt, nextRunAt, timeZone } = mailing;
  return (
    <Facts
      of={[
        [
          t.field.message,
          messageId ? (
            <a class="clip" href={`/messages/${messageId}`}>
              {subjectTitle(mailing.messageSubject ?? '')}
            </a>
          ) : (
            '–'
          ),
        ],
        [t.field.recipients, <Recipients mailing={mailing} chosen={chosen} />],
        [t.field.period, t.period[mailing.period]],
        [t.field.startAt, format.due(startAt)],
        [t.field.endAt, endAt ? format.due(endAt) : t.mailings.never],
        [t.field.nextRun, mailing.status === 'started' && nextRunAt ? format.due(nextRunAt) : '–'],
        ...(timeZone === own ? [] : [[t.shell.scheduleZone, timeZone] as const]),
        [t.field.sender, sender],
        [t.field.kind, <KindOf mailing={mailing} />],
      ]}
    />
  );
}

/** To whom it goes, as many as they are now, and whom it leaves out. */
function Recipients({ mailing, chosen }: Pick<FactsProps, 'mailing' | 'chosen'>) {
  const { t } = useReader();
  const { id, audience, segmentId, segmentName, excludeSegmentId, excludeSegmentName } = mailing;
  const recipients = t.mailings.audience[audience].recipients(chosen);
  return (
    <>
      {takes(audience, 'clientIds') ? <a href={`/mailings/${id}/clients`}>{recipients}</a> : recipients}
      {segmentId !== null && (
        <span class="d-block">
          {t.segments.one}: <a href={`/segments/${segmentId}`}>{segmentName}</a>
        </span>
      )}
      {excludeSegmentId !== null && (
        <span class="d-block">
          {t.segments.leftOut}: <a href={`/segments/${excludeSegmentId}`}>{excludeSegmentName}</a>
        </span>
      )}
    </>
  );
}

function KindOf({ mailing: { kind, transactionalReason, language } }: Pick<MailingProps, 'mailing'>) {
  const { t } = useReader();
  return (
    <>
      {t.mailings.kind[kind].name}
      {transactionalReason && <span class="hint d-block">{transactionalReason}</span>}
      <span class="hint d-block">
        {t.mailings.language}: {languageNames[language]}
      </span>
    </>
  );
}

/** Attempts by result over time. */
function Tries({ id, timeline }: { id: number; timeline: Timeline }) {
  const { t, format } = useReader();
  return (
    <section class="card-box" aria-labelledby="timeline">
      <h2 id="timeline">{attemptsTitle(timeline, t)}</h2>
      <Chart
        id="timeline-chart"
        {...attemptsChart(timeline, { t, format })}
        file={{ path: `/mailings/${id}/chart`, query: '' }}
      />
    </section>
  );
}

/**
 * The numbers of the run that is shown above are not repeated: there they are refreshed, here they would become
 * outdated.
 */
function Runs({ runs, shownAbove }: { runs: Page<RunView>; shownAbove: number | null }) {
  const { t, format } = useReader();
  if (runs.items.length === 0) return null;
  const number = (head: string, of: (counts: RunView['counts']) => number): Column<RunView> => ({
    head,
    class: 'num',
    cell: ({ id, counts }) => (id === shownAbove ? '–' : format.number(of(counts))),
  });
  const rare = (head: string, of: (counts: RunView['counts']) => number): Column<RunView> => ({
    ...number(head, of),
    isZero: ({ id, counts }) => id === shownAbove || of(counts) === 0,
  });
  return (
    <section aria-labelledby="runs">
      <h2 id="runs">{t.run.runs}</h2>
      <Table
        caption={t.run.runs}
        rows={runs.items}
        columns={[
          {
            head: t.field.time,
            class: 'main-cell text-nowrap',
            cell: (run) => {
              const time = format.time(timeOf(run));
              if (run.status === 'missed') return time;
              return (
                <>
                  <a href={`/runs/${run.id}`}>{time}</a>
                  <span class="hint clip">{subjectTitle(run.subject)}</span>
                </>
              );
            },
          },
          { head: t.run.why, cell: ({ trigger }) => t.runTrigger[trigger] },
          {
            head: t.field.status,
            cell: (run) => (
              <div>
                <RunChip run={run} />
                {run.reason && <span class="hint"> {t.runReason[run.reason]}</span>}
                {run.id !== shownAbove && <EventNumbers counts={run.after} class="hint d-block" />}
              </div>
            ),
          },
          number(t.counts.sent, ({ sent }) => sent),
          rare(t.counts.failed, ({ failed }) => failed),
          rare(t.counts.unknown, ({ unknown }) => unknown),
          rare(t.counts.skipped, ({ skipped, cancelled }) => skipped + cancelled),
        ]}
      />
      <Pager {...runs} />
    </section>
  );
}
