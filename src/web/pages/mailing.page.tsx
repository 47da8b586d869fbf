import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { RunView } from '../../features/runs/runs.service';
import type { SendPreview } from '../../features/scheduling/lifecycle.service';
import type { Timeline } from '../../features/statistics/timeline.service';
import { Chart } from '../components/chart';
import { Confirm, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Cell, PageHead, Pager, Row, Table } from '../components/list';
import { MailingChip, Progress, RunChip } from '../components/states';
import { useReader } from '../reader';
import { refusal } from '../refusal';
import { nameOf } from './mailings.page';

export interface MailingProps {
  mailing: MailingView;
  runs: Page<RunView>;
  live: LiveProps;
  send: SendPreview;
  timeline: Timeline;
  sender: string;
  may: { change: boolean; pause: boolean; resume: boolean };
  idempotencyKey: string;
}

export function MailingPage({ mailing, runs, live, send, timeline, sender, may, idempotencyKey }: MailingProps) {
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
        <Actions mailing={mailing} send={send} sender={sender} may={may} idempotencyKey={idempotencyKey} />
      </PageHead>
      {mailing.statusCode && (
        <div class="alert alert-warning">
          <Icon name="warning" />
          <div>
            {t.statusCode(mailing.statusCode)} {format.time(mailing.statusSince)}
            {mailing.statusText && <code class="reply">{mailing.statusText}</code>}
          </div>
        </div>
      )}
      <dl class="facts card-box">
        <div>
          <dt>{t.field.message}</dt>
          <dd>{mailing.messageId ? <a href={`/messages/${mailing.messageId}`}>{mailing.messageSubject}</a> : '–'}</dd>
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
      <MailingLive {...live} />
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
      <Runs runs={runs} />
    </>
  );
}

function Actions({
  mailing,
  send,
  sender,
  may,
  idempotencyKey,
}: Pick<MailingProps, 'mailing' | 'send' | 'sender' | 'may'> & { idempotencyKey: string }) {
  const { t } = useReader();
  const at = `/mailings/${mailing.id}`;
  const { status } = mailing;
  return (
    <>
      {may.pause && status === 'started' && (
        <PostForm action={`${at}/pause`}>
          <button class="btn btn-secondary">{t.mailings.pause}</button>
        </PostForm>
      )}
      {may.resume && status === 'paused' && (
        <PostForm action={`${at}/resume`}>
          <button class="btn btn-primary">{t.mailings.resume}</button>
        </PostForm>
      )}
      {may.change && (
        <>
          {status === 'created' && (
            <Confirm id="start" action={`${at}/start`} text={t.mailings.start} question={t.mailings.startQuestion}>
              <p>
                {mailing.startAt <= useReader().now
                  ? t.mailings.startsNow(mailing.recipientCount, sender)
                  : t.mailings.startsLater(mailing.recipientCount, sender)}
              </p>
            </Confirm>
          )}
          {(status === 'created' || status === 'started') && (
            <Confirm
              id="send"
              action={`${at}/send`}
              text={t.mailings.send}
              question={t.mailings.sendQuestion(send.recipients)}
              kind="btn-primary"
              idempotencyKey={idempotencyKey}
            >
              <p>{t.mailings.sendText(send.recipients, sender)}</p>
              {send.leftOut.map(({ count }) => (
                <p class="hint" key={count}>
                  {t.mailings.gotItAlready(count)}
                </p>
              ))}
              {send.refusal && <p class="field-problem">{refusal(send.refusal, t)}</p>}
            </Confirm>
          )}
          <details class="more">
            <summary class="btn btn-secondary">{t.form.more}</summary>
            <div class="more-menu">
              {status !== 'done' && (
                <a class="btn btn-quiet" href={`${at}/edit`}>
                  {t.form.edit}
                </a>
              )}
              <PostForm action={`${at}/copy`}>
                <button class="btn btn-quiet">{t.form.copy}</button>
              </PostForm>
              {status !== 'done' && (
                <Confirm
                  id="finish"
                  action={`${at}/finish`}
                  text={t.mailings.finish}
                  question={t.mailings.finishQuestion}
                  kind="btn-quiet danger"
                >
                  <p>{t.mailings.finishText}</p>
                </Confirm>
              )}
              <Confirm
                id="delete"
                action={`${at}/delete`}
                text={t.form.delete}
                question={t.mailings.deleteQuestion}
                kind="btn-quiet danger"
              >
                <p>{t.mailings.deleteText}</p>
              </Confirm>
            </div>
          </details>
        </>
      )}
    </>
  );
}

export interface LiveProps {
  mailingId: number;
  status: string;
  run: RunView | null;
  /** Letters a second since the last look, or since the run began. */
  rate: number | null;
  /** For the next look: how many were through, and when. */
  done: number;
  atMs: number;
}

/** The run that is under way, looked at every second and a half until it is done. */
export function MailingLive({ mailingId, status, run, rate, done, atMs }: LiveProps) {
  const { t, format } = useReader();
  if (!run) return <div id="mailing-live" data-idle></div>;
  const { counts } = run;
  const open = counts.pending + counts.sending + counts.deferred;
  const going = run.status === 'planning' || run.status === 'sending';
  return (
    <section
      id="mailing-live"
      class="card-box"
      aria-labelledby="live-title"
      {...(going
        ? {
            'data-live': true,
            'hx-get': `/mailings/${mailingId}/live?was=${status}&run=${run.id}&done=${done}&at=${atMs}`,
            'hx-trigger': 'every 1500ms, wake',
            'hx-swap': 'outerHTML',
          }
        : {})}
    >
      <div class="line">
        <h2 id="live-title">{going ? t.run.going : t.run.last}</h2>
        <RunChip status={run.status} />
      </div>
      <Progress counts={counts} label={t.run.progressOf('')} />
      <p class="line">
        <span>{t.run.done(format.number(counts.sent), format.number(counts.total))}</span>
        <span class="hint">
          {going && rate !== null && rate > 0 && (
            <>
              {t.run.rate(format.number(Math.round(rate * 10) / 10))} ·{' '}
              {t.run.left(format.duration((open / rate) * 1000))}
            </>
          )}
          {!going && run.finishedAt && format.time(run.finishedAt)}
        </span>
      </p>
      <Counts run={run} />
    </section>
  );
}

export function Counts({ run }: { run: RunView }) {
  const { t, format, query } = useReader();
  const { total, ...states } = run.counts;
  const chosen = query.get('status');
  return (
    <ul class="counts">
      <li>
        <a href={`/runs/${run.id}`}>
          {t.list.all} <b>{format.number(total)}</b>
        </a>
      </li>
      {(Object.entries(states) as [keyof typeof states, number][])
        .filter(([, n]) => n !== 0)
        .map(([status, n]) => (
          <li key={status}>
            <a
              href={`/runs/${run.id}?status=${status}`}
              class={`count-${status}`}
              aria-current={chosen === status ? 'true' : undefined}
            >
              {t.deliveryStatus[status]} <b>{format.number(n)}</b>
            </a>
          </li>
        ))}
    </ul>
  );
}

function Runs({ runs }: { runs: Page<RunView> }) {
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
        {runs.items.map((run) => (
          <Row key={run.id}>
            <Cell label={t.field.time} class="main-cell">
              {run.status === 'missed' ? (
                format.time(run.occurrenceAt ?? run.createdAt)
              ) : (
                <a href={`/runs/${run.id}`}>{format.time(run.occurrenceAt ?? run.createdAt)}</a>
              )}
            </Cell>
            <Cell label={t.run.why}>{t.runTrigger[run.trigger]}</Cell>
            <Cell label={t.field.status}>
              <RunChip status={run.status} />
              {run.reason && <span class="hint"> {t.runReason[run.reason]}</span>}
            </Cell>
            <Cell label={t.counts.sent} class="num">
              {format.number(run.counts.sent)}
            </Cell>
            <Cell label={t.counts.failed} class="num">
              {format.number(run.counts.failed)}
            </Cell>
            <Cell label={t.counts.unknown} class="num">
              {format.number(run.counts.unknown)}
            </Cell>
            <Cell label={t.counts.skipped} class="num">
              {format.number(run.counts.skipped + run.counts.cancelled)}
            </Cell>
          </Row>
        ))}
      </Table>
      <Pager nextCursor={runs.nextCursor} />
    </section>
  );
}
