import { mailingStatuses } from '../../domain/states';
import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Icon } from '../components/icon';
import { Owner, OwnerPick, PageHead, Pick, Results, Search } from '../components/list';
import { subjectTitle } from '../../domain/subject-title';
import type { Outcome } from '../../features/runs/outcomes.service';
import { MailingChip, OutcomeLine, Progress } from '../components/states';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';

interface Props {
  mailings: Page<MailingView>;
  outcomes: Map<number, Outcome>;
}

export function MailingsPage({ mailings, outcomes }: Props) {
  const { t, format, path } = useReader();
  const live = [...outcomes.values()].some((outcome) => outcome.open > 0);
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
                <a href={`/mailings/${mailing.id}`}>{mailingTitle(mailing, t)}</a>
                {mailing.name && mailing.messageSubject && (
                  <div class="hint">
                    <span class="clip">{subjectTitle(mailing.messageSubject)}</span>
                  </div>
                )}
                <Owner id={mailing.ownerId} />
              </>
            ),
          },
          {
            head: t.field.status,
            cell: (mailing) => <MailingChip mailing={mailing} outcome={outcomes.get(mailing.id)} />,
          },
          {
            head: t.field.recipients,
            class: 'num',
            cell: ({ recipientCount }) => (recipientCount === null ? '–' : format.number(recipientCount)),
          },
          { head: t.field.period, class: 'text-nowrap', cell: ({ period }) => t.period[period] },
          {
            head: t.field.nextRun,
            class: 'muted',
            cell: ({ status, nextRunAt }) => {
              if (status === 'created') return <span class="not-yet">{t.line.notScheduled}</span>;
              return status === 'started' && nextRunAt && format.due(nextRunAt);
            },
          },
          {
            head: t.field.lastResult,
            class: 'result-cell',
            cell: (mailing) => <LastResult of={mailing} outcome={outcomes.get(mailing.id)} />,
          },
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

function LastResult({ of, outcome }: { of: MailingView; outcome: Outcome | undefined }) {
  const { t } = useReader();
  if (!outcome) return null;
  return (
    <>
      <Progress of={outcome} label={t.run.progressOf(mailingTitle(of, t))} />
      <span class="hint">
        <OutcomeLine of={outcome} />
      </span>
    </>
  );
}
