import { attemptStatuses } from '../../domain/states';
import type { Page } from '../../domain/paging';
import type { AttemptView } from '../../features/deliveries/attempts.service';
import { Cell, Empty, Owner, OwnerPick, PageHead, Pager, Pick, Row, Search, Table } from '../components/list';
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
  const filtered = [...query.keys()].some((name) => name !== 'cursor' && query.get(name));
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
      <div id="results">
        {attempts.items.length === 0 ? (
          filtered ? (
            <Empty text={t.list.nothingFound} />
          ) : (
            <Empty text={t.attempts.empty} action={{ to: '/mailings', text: t.mailings.title }} />
          )
        ) : (
          <AttemptRows attempts={attempts.items} />
        )}
        <Pager nextCursor={attempts.nextCursor} />
      </div>
    </>
  );
}

/** Attempts as rows; each opens to all that the server said. */
export function AttemptRows({ attempts, withClient = true }: { attempts: AttemptView[]; withClient?: boolean }) {
  const { t, format } = useReader();
  return (
    <Table
      caption={t.attempts.title}
      heads={[
        t.field.time,
        ...(withClient ? [t.attempts.client] : []),
        t.field.mailing,
        t.field.status,
        t.field.response,
      ]}
    >
      {attempts.map((attempt) => (
        <Row key={attempt.id}>
          <Cell label={t.field.time} class="text-nowrap">
            {format.exact(attempt.createdAt)}
          </Cell>
          {withClient && (
            <Cell label={t.attempts.client} class="main-cell">
              {attempt.fullName === null ? attempt.email : <a href={`/clients/${attempt.clientId}`}>{attempt.email}</a>}
              <Owner id={attempt.ownerId} />
            </Cell>
          )}
          <Cell label={t.field.mailing} class="text-cell">
            <a class="clip" href={`/runs/${attempt.runId}`}>
              {attempt.mailingName || t.mailings.nameless(attempt.mailingId)}
            </a>
          </Cell>
          <Cell label={t.field.status}>
            <AttemptChip status={attempt.status} />
          </Cell>
          <Cell label={t.field.response} class="response-cell">
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
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
