import type { Page } from '../../domain/paging';
import type { TransportLogEntry, TransportState } from '../../features/deliveries/transport.service';
import type { StatisticsService } from '../../features/statistics/statistics.service';
import { PostForm } from '../components/form';
import { Cell, Empty, PageHead, Pager, Reply, Row, Table } from '../components/list';
import { Chip } from '../components/states';
import { reasonText } from '../codes';
import { useReader } from '../reader';
import { TransportTrouble } from './home.page';

export interface StatusProps {
  transport: TransportState;
  log: Page<TransportLogEntry>;
  workers: Awaited<ReturnType<StatisticsService['liveWorkers']>>;
  /** Null while Redis is away. */
  queues: { name: string; counts: Record<string, number> }[] | null;
  sender: string;
  versions: [string, string][];
  mayResume: boolean;
}

export function StatusPage({ transport, log, workers, queues, sender, versions, mayResume }: StatusProps) {
  const { t, format, now, user } = useReader();
  return (
    <>
      <PageHead title={t.status.title} />
      <section class="card-box" aria-labelledby="account">
        <h2 id="account">{t.transport.state}</h2>
        {transport.state === 'open' ? (
          <Chip tone="good">{t.transport.open}</Chip>
        ) : (
          <TransportTrouble transport={transport} />
        )}
        {mayResume && transport.state !== 'open' && (
          <PostForm action="/status/resume">
            <p class="hint">{t.transport.resumeHint}</p>
            <button class="btn btn-primary">{t.transport.resume}</button>
          </PostForm>
        )}
        <dl class="facts mt-3">
          <div>
            <dt>{t.status.sender}</dt>
            <dd>{sender}</dd>
          </div>
          <div>
            <dt>{t.status.smtp}</dt>
            <dd>
              <PostForm action="/status/test">
                <button class="btn btn-secondary">{t.status.test}</button>
                <p class="hint">{user?.email}</p>
              </PostForm>
            </dd>
          </div>
        </dl>
      </section>
      <section aria-labelledby="workers">
        <h2 id="workers">{t.status.workers}</h2>
        {workers.length === 0 ? (
          <Empty text={t.status.noWorkers} />
        ) : (
          <Table
            caption={t.status.workers}
            heads={[t.status.host, t.field.createdAt, t.status.heartbeat, t.status.version]}
          >
            {workers.map((worker) => (
              <Row key={worker.id}>
                <Cell label={t.status.host} class="main-cell">
                  {worker.host} · {worker.pid}
                </Cell>
                <Cell label={t.field.createdAt} class="text-nowrap">
                  {format.time(worker.startedAt)}
                </Cell>
                <Cell label={t.status.heartbeat}>{format.ago(worker.heartbeatAt, now)}</Cell>
                <Cell label={t.status.version}>{worker.version}</Cell>
              </Row>
            ))}
          </Table>
        )}
      </section>
      <section aria-labelledby="queues">
        <h2 id="queues">{t.status.depth}</h2>
        {queues === null ? (
          <p class="field-problem">{t.status.queueAway}</p>
        ) : (
          <Table
            caption={t.status.depth}
            heads={[
              t.field.name,
              { text: t.status.waiting, class: 'num' },
              { text: t.status.activeJobs, class: 'num' },
              { text: t.status.delayed, class: 'num' },
              { text: t.status.failedJobs, class: 'num' },
            ]}
          >
            {queues.map(({ name, counts }) => (
              <Row key={name}>
                <Cell label={t.field.name} class="main-cell">
                  <a href={`/queues/queue/${name}`}>{name}</a>
                </Cell>
                <Cell label={t.status.waiting} class="num">
                  {format.number((counts.waiting ?? 0) + (counts.prioritized ?? 0))}
                </Cell>
                <Cell label={t.status.activeJobs} class="num">
                  {format.number(counts.active ?? 0)}
                </Cell>
                <Cell label={t.status.delayed} class="num">
                  {format.number(counts.delayed ?? 0)}
                </Cell>
                <Cell label={t.status.failedJobs} class="num">
                  {format.number(counts.failed ?? 0)}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </section>
      {log.items.length > 0 && (
        <section aria-labelledby="log">
          <h2 id="log">{t.transport.log}</h2>
          <Table caption={t.transport.log} heads={[t.field.time, t.transport.event, t.attempts.reason, t.field.detail]}>
            {log.items.map((entry) => (
              <Row key={entry.id}>
                <Cell label={t.field.time} class="text-nowrap">
                  {format.exact(entry.createdAt)}
                </Cell>
                <Cell label={t.transport.event}>{t.transport.events[entry.event]}</Cell>
                <Cell label={t.attempts.reason}>{entry.reason && reasonText(entry.reason, t)}</Cell>
                <Cell label={t.field.detail} class="response-cell">
                  {entry.detail && <Reply text={entry.detail} />}
                </Cell>
              </Row>
            ))}
          </Table>
          <Pager nextCursor={log.nextCursor} />
        </section>
      )}
      <section class="card-box" aria-labelledby="versions">
        <h2 id="versions">{t.status.versions}</h2>
        <dl class="facts">
          {versions.map(([name, version]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{version}</dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}
