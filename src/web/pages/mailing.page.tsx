import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { RunView } from '../../features/runs/runs.service';
import type { SendPreview } from '../../features/scheduling/send-now.service';
import type { Timeline } from '../../features/statistics/timeline.service';
import { Chart } from '../components/chart';
import { Icon } from '../components/icon';
import { Cell, PageHead, Pager, Row, Table } from '../components/list';
import { MailingChip, RunChip, StatusReason } from '../components/states';
import { useReader } from '../reader';
import { MailingActions, type MayDo } from './mailing-actions';
import { nameOf } from './mailings.page';
import { isGoing, type Pace, RunLive, timeOf } from './run-live';

export interface MailingProps {
  mailing: MailingView;
  runs: Page<RunView>;
  /** The run under way, else the last one. */
  latest: { run: RunView; pace: Pace } | null;
  send: SendPreview;
  timeline: Timeline;
  sender: string;
  may: MayDo;
}

export function MailingPage({ mailing, runs, latest, send, timeline, sender, may }: MailingProps) {
  const { t, format } = useReader();
  const name = nameOf(mailing, t.mailings.nameless);
  const at = `/mailings/${mailing.id}`;
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
      <dl class="facts card-box">
        <div>
          <dt>{t.field.message}</dt>
          <dd>
            {mailing.messageId ? (
              <a class="clip" href={`/messages/${mailing.messageId}`}>
                {mailing.messageSubject}
              </a>
            ) : (
              '–'
            )}
          </dd>
        </div>
        <div>
          <dt>{t.field.recipients}</dt>
          <dd>
            {mailing.audience === 'all' ? (
              t.mailings.toAll(mailing.recipientCount)
            ) : (
              <a href={`${at}/clients`}>{t.people(mailing.recipientCount)}</a>
            )}
          </dd>
        </div>
        <div>
          <dt>{t.field.period}</dt>
          <dd>{t.period[mailing.period]}</dd>
        </div>
        <div>
          <dt>{t.field.startAt}</dt>
          <dd>{format.timeIn(mailing.startAt, mailing.timeZone)}</dd>
        </div>
        <div>
          <dt>{t.field.endAt}</dt>
          <dd>{mailing.endAt ? format.timeIn(mailing.endAt, mailing.timeZone) : t.mailings.never}</dd>
        </div>
        <div>
          <dt>{t.field.nextRun}</dt>
          <dd>
            {mailing.status === 'started' && mailing.nextRunAt
              ? format.timeIn(mailing.nextRunAt, mailing.timeZone)
              : '–'}
          </dd>
        </div>
        <div>
          <dt>{t.field.sender}</dt>
          <dd>{sender}</dd>
        </div>
      </dl>
      {latest && <RunLive {...latest} from={`${at}/live`} keep={{ was: mailing.status }} />}
      {timeline.points.length > 0 && (
        <section class="card-box" aria-labelledby="timeline">
          <h2 id="timeline">{t.mailings.timeline}</h2>
          <Chart
            title={t.mailings.timeline}
            x={t.field.time}
            series={[
              { name: t.attemptStatus.ok, colour: 'sent' },
              { name: t.attemptStatus.failed, colour: 'failed' },
              { name: t.attemptStatus.unknown, colour: 'unknown' },
            ]}
            points={timeline.points.map((p) => ({
              label: timeline.stepMs >= 86_400_000 ? format.day(p.at) : format.time(p.at),
              values: [p.ok, p.failed, p.unknown],
            }))}
          />
        </section>
      )}
      <Runs runs={runs} shownAbove={latest && isGoing(latest.run) ? latest.run.id : null} />
    </>
  );
}

/** The numbers of the run that is shown above are not repeated: there they are fresh, here they would grow old. */
function Runs({ runs, shownAbove }: { runs: Page<RunView>; shownAbove: number | null }) {
  const { t, format } = useReader();
  if (runs.items.length === 0) return null;
  return (
    <section aria-labelledby="runs">
      <h2 id="runs">{t.run.runs}</h2>
      <Table
        caption={t.run.runs}
        heads={[
          t.field.time,
          t.run.why,
          t.field.status,
          { text: t.counts.sent, class: 'num' },
          { text: t.counts.failed, class: 'num' },
          { text: t.counts.unknown, class: 'num' },
          { text: t.counts.skipped, class: 'num' },
        ]}
      >
        {runs.items.map((run) => {
          const number = (n: number) => (run.id === shownAbove ? '–' : format.number(n));
          return (
            <Row key={run.id}>
              <Cell label={t.field.time} class="main-cell text-nowrap">
                {run.status === 'missed' ? (
                  format.time(timeOf(run))
                ) : (
                  <a href={`/runs/${run.id}`}>{format.time(timeOf(run))}</a>
                )}
              </Cell>
              <Cell label={t.run.why}>{t.runTrigger[run.trigger]}</Cell>
              <Cell label={t.field.status}>
                <div>
                  <RunChip status={run.status} />
                  {run.reason && <span class="hint"> {t.runReason[run.reason]}</span>}
                </div>
              </Cell>
              <Cell label={t.counts.sent} class="num">
                {number(run.counts.sent)}
              </Cell>
              <Cell label={t.counts.failed} class="num">
                {number(run.counts.failed)}
              </Cell>
              <Cell label={t.counts.unknown} class="num">
                {number(run.counts.unknown)}
              </Cell>
              <Cell label={t.counts.skipped} class="num">
                {number(run.counts.skipped + run.counts.cancelled)}
              </Cell>
            </Row>
          );
        })}
      </Table>
      <Pager nextCursor={runs.nextCursor} />
    </section>
  );
}
