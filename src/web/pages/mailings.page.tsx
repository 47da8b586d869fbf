import { mailingStatuses } from '../../domain/states';
import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Icon } from '../components/icon';
import { Cell, Empty, Owner, OwnerPick, PageHead, Pager, Pick, Row, Search, Table } from '../components/list';
import { MailingChip, Progress, SentOf } from '../components/states';
import { useReader } from '../reader';

export function MailingsPage({ mailings }: { mailings: Page<MailingView> }) {
  const { t, query, format } = useReader();
  const filtered = ['search', 'status', 'ownerId'].some((name) => query.get(name));
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
      <div
        id="results"
        {...(live
          ? {
              'data-live': true,
              'hx-get': useReader().path,
              'hx-trigger': 'every 3s, wake',
              'hx-select': '#results',
              'hx-swap': 'outerHTML',
            }
          : {})}
      >
        {mailings.items.length === 0 ? (
          filtered ? (
            <Empty text={t.list.nothingFound} />
          ) : (
            <Empty text={t.mailings.empty} action={{ to: '/mailings/new', text: t.mailings.new }} />
          )
        ) : (
          <Table
            caption={t.mailings.title}
            heads={[
              t.field.mailing,
              t.field.status,
              { text: t.field.recipients, class: 'num' },
              t.field.period,
              t.field.nextRun,
              t.field.lastResult,
            ]}
          >
            {mailings.items.map((mailing) => (
              <Row key={mailing.id}>
                <Cell label={t.field.mailing} class="main-cell">
                  <a href={`/mailings/${mailing.id}`}>{nameOf(mailing, t.mailings.nameless)}</a>
                  {mailing.name && mailing.messageSubject && (
                    <div class="hint">
                      <span class="clip">{mailing.messageSubject}</span>
                    </div>
                  )}
                  <Owner id={mailing.ownerId} />
                </Cell>
                <Cell label={t.field.status}>
                  <MailingChip status={mailing.status} />
                </Cell>
                <Cell label={t.field.recipients} class="num">
                  {format.number(mailing.recipientCount)}
                </Cell>
                <Cell label={t.field.period}>{t.period[mailing.period]}</Cell>
                <Cell label={t.field.nextRun} class="text-cell muted">
                  {mailing.status === 'started' &&
                    mailing.nextRunAt &&
                    format.timeIn(mailing.nextRunAt, mailing.timeZone)}
                </Cell>
                <Cell label={t.field.lastResult} class="result-cell">
                  {mailing.lastRun && (
                    <>
                      <Progress
                        status={mailing.lastRun.status}
                        counts={{ ...mailing.lastRun, skipped: rest(mailing.lastRun) }}
                        label={t.run.progressOf(nameOf(mailing, t.mailings.nameless))}
                      />
                      <span class="hint">
                        <SentOf status={mailing.lastRun.status} counts={mailing.lastRun} />
                        {mailing.lastRun.failed > 0 && <> · {t.run.failedN(mailing.lastRun.failed)}</>}
                      </span>
                    </>
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={mailings.nextCursor} />
      </div>
    </>
  );
}

const rest = ({ total, sent, failed, open }: { total: number; sent: number; failed: number; open: number }) =>
  total - sent - failed - open;

export const nameOf = (
  mailing: Pick<MailingView, 'id' | 'name' | 'messageSubject'>,
  nameless: (id: number) => string,
): string => mailing.name || mailing.messageSubject || nameless(mailing.id);
