import type { Page } from '../../domain/paging';
import type { SegmentCount } from '../../features/audiences/segment-count.service';
import type { SegmentView } from '../../features/audiences/segments.service';
import type { FilterNames } from '../../features/clients/segment-context';
import { Facts } from '../components/facts';
import { Confirm } from '../components/form';
import { Icon } from '../components/icon';
import { Owner, OwnerPick, PageHead, Results, Search } from '../components/list';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import { filterSentence } from '../segment-words';
import { CountBox } from './segment-form.page';

interface ListProps {
  segments: Page<SegmentView>;
  /** The names of the tags, mailings and fields that the filters mention, by owner. */
  names: ReadonlyMap<number, FilterNames>;
}

export const NOTHING_NAMED: FilterNames = { tags: new Map(), mailings: new Map(), fields: [] };

export function SegmentsPage({ segments, names }: ListProps) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.segments.title}>
        <a class="btn btn-primary" href="/segments/new">
          <Icon name="plus" /> {t.segments.new}
        </a>
      </PageHead>
      <Search label={t.segments.search}>
        <OwnerPick />
      </Search>
      <Results
        page={segments}
        caption={t.segments.title}
        columns={[
          {
            head: t.segments.name,
            class: 'main-cell',
            cell: ({ id, name, ownerId }) => (
              <>
                <a href={`/segments/${id}`}>{name}</a>
                <Owner id={ownerId} />
              </>
            ),
          },
          {
            head: t.segments.filter,
            class: 'text-cell',
            cell: ({ filter, ownerId }) => (
              <span class="clip">
                {filterSentence(filter, { t, format, names: names.get(ownerId) ?? NOTHING_NAMED })}
              </span>
            ),
          },
          {
            head: t.segments.usedBy,
            class: 'muted text-nowrap',
            cell: ({ mailingCount }) => (mailingCount === 0 ? '–' : t.segments.mailings(mailingCount)),
          },
        ]}
        empty={{
          text: t.segments.empty,
          sample: t.shell.samples.segments,
          action: { to: '/segments/new', text: t.segments.new },
        }}
      />
    </>
  );
}

interface Props {
  segment: SegmentView;
  names: FilterNames;
  count: SegmentCount;
  mailings: readonly { id: number; name: string }[];
  mayChange: boolean;
  isOwn: boolean;
}

export function SegmentPage({ segment, names, count, mailings, mayChange, isOwn }: Props) {
  const { t, format } = useReader();
  const { id, name, filter } = segment;
  const use =
    mailings.length === 0 ? (
      t.segments.unused
    ) : (
      <ul class="plain">
        {mailings.map((mailing) => (
          <li key={mailing.id}>
            <a href={`/mailings/${mailing.id}`}>{mailingTitle(mailing, t)}</a>
          </li>
        ))}
      </ul>
    );
  return (
    <>
      <PageHead title={name} back={{ to: '/segments', text: t.segments.title }}>
        <a class="btn btn-secondary" href={`/clients?segmentId=${id}`}>
          {t.segments.showClients}
        </a>
        {isOwn && (
          <a class="btn btn-secondary" href={`/mailings/new?segmentId=${id}`}>
            {t.segments.newMailing}
          </a>
        )}
        {mayChange && (
          <>
            <a class="btn btn-primary" href={`/segments/${id}/edit`}>
              {t.form.edit}
            </a>
            <Confirm
              id="delete"
              action={`/segments/${id}/delete`}
              text={t.form.delete}
              question={t.segments.deleteQuestion}
              kind="btn-outline-danger"
            >
              <p>{mailings.length > 0 ? t.refusals.SEGMENT_IN_USE : t.segments.deleteText}</p>
            </Confirm>
          </>
        )}
      </PageHead>
      <Facts
        of={[
          [t.segments.filter, filterSentence(filter, { t, format, names })],
          [t.segments.usedBy, use],
        ]}
      />
      <section class="card-box">
        <CountBox count={count} of={id} />
      </section>
    </>
  );
}
