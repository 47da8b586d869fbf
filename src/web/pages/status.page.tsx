import type { Page } from '../../domain/paging';
import type { AccountLogEntry, AccountState } from '../../features/accounts/accounts.service';
import type { MailboxView } from '../../features/inbound/mailbox-state.service';
import type { ProofSummary } from '../../features/inbound/proof-letters.service';
import type { StatisticsService } from '../../features/statistics/statistics.service';
import { Facts } from '../components/facts';
import { PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { PageHead, Reply, Table } from '../components/list';
import { Pager } from '../components/pager';
import { Chip } from '../components/states';
import { reasonText } from '../codes';
import { useReader } from '../reader';
import { StorageTrouble } from './attachments.page';
import { AccountTrouble } from './home.page';

export interface StatusProps {
  account: AccountState;
  log: Page<AccountLogEntry>;
  workers: Awaited<ReturnType<StatisticsService['liveWorkers']>>;
  /** Null while Redis is away. */
  queues: { name: string; counts: Record<string, number> }[] | null;
  /** Null: nothing can come back. */
  proof: ProofSummary | null;
  sender: string;
  /** Null: letters that come back come in by no mailbox. */
  mailbox: MailboxView | null;
  /** What is wrong with the object store. */
  storage: string | null;
  versions: [string, string][];
  mayResume: boolean;
}

export function StatusPage({ log, workers, queues, versions, mailbox, storage, ...account }: StatusProps) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.status.title} />
      <Account {...account} />
      {storage && <StorageTrouble text={storage} />}
      {mailbox && <Mailbox mailbox={mailbox} />}
      <Workers workers={workers} />
      <Queues queues={queues} />
      {log.items.length > 0 && <Log log={log} />}
      <section class="card-box" aria-labelledby="versions">
        <h2 id="versions">{t.status.versions}</h2>
        <Facts of={versions} class="" />
      </section>
    </>
  );
}

function Account({
  account,
  proof,
  sender,
  mayResume,
}: Pick<StatusProps, 'account' | 'proof' | 'sender' | 'mayResume'>) {
  const { t, user, format, now } = useReader();
  return (
    <section class="card-box" aria-labelledby="account">
      <h2 id="account">{t.account.state}</h2>
      {account.state === 'open' ? <Chip tone="good">{t.account.open}</Chip> : <AccountTrouble account={account} />}
      {mayResume && account.state !== 'open' && (
        <PostForm action="/status/resume">
          <p class="hint">{t.account.resumeHint}</p>
          <button class="btn btn-primary">{t.account.resume}</button>
        </PostForm>
      )}
      <Facts
        class="mt-3"
        of={[
          [t.status.sender, sender],
          [
            t.status.smtp,
            <PostForm action="/status/test">
              <button class="btn btn-secondary">{t.status.test}</button>
              <p class="hint">{user?.email}</p>
            </PostForm>,
          ],
          [
            t.proof.title,
            <>
              <a href="/status/proof">{t.proof.open}</a>
              {proof && (
                <p class="hint">
                  {proof.provedAt ? t.proof.proved(format.ago(proof.provedAt, now)) : t.proof.neverProved}
                </p>
              )}
            </>,
          ],
        ]}
      />
    </section>
  );
}

function Mailbox({ mailbox }: { mailbox: MailboxView }) {
  const { t, format, now } = useReader();
  const { host, folder, lastOkAt, problem, isLate } = mailbox;
  return (
    <section class="card-box" aria-labelledby="mailbox">
      <h2 id="mailbox">{t.mailbox.title}</h2>
      {problem === null ? (
        <Chip tone="good">{t.mailbox.good}</Chip>
      ) : (
        <div class={`alert ${isLate ? 'alert-danger' : 'alert-warning'}`} role="status">
          <Icon name="warning" />
          <div>
            <strong>{t.mailbox.trouble}</strong> {t.mailbox.problem[problem]}
          </div>
        </div>
      )}
      <Facts
        class="mt-3"
        of={[
          [t.mailbox.where, `${host}, ${folder}`],
          [t.mailbox.lastOkAt, lastOkAt ? format.ago(lastOkAt, now) : t.mailbox.never],
        ]}
      />
    </section>
  );
}

function Workers({ workers }: Pick<StatusProps, 'workers'>) {
  const { t, format, now } = useReader();
  return (
    <section aria-labelledby="workers">
      <h2 id="workers">{t.status.workers}</h2>
      {workers.length === 0 ? (
        <div class="alert alert-warning">
          <Icon name="warning" />
          <div>{t.home.noWorkers}</div>
        </div>
      ) : (
        <Table
          caption={t.status.workers}
          rows={workers}
          columns={[
            {
              head: t.status.host,
              class: 'main-cell',
              cell: ({ host, pid }) => (
                <>
                  {host} · {pid}
                </>
              ),
            },
            { head: t.field.createdAt, class: 'text-nowrap', cell: ({ startedAt }) => format.time(startedAt) },
            { head: t.status.heartbeat, cell: ({ heartbeatAt }) => format.ago(heartbeatAt, now) },
            { head: t.status.version, cell: ({ version }) => version },
          ]}
        />
      )}
    </section>
  );
}

function Queues({ queues }: Pick<StatusProps, 'queues'>) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="queues">
      <h2 id="queues">{t.status.depth}</h2>
      {queues === null ? (
        <p class="field-problem">{t.status.queueAway}</p>
      ) : (
        <Table
          caption={t.status.depth}
          rows={queues}
          columns={[
            {
              head: t.field.name,
              class: 'main-cell',
              cell: ({ name }) => <Foreign to={`/queues/queue/${name}`}>{name}</Foreign>,
            },
            {
              head: t.status.waiting,
              class: 'num',
              cell: ({ counts }) => format.number((counts.waiting ?? 0) + (counts.prioritized ?? 0)),
            },
            { head: t.status.activeJobs, class: 'num', cell: ({ counts }) => format.number(counts.active ?? 0) },
            { head: t.status.delayed, class: 'num', cell: ({ counts }) => format.number(counts.delayed ?? 0) },
            { head: t.status.failedJobs, class: 'num', cell: ({ counts }) => format.number(counts.failed ?? 0) },
          ]}
        />
      )}
      <p>
        <Foreign to="/queues">{t.shell.queueBoard}</Foreign>
        <span class="hint d-block">{t.shell.queueBoardHint}</span>
      </p>
    </section>
  );
}

/** A page that is not of this house: in a tab of its own, so that this one stays. */
function Foreign({ to, children }: { to: string; children: string }) {
  const { t } = useReader();
  return (
    <a href={to} target="_blank" rel="noopener">
      {children} <span class="visually-hidden">{t.shell.foreign}</span>
      <span aria-hidden="true">↗</span>
    </a>
  );
}

function Log({ log }: Pick<StatusProps, 'log'>) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="log">
      <h2 id="log">{t.account.log}</h2>
      <Table
        caption={t.account.log}
        rows={log.items}
        columns={[
          { head: t.field.time, class: 'text-nowrap', cell: ({ createdAt }) => format.exact(createdAt) },
          { head: t.account.event, cell: ({ event }) => t.account.events[event] },
          { head: t.attempts.reason, cell: ({ reason }) => reason && reasonText(reason, t) },
          { head: t.field.detail, class: 'response-cell', cell: ({ detail }) => detail && <Reply text={detail} /> },
        ]}
      />
      <Pager {...log} />
    </section>
  );
}
