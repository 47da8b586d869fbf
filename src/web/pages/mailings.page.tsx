import { mailingStatuses } from '../../domain/states';
import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Icon } from '../components/icon';
import { Owner, OwnerPick, PageHead, Pick, Results, Search } from '../components/list';
import { MailingChip, Progress, SentOf } from '../components/states';
import { useReader } from '../reader';

export function MailingsPage({ mailings }: { mailings: Page<MailingView> }) {
  const { t, format, path } = useReader();
  const live = mailings.items.some((m) => m.lastRun && m.lastRun.open > 0);
  return (
    <>
      <PageHead title={t.mailings.title}>
        <a class="btn btn-primary" href="/mailings/new">
          <Icon name="plus" /> {t.mailings.new}
        </a>
      </PageHead>
      <Search label={t.mailings.search}>
        <Pick
          name="status"
          label={t.field.status}
          all={t.list.all}
          options={mailingStatuses.map((value) => ({ value, text: t.mailingStatus[value] }))}
        />
        <OwnerPick />
      </Search>
      <Results
        page={mailings}
        {...(live && { attributes: { ...LIVE, 'hx-get': path } })}
        caption={t.mailings.title}
        columns={[
          {
            head: t.field.mailing,
            class: 'main-cell',
            cell: (mailing) => (
              <>
                <a href={`/mailings/${mailing.id}`}>{nameOf(mailing, t.mailings.nameless)}</a>
                {mailing.name && mailing.messageSubject && (
                  <div class="hint">
                    <span class="clip">{mailing.messageSubject}</span>
                  </div>
                )}
                <Owner id={mailing.ownerId} />
              </>
            ),
          },
          { head: t.field.status, cell: ({ status }) => <MailingChip status={status} /> },
          {
            head: t.field.recipients,
            class: 'num',
            cell: ({ recipientCount }) => (recipientCount === null ? '–' : format.number(recipientCount)),
          },
          { head: t.field.period, cell: ({ period }) => t.period[period] },
          {
            head: t.field.nextRun,
            class: 'text-cell muted',
            cell: ({ status, nextRunAt }) => status === 'started' && nextRunAt && format.due(nextRunAt),
          },
          { head: t.field.lastResult, class: 'result-cell', cell: (mailing) => <LastResult of={mailing} /> },
        ]}
        empty={{
          text: t.mailings.empty,
          sample: t.shell.samples.mailings,
          action: { to: '/mailings/new', text: t.mailings.new },
        }}
      />
    </>
  );
}

const LIVE = {
  'data-live': true,
  'hx-trigger': 'every 3s, wake',
  'hx-select': '#results',
  'hx-swap': 'outerHTML',
};

function LastResult({ of }: { of: MailingView }) {
  const { t } = useReader();
  const { lastRun } = of;
  if (!lastRun) return null;
  return (
    <>
      <Progress
        status={lastRun.status}
        counts={{ ...lastRun, skipped: rest(lastRun) }}
        label={t.run.progressOf(nameOf(of, t.mailings.nameless))}
      />
      <span class="hint">
        <SentOf status={lastRun.status} counts={lastRun} />
        {lastRun.failed > 0 && <> · {t.run.failedN(lastRun.failed)}</>}
      </span>
    </>
  );
}

const rest = ({ total, sent, failed, open }: { total: number; sent: number; failed: number; open: number }) =>
  total - sent - failed - open;

export const nameOf = (
  mailing: Pick<MailingView, 'id' | 'name' | 'messageSubject'>,
  nameless: (id: number) => string,
): string => mailing.name || mailing.messageSubject || nameless(mailing.id);
