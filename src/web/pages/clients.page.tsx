import type { ClientColumn } from '../../domain/client-columns';
import type { FieldDefinition } from '../../domain/client-fields';
import { subscriptionStatuses } from '../../domain/subscription';
import { CLIENT_FILTERS } from '../../features/clients/client-list';
import type { ClientView } from '../../features/clients/client-view';
import type { clientSorts } from '../../features/clients/clients.service';
import type { Page } from '../../domain/paging';
import { Icon } from '../components/icon';
import { type Column, Owner, OwnerPick, PageHead, Pick, Results, Search } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';
import { wholeNumber } from '../web-controller';
import { ColumnsPick, offeredColumns, useClientColumns } from './client-columns';
import { BulkBar, Tick, TickPage } from './bulk.page';

const SORTS = [
  '-id',
  'id',
  'email',
  '-email',
  'fullName',
  '-fullName',
] as const satisfies (typeof clientSorts)[number][];

/** Up to so many clients a search through everything answers while somebody types. */
const SEARCHED_SOON = 20_000;

interface ListProps {
  clients: Page<ClientView>;
  sorted: (typeof clientSorts)[number];
  /** Those that the list shows beside the address, of all that it could show. */
  columns: ClientColumn[];
  fields: readonly FieldDefinition[];
  tags: readonly string[];
  segments: readonly { id: number; name: string }[];
}

export function ClientsPage({ clients, sorted, columns, fields, tags, segments }: ListProps) {
  const { t, query, user } = useReader();
  const segment = wholeNumber(query.get('segmentId') ?? undefined);
  const total = clients.total;
  const shown = useClientColumns(columns);
  const isOwn = ({ ownerId }: ClientView) => ownerId === user?.id;
  return (
    <>
      <Head />
      <Filters {...{ total, tags, segments, segment }} />
      <ColumnsPick offered={offeredColumns(fields)} chosen={columns} />
      <Results
        page={clients}
        caption={t.clients.title}
        sorted={sorted}
        columns={[
          {
            head: t.bulk.tick,
            class: 'tick',
            cell: (client) => isOwn(client) && <Tick {...client} />,
            isZero: (client) => !isOwn(client),
          },
          addressColumn(t),
          ...shown,
        ]}
        empty={{
          text: t.clients.empty,
          sample: t.shell.samples.clients,
          action: { to: '/clients/import', text: t.clients.import },
        }}
      >
        {total !== undefined && total > 0 && <p class="hint">{t.clients.count(total)}</p>}
        {segment !== undefined && (
          <p class="hint">
            <a href={`/segments/${segment}`}>{t.finding.seeSegment}</a>
          </p>
        )}
        {clients.items.length > 0 && <BulkBar total={total} tags={tags} />}
        {clients.items.some(isOwn) && <TickPage />}
      </Results>
    </>
  );
}

function Head() {
  const { t, query } = useReader();
  const filters = new URLSearchParams(
    [...CLIENT_FILTERS, 'ownerId'].flatMap((name) => {
      const value = query.get(name);
      return value ? [[name, value]] : [];
    }),
  );
  return (
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
  );
}

interface FilterProps extends Omit<ListProps, 'clients' | 'sorted' | 'columns' | 'fields'> {
  total: number | undefined;
  /** The segment that is asked for. */
  segment: number | undefined;
}

function Filters({ total, tags, segments, segment }: FilterProps) {
  const { t, query } = useReader();
  return (
    <Search label={t.clients.search}>
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
      <Pick
        name="searchIn"
        label={t.finding.searchIn.label}
        all={t.finding.searchIn.names}
        options={[{ value: 'all', text: t.finding.searchIn.all }]}
        {...(!query.has('search') && total !== undefined && total <= SEARCHED_SOON && { chosen: 'all' })}
      />
      <SegmentPick segments={segments} asked={segment} />
      <OwnerPick />
      <Pick
        name="sort"
        label={t.list.sort}
        class="for-cards"
        options={SORTS.map((value) => ({ value, text: t.finding.sort[value] }))}
      />
    </Search>
  );
}

const addressColumn = (t: Texts): Column<ClientView> => ({
  head: t.field.email,
  class: 'main-cell',
  sort: 'email',
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
});

/** A segment that was asked for by a link may be another owner's. */
function SegmentPick({ segments, asked }: { segments: ListProps['segments']; asked: number | undefined }) {
  const { t } = useReader();
  const options = segments.map(({ id, name }) => ({ value: String(id), text: name }));
  if (asked !== undefined && !segments.some(({ id }) => id === asked))
    options.unshift({ value: String(asked), text: t.finding.segment(String(asked)) });
  if (options.length === 0) return null;
  return <Pick name="segmentId" label={t.segments.one} all={t.list.all} options={options} />;
}

/** A tag that was asked for by a link may be another owner's. */
const picked = (tags: readonly string[], asked: string | null): readonly string[] =>
  asked && !tags.includes(asked) ? [asked, ...tags] : tags;
