import { attemptFate } from '../../domain/attempt-fate';
import { attemptStatuses } from '../../domain/states';
import type { Page } from '../../domain/paging';
import type { AttemptView } from '../../features/ledger/attempts.service';
import { type Column, Owner, OwnerPick, PageHead, Pick, Results, Search } from '../components/list';
import { AttemptChip } from '../components/states';
import { reasonText } from '../codes';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';

interface Props {
  /** Null: it would take too long to find them. */
  attempts: Page<AttemptView> | null;
  /** The names of the client and the mailing whose ids are in the address; empty if none are. */
  named: { client: string; mailing: string };
}

/** `final` finds those after which nothing was tried any more. */
export const attemptFilters = [...attemptStatuses, 'final'] as const;

export function AttemptsPage({ attempts, named }: Props) {
  const { t, query } = useReader();
  const columns = useAttemptColumns();
  return (
    <>
      <PageHead title={t.attempts.title} />
      <Search>
        <PartOf name="client" label={t.finding.client} value={query.get('client') ?? named.client} />
        <PartOf name="mailing" label={t.finding.mailing} value={query.get('mailing') ?? named.mailing} />
        <Pick
          name="status"
          label={t.field.status}
          all={t.list.all}
          options={attemptFilters.map((value) => ({
            value,
            text: value === 'final' ? t.finding.final : t.attemptStatus[value],
          }))}
        />
        <OwnerPick />
        <label class="pick">
          <span>{t.list.from}</span>
          <input class="form-control" type="date" name="from" value={query.get('from') ?? ''} />
        </label>
        <label class="pick">
          <span>{t.list.to}</span>
          <input class="form-control" type="date" name="to" value={query.get('to') ?? ''} />
        </label>
      </Search>
      {attempts === null ? (
        <p id="results" class="alert alert-info" role="status">
          {t.finding.slow}
        </p>
      ) : (
        <Results
          page={attempts}
          caption={t.attempts.title}
          columns={columns}
          empty={{ text: t.attempts.empty, action: { to: '/mailings', text: t.mailings.title } }}
        />
      )}
    </>
  );
}

/** A filter by what stands anywhere in a text. */
function PartOf({ name, label, value }: { name: string; label: string; value: string }) {
  const { t } = useReader();
  return (
    <label class="pick">
      <span>{label}</span>
      <input
        class="form-control"
        type="search"
        name={name}
        value={value}
        placeholder={t.finding.part}
        maxlength={SEARCH_MAX}
        autocomplete="off"
      />
    </label>
  );
}

export const SEARCH_MAX = 200;

/** The columns of a list of attempts. */
function useAttemptColumns(): Column<AttemptView>[] {
  const { t, format } = useReader();
  return [
    { head: t.field.time, class: 'text-nowrap', cell: ({ createdAt }) => format.exact(createdAt) },
    {
      head: t.attempts.client,
      class: 'main-cell',
      cell: ({ fullName, email, clientId, ownerId }) => (
        <>
          {fullName === null ? email : <a href={`/clients/${clientId}`}>{email}</a>}
          <Owner id={ownerId} />
        </>
      ),
    },
    {
      head: t.field.mailing,
      class: 'text-cell',
      cell: ({ runId, mailingName, mailingId }) => (
        <a class="clip" href={`/runs/${runId}`}>
          {mailingTitle({ id: mailingId, name: mailingName }, t)}
        </a>
      ),
    },
    {
      head: t.field.status,
      cell: (attempt) => (
        <>
          <AttemptChip of={attempt} />
          {attemptFate(attempt) === 'retry' && attempt.nextAttemptAt && (
            <span class="hint d-block">{t.run.nextTry(format.time(attempt.nextAttemptAt))}</span>
          )}
        </>
      ),
    },
    { head: t.field.response, class: 'response-cell', cell: (attempt) => <AttemptResponse attempt={attempt} /> },
  ];
}

/** The server's answer in one line, which can be opened to show all facts of the attempt. */
export function AttemptResponse({ attempt }: { attempt: AttemptView }) {
  const { t, format } = useReader();
  return (
    <details>
      <summary>
        <code class="reply-line">{attempt.serverResponse || reasonText(attempt.reason ?? '', t)}</code>
      </summary>
      <code class="reply">{attempt.serverResponse || '–'}</code>
      <dl class="tiny-facts">
        <dt>{t.attempts.number}</dt>
        <dd>{format.number(attempt.attemptNumber)}</dd>
        {attempt.replyCode !== null && (
          <>
            <dt>{t.attempts.code}</dt>
            <dd>
              {attempt.replyCode} {attempt.enhancedCode ?? ''}
            </dd>
          </>
        )}
        {attempt.reason && (
          <>
            <dt>{t.attempts.reason}</dt>
            <dd>{reasonText(attempt.reason, t)}</dd>
          </>
        )}
        {attempt.durationMs !== null && (
          <>
            <dt>{t.attempts.duration}</dt>
            <dd>{format.duration(attempt.durationMs)}</dd>
          </>
        )}
      </dl>
    </details>
  );
}
