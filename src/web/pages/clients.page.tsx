import type { Client } from '../../features/clients/client.entity';
import type { DeliveryView } from '../../features/deliveries/deliveries.service';
import type { AttemptView } from '../../features/deliveries/attempts.service';
import type { Page } from '../../domain/paging';
import type { FormState } from '../answers';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Cell, Empty, Owner, OwnerPick, PageHead, Pager, Pick, Reply, Row, Search, Table } from '../components/list';
import { DeliveryChip } from '../components/states';
import { reasonText } from '../codes';
import { useReader } from '../reader';
import { AttemptRows } from './attempts.page';

export function ClientsPage({ clients }: { clients: Page<Client> }) {
  const { t, query, format } = useReader();
  const search = query.get('search') ?? '';
  const owner = query.get('ownerId') ?? '';
  const total = clients.total;
  return (
    <>
      <PageHead title={t.clients.title}>
        <a
          id="csv"
          class="btn btn-secondary"
          href={`/clients/export.csv?${new URLSearchParams({ ...(search && { search }), ...(owner && { ownerId: owner }) }).toString()}`}
          download
        >
          {t.list.csv}
        </a>
        <a class="btn btn-secondary" href="/clients/import">
          {t.clients.import}
        </a>
        <a class="btn btn-primary" href="/clients/new">
          <Icon name="plus" /> {t.clients.new}
        </a>
      </PageHead>
      <Search label={t.clients.search}>
        <Pick
          name="sort"
          label={t.list.sort}
          options={[
            { value: '-id', text: t.clients.newest },
            { value: 'email', text: t.clients.byEmail },
            { value: 'fullName', text: t.clients.byName },
          ]}
        />
        <OwnerPick />
      </Search>
      <div id="results">
        {total !== undefined && total > 0 && <p class="hint">{t.clients.count(total)}</p>}
        {clients.items.length === 0 ? (
          search || owner ? (
            <Empty text={t.list.nothingFound} />
          ) : (
            <Empty text={t.clients.empty} action={{ to: '/clients/import', text: t.clients.import }} />
          )
        ) : (
          <Table caption={t.clients.title} heads={[t.field.email, t.field.fullName, t.field.comment, t.field.addedAt]}>
            {clients.items.map((client) => (
              <Row key={client.id}>
                <Cell label={t.field.email} class="main-cell">
                  <a href={`/clients/${client.id}`}>{client.email}</a>
                  <Owner id={client.ownerId} />
                </Cell>
                <Cell label={t.field.fullName} class="text-cell">
                  {client.fullName}
                </Cell>
                <Cell label={t.field.comment} class="text-cell muted">
                  {client.comment && <span class="clip">{client.comment}</span>}
                </Cell>
                <Cell label={t.field.addedAt} class="muted text-nowrap">
                  {format.day(client.createdAt)}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={clients.nextCursor} />
      </div>
    </>
  );
}

export function ClientFormPage({ form, client }: { form: FormState; client?: Client }) {
  const { t } = useReader();
  return (
    <>
      <PageHead
        title={client ? t.clients.edit : t.clients.new}
        back={client ? { to: `/clients/${client.id}`, text: client.email } : { to: '/clients', text: t.clients.title }}
      />
      <PostForm action={client ? `/clients/${client.id}/edit` : '/clients/new'} class="card-box narrow">
        <FormProblem form={form} />
        <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="off" />
        <Field form={form} name="fullName" label={t.field.fullName} required autocomplete="off" />
        <Field form={form} name="comment" label={t.field.comment} rows={3} />
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href={client ? `/clients/${client.id}` : '/clients'}>
            {t.form.cancel}
          </a>
        </div>
      </PostForm>
    </>
  );
}

interface ClientProps {
  client: Client;
  deliveries: Page<DeliveryView>;
  attempts: AttemptView[];
  mayChange: boolean;
}

/** Did this person get it? Every letter, every try, the server's words. */
export function ClientPage({ client, deliveries, attempts, mayChange }: ClientProps) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={client.fullName} back={{ to: '/clients', text: t.clients.title }}>
        {mayChange && (
          <>
            <a class="btn btn-secondary" href={`/clients/${client.id}/edit`}>
              {t.form.edit}
            </a>
            <Confirm
              id="delete"
              action={`/clients/${client.id}/delete`}
              text={t.form.delete}
              question={t.clients.deleteQuestion(client.email)}
              kind="btn-outline-danger"
            >
              <p>{t.clients.deleteText}</p>
            </Confirm>
          </>
        )}
      </PageHead>
      <dl class="facts card-box">
        <div>
          <dt>{t.field.email}</dt>
          <dd>{client.email}</dd>
        </div>
        <div>
          <dt>{t.field.addedAt}</dt>
          <dd>{format.time(client.createdAt)}</dd>
        </div>
        {client.comment && (
          <div>
            <dt>{t.field.comment}</dt>
            <dd class="prewrap">{client.comment}</dd>
          </div>
        )}
      </dl>
      <section aria-labelledby="letters">
        <h2 id="letters">{t.clients.letters}</h2>
        {deliveries.items.length === 0 ? (
          <Empty text={t.clients.noLetters} action={{ to: '/mailings', text: t.mailings.title }} />
        ) : (
          <Table
            caption={t.clients.letters}
            heads={[t.field.mailing, t.field.status, t.field.response, t.field.tries, t.field.time]}
          >
            {deliveries.items.map((delivery) => (
              <Row key={delivery.id}>
                <Cell label={t.field.mailing} class="main-cell">
                  <a href={`/mailings/${delivery.mailingId}`}>
                    {delivery.mailingName || t.mailings.nameless(delivery.mailingId)}
                  </a>
                  <span class="hint d-block">{t.runTrigger[delivery.trigger]}</span>
                </Cell>
                <Cell label={t.field.status}>
                  <DeliveryChip status={delivery.status} />
                </Cell>
                <Cell label={t.field.response} class="response-cell">
                  {delivery.reason && <span class="d-block">{reasonText(delivery.reason, t)}</span>}
                  {delivery.lastResponse && <Reply text={delivery.lastResponse} />}
                </Cell>
                <Cell label={t.field.tries} class="num">
                  {format.number(delivery.attempts)}
                </Cell>
                <Cell label={t.field.time} class="muted text-nowrap">
                  {format.time(delivery.updatedAt)}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={deliveries.nextCursor} />
      </section>
      {attempts.length > 0 && (
        <section aria-labelledby="tries">
          <h2 id="tries">{t.clients.attempts}</h2>
          <AttemptRows attempts={attempts} withClient={false} />
          <p>
            <a href={`/attempts?clientId=${client.id}`}>{t.clients.allAttempts}</a>
          </p>
        </section>
      )}
    </>
  );
}
