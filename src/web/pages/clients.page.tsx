import type { ClientColumn } from '../../domain/client-columns';
import type { FieldDefinition } from '../../domain/client-fields';
import { subscriptionStatuses } from '../../domain/subscription';
import type { ClientHistoryEntry } from '../../features/clients/client-history.service';
import type { ClientView } from '../../features/clients/client-view';
import type { DeliveryView } from '../../features/runs/deliveries.service';
import type { AttemptView } from '../../features/ledger/attempts.service';
import type { SignupRecord } from '../../features/signups/signup-records.service';
import type { Page } from '../../domain/paging';
import type { FormState } from '../answers';
import { Facts } from '../components/facts';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Empty, Owner, OwnerPick, PageHead, Pager, Pick, Reply, Results, Search, Table } from '../components/list';
import { Chip, DeliveryState, MessageId } from '../components/states';
import { reasonText } from '../codes';
import { LetterLink } from '../components/letter-link';
import { useReader } from '../reader';
import { useAttemptColumns } from './attempts.page';
import {
  ColumnsPick,
  offeredColumns,
  OwnFields,
  Tags,
  TagsField,
  useClientColumns,
  valueWords,
} from './client-columns';
import { BulkBar, Tick } from './bulk.page';
import { History, Suppressed } from './client-history';
import { Consents, Unconfirmed } from './consents';
import { PersonRights } from './person-rights';

interface ListProps {
  clients: Page<ClientView>;
  /** Those that the list shows beside the address, of all that it could show. */
  columns: ClientColumn[];
  fields: readonly FieldDefinition[];
  tags: readonly string[];
}

export function ClientsPage({ clients, columns, fields, tags }: ListProps) {
  const { t, query, user } = useReader();
  const segment = query.get('segmentId') ?? '';
  const total = clients.total;
  const filters = new URLSearchParams(
    ['search', 'tag', 'subscription', 'segmentId', 'ownerId'].flatMap((name) => {
      const value = query.get(name);
      return value ? [[name, value]] : [];
    }),
  );
  const shown = useClientColumns(columns);
  return (
    <>
      <PageHead title={t.clients.title}>
        <a class="btn btn-secondary" href="/clients/fields">
          {t.fields.title}
        </a>
        <a class="btn btn-secondary" href="/clients/tags">
          {t.tags.title}
        </a>
        <a class="btn btn-secondary" href="/forms">
          {t.forms.title}
        </a>
        <a id="csv" class="btn btn-secondary" href={`/clients/export.csv?${filters.toString()}`} download>
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
        {picked(tags, query.get('tag')).length > 0 && (
          <Pick
            name="tag"
            label={t.tags.tag}
            all={t.list.all}
            options={picked(tags, query.get('tag')).map((name) => ({ value: name, text: name }))}
          />
        )}
        <Pick
          name="subscription"
          label={t.clients.subscription}
          all={t.list.all}
          options={subscriptionStatuses.map((value) => ({ value, text: t.subscription[value] }))}
        />
        <OwnerPick />
        {segment && <input type="hidden" name="segmentId" value={segment} />}
      </Search>
      <ColumnsPick offered={offeredColumns(fields)} chosen={columns} />
      {segment && <SegmentShown id={segment} />}
      <Results
        page={clients}
        caption={t.clients.title}
        columns={[
          { head: t.bulk.tick, class: 'tick', cell: (client) => client.ownerId === user?.id && <Tick {...client} /> },
          {
            head: t.field.email,
            class: 'main-cell',
            cell: ({ id, email, ownerId, suppression, unconfirmedSince }) => (
              <>
                <a href={`/clients/${id}`}>{email}</a>
                {unconfirmedSince && (
                  <div>
                    <Chip tone="quiet">{t.subscription.unconfirmed}</Chip>
                  </div>
                )}
                {suppression && suppression.scope !== 'mailing' && (
                  <div>
                    <Chip tone="warn">{t.reasons[suppression.reason]}</Chip>
                  </div>
                )}
                <Owner id={ownerId} />
              </>
            ),
          },
          ...shown,
        ]}
        empty={{ text: t.clients.empty, action: { to: '/clients/import', text: t.clients.import } }}
      >
        {total !== undefined && total > 0 && <p class="hint">{t.clients.count(total)}</p>}
        {clients.items.length > 0 && <BulkBar total={total} tags={tags} />}
      </Results>
    </>
  );
}

/** That the list is narrowed to a segment, and the way to see all again. */
function SegmentShown({ id }: { id: string }) {
  const { t } = useReader();
  return (
    <p class="hint">
      <a href={`/segments/${id}`}>{t.segments.only}</a> · <a href="/clients">{t.segments.showAll}</a>
    </p>
  );
}

/** A tag that was asked for by a link may be another owner's. */
const picked = (tags: readonly string[], asked: string | null): readonly string[] =>
  asked && !tags.includes(asked) ? [asked, ...tags] : tags;

interface FormProps {
  form: FormState;
  client?: ClientView;
  fields: readonly FieldDefinition[];
  /** The names of the owner's tags, to be suggested. */
  tags: readonly string[];
}

export function ClientFormPage({ form, client, fields, tags }: FormProps) {
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
        <Field form={form} name="fullName" label={t.field.fullName} autocomplete="off" />
        <OwnFields form={form} fields={fields} />
        <TagsField form={form} known={tags} />
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
  client: ClientView;
  fields: readonly FieldDefinition[];
  history: ClientHistoryEntry[];
  deliveries: Page<DeliveryView>;
  attempts: AttemptView[];
  signups: SignupRecord[];
  mayChange: boolean;
}

/** A client with every delivery, what became known about them, every attempt and the server's answers. */
export function ClientPage({ client, fields, history, deliveries, attempts, signups, mayChange }: ClientProps) {
  const { t, format } = useReader();
  const tries = useAttemptColumns({ withClient: false });
  return (
    <>
      <PageHead title={client.fullName || client.email} back={{ to: '/clients', text: t.clients.title }}>
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
      <Unconfirmed client={client} mayChange={mayChange} />
      {client.suppression && <Suppressed email={client.email} by={client.suppression} />}
      <Facts
        of={[
          [t.field.email, client.email],
          ...fields
            .filter(({ key }) => client.fields[key] !== undefined)
            .map(
              ({ key, label, type }) => [label, valueWords(client.fields[key], type, t, format), 'prewrap'] as const,
            ),
          ...(client.tags.length > 0 ? [[t.tags.title, <Tags key="tags" names={client.tags} />] as const] : []),
          [t.field.addedAt, format.time(client.createdAt)],
          ...(client.comment ? [[t.field.comment, client.comment, 'prewrap'] as const] : []),
        ]}
      />
      <Letters deliveries={deliveries} />
      <History entries={history} />
      <Consents records={signups} />
      {attempts.length > 0 && (
        <section aria-labelledby="tries">
          <h2 id="tries">{t.clients.attempts}</h2>
          <Table caption={t.attempts.title} rows={attempts} columns={tries} />
          <p>
            <a href={`/attempts?clientId=${client.id}`}>{t.clients.allAttempts}</a>
          </p>
        </section>
      )}
      {mayChange && <PersonRights client={client} />}
    </>
  );
}

function Letters({ deliveries }: Pick<ClientProps, 'deliveries'>) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="letters">
      <h2 id="letters">{t.clients.letters}</h2>
      {deliveries.items.length === 0 ? (
        <Empty text={t.clients.noLetters} action={{ to: '/mailings', text: t.mailings.title }} />
      ) : (
        <Table
          caption={t.clients.letters}
          rows={deliveries.items}
          columns={[
            {
              head: t.field.mailing,
              class: 'main-cell',
              cell: ({ mailingId, mailingName, trigger }) => (
                <>
                  <a href={`/mailings/${mailingId}`}>{mailingName || t.mailings.nameless(mailingId)}</a>
                  <span class="hint d-block">{t.runTrigger[trigger]}</span>
                </>
              ),
            },
            {
              head: t.field.status,
              cell: ({ status, events }) => <DeliveryState status={status} events={events} />,
            },
            {
              head: t.field.response,
              class: 'response-cell',
              cell: (delivery) => (
                <>
                  <LetterLink of={delivery} />
                  {delivery.reason && <span class="d-block">{reasonText(delivery.reason, t)}</span>}
                  {delivery.lastResponse && <Reply text={delivery.lastResponse} />}
                  <MessageId id={delivery.messageIdHeader} />
                </>
              ),
            },
            { head: t.field.tries, class: 'num', cell: (delivery) => format.number(delivery.attempts) },
            { head: t.field.time, class: 'muted text-nowrap', cell: ({ updatedAt }) => format.time(updatedAt) },
          ]}
        />
      )}
      <Pager nextCursor={deliveries.nextCursor} />
    </section>
  );
}
