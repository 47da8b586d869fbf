import { attemptStatuses } from '../../domain/states';
import type { Page } from '../../domain/paging';
import type { AttemptView } from '../../features/ledger/attempts.service';
import { type Column, Owner, OwnerPick, PageHead, Pick, Results, Search } from '../components/list';
import { AttemptChip } from '../components/states';
import { reasonText } from '../codes';
import { useReader } from '../reader';

interface Props {
  attempts: Page<AttemptView>;
  mailings: { id: number; name: string }[];
  clientEmail: string | null;
}

export function AttemptsPage({ attempts, mailings, clientEmail }: Props) {
  const { t, query } = useReader();
  return (
    <>
      <PageHead title={t.attempts.title} />
      <Search>
        <Pick
          name="mailingId"
          label={t.field.mailing}
          all={t.list.all}
          options={mailings.map(({ id, name }) => ({ value: String(id), text: name }))}
        />
        <Pick
          name="status"
          label={t.field.status}
          all={t.list.all}
          options={attemptStatuses.map((value) => ({ value, text: t.attemptStatus[value] }))}
        />
        <OwnerPick />
        <label class="pick">
          <span>{t.attempts.client}</span>
          <input
            class="form-control"
            type="email"
            name="client"
            value={query.get('client') ?? clientEmail ?? ''}
            placeholder="anna@example.com"
          />
        </label>
        <label class="pick">
          <span>{t.list.from}</span>
          <input class="form-control" type="date" name="from" value={query.get('from') ?? ''} />
        </label>
        <label class="pick">
          <span>{t.list.to}</span>
          <input class="form-control" type="date" name="to" value={query.get('to') ?? ''} />
        </label>
      </Search>
      <Results
        page={attempts}
        caption={t.attempts.title}
        columns={useAttemptColumns()}
        empty={{ text: t.attempts.empty, action: { to: '/mailings', text: t.mailings.title } }}
      />
    </>
  );
}

/** The columns of a list of attempts. */
export function useAttemptColumns({ withClient = true } = {}): Column<AttemptView>[] {
  const { t, format } = useReader();
  const client: Column<AttemptView> = {
    head: t.attempts.client,
    class: 'main-cell',
    cell: ({ fullName, email, clientId, ownerId }) => (
      <>
        {fullName === null ? email : <a href={`/clients/${clientId}`}>{email}</a>}
        <Owner id={ownerId} />
      </>
    ),
  };
  return [
    { head: t.field.time, class: 'text-nowrap', cell: ({ createdAt }) => format.exact(createdAt) },
    ...(withClient ? [client] : []),
    {
      head: t.field.mailing,
      class: 'text-cell',
      cell: ({ runId, mailingName, mailingId }) => (
        <a class="clip" href={`/runs/${runId}`}>
          {mailingName || t.mailings.nameless(mailingId)}
        </a>
      ),
    },
    { head: t.field.status, cell: ({ status }) => <AttemptChip status={status} /> },
    { head: t.field.response, class: 'response-cell', cell: (attempt) => <Response attempt={attempt} /> },
  ];
}

/** The server's answer in one line, which can be opened to show all facts of the attempt. */
function Response({ attempt }: { attempt: AttemptView }) {
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
