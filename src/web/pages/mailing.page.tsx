import type { Page } from '../../domain/paging';
import { takes } from '../../features/audiences/audiences';
import type { AccountState } from '../../features/accounts/accounts.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { RunView } from '../../features/runs/runs.service';
import type { SendPreview } from '../../features/scheduling/send-now.service';
import type { Timeline } from '../../features/statistics/timeline.service';
import { Chart } from '../components/chart';
import { Facts } from '../components/facts';
import { Icon } from '../components/icon';
import { languageNames } from '../components/language';
import { type Column, PageHead, Pager, Table } from '../components/list';
import { PreflightBox } from '../components/preflight';
import { EventNumbers, MailingChip, RunChip, StatusReason } from '../components/states';
import { useReader } from '../reader';
import { attemptsChart } from '../report-charts';
import { AccountTrouble } from './home.page';
import { MailingActions, type MayDo } from './mailing-actions';
import { nameOf } from './mailings.page';
import { isGoing, type Pace, RunLive, timeOf } from './run-live';

export interface MailingProps {
  mailing: MailingView;
  runs: Page<RunView>;
  /** The live run, or else the last one. */
  latest: { run: RunView; pace: Pace } | null;
  send: SendPreview;
  timeline: Timeline;
  sender: string;
  may: MayDo;
  account: AccountState;
}

export function MailingPage({ mailing, runs, latest, send, timeline, sender, may, account }: MailingProps) {
  const { t } = useReader();
  const name = nameOf(mailing, t.mailings.nameless);
  return (
    <>
      <PageHead
        title={name}
        back={{ to: '/mailings', text: t.mailings.title }}
        chip={<MailingChip status={mailing.status} />}
      >
        <MailingActions mailing={mailing} send={send} sender={sender} may={may} />
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
      {['created', 'started', 'paused'].includes(mailing.status) && (
        <PreflightBox check={send.check} mailing={mailing} may={may} />
      )}
      <MailingFacts mailing={mailing} sender={sender} chosen={send.check.chosen} />
      {latest && <RunLive {...latest} from={`/mailings/${mailing.id}/live`} keep={{ was: mailing.status }} />}
      {timeline.points.length > 0 && <Tries id={mailing.id} timeline={timeline} />}
      <Runs runs={runs} shownAbove={latest && isGoing(latest.run) ? latest.run.id : null} />
    </>
  );
}

type FactsProps = Pick<MailingProps, 'mailing' | 'sender'> & { chosen: number | null };

function MailingFacts({ mailing, sender, chosen }: FactsProps) {
  const { t, format } = useReader();
  const { messageId, startAt, endAt, nextRunAt, timeZone } = mailing;
  return (
    <Facts
      of={[
        [
          t.field.message,
          messageId ? (
            <a class="clip" href={`/messages/${messageId}`}>
              {mailing.messageSubject}
            </a>
          ) : (
            '–'
          ),
        ],
        [t.field.recipients, <Recipients mailing={mailing} chosen={chosen} />],
        [t.field.period, t.period[mailing.period]],
        [t.field.startAt, format.timeIn(startAt, timeZone)],
        [t.field.endAt, endAt ? format.timeIn(endAt, timeZone) : t.mailings.never],
        [t.field.nextRun, mailing.status === 'started' && nextRunAt ? format.timeIn(nextRunAt, timeZone) : '–'],
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
      <h2 id="timeline">{t.mailings.timeline}</h2>
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
              return run.status === 'missed' ? time : <a href={`/runs/${run.id}`}>{time}</a>;
            },
          },
          { head: t.run.why, cell: ({ trigger }) => t.runTrigger[trigger] },
          {
            head: t.field.status,
            cell: ({ id, status, reason, after }) => (
              <div>
                <RunChip status={status} />
                {reason && <span class="hint"> {t.runReason[reason]}</span>}
                {id !== shownAbove && <EventNumbers counts={after} class="hint d-block" />}
              </div>
            ),
          },
          number(t.counts.sent, ({ sent }) => sent),
          number(t.counts.failed, ({ failed }) => failed),
          number(t.counts.unknown, ({ unknown }) => unknown),
          number(t.counts.skipped, ({ skipped, cancelled }) => skipped + cancelled),
        ]}
      />
      <Pager nextCursor={runs.nextCursor} />
    </section>
  );
}
