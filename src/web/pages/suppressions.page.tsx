import type { Page } from '../../domain/paging';
import { mayLift, type Viewer } from '../../domain/permissions';
import { suppressionReasons } from '../../domain/suppression';
import type { SuppressionView } from '../../features/consent/suppressions.service';
import type { FormState } from '../answers';
import { Field, FormProblem, PostForm } from '../components/form';
import { type Column, PageHead, Pick, Results, Search } from '../components/list';
import { Chip } from '../components/states';
import { type Reader, useReader } from '../reader';

interface Props {
  viewer: Viewer;
  page: Page<SuppressionView>;
  add: FormState;
  /** The form of one of them, where something was wrong with it. */
  lift: { id: number; state: FormState } | undefined;
}

/** The addresses that get no mail, why, and since when. */
export function SuppressionsPage({ viewer, page, add, lift }: Props) {
  const reader = useReader();
  const { t } = reader;
  return (
    <>
      <PageHead title={t.suppressions.title}>
        <a class="btn btn-secondary" href="/inbound">
          {t.inbound.title}
        </a>
        <a class="btn btn-secondary" href="/suppressions/batches">
          {t.batches.title}
        </a>
        <a class="btn btn-secondary" href="/suppressions/export.csv" download>
          {t.suppressions.download}
        </a>
      </PageHead>
      <p>{t.suppressions.about}</p>
      {lift && <FormProblem form={lift.state} />}
      <details class="card-box" open={Object.keys(add.problems).length > 0 || add.problem !== undefined}>
        <summary>{t.suppressions.add}</summary>
        <PostForm action="/suppressions">
          <FormProblem form={add} />
          <Field form={add} name="email" label={t.field.email} type="email" required />
          <Field form={add} name="detail" label={t.suppressions.detail} hint={t.suppressions.detailHint} />
          <button class="btn btn-primary">{t.suppressions.addButton}</button>
        </PostForm>
      </details>
      <Search label={t.suppressions.search}>
        <Pick
          name="reason"
          label={t.suppressions.reason}
          all={t.list.all}
          options={suppressionReasons.map((value) => ({ value, text: t.reasons[value] }))}
        />
        <Pick
          name="lifted"
          label={t.field.status}
          all={t.suppressions.inForce}
          options={[{ value: 'true', text: t.suppressions.lifted }]}
        />
      </Search>
      <Results
        page={page}
        caption={t.suppressions.title}
        empty={{ text: t.suppressions.empty }}
        columns={suppressionColumns(reader, viewer, lift)}
      />
    </>
  );
}

const suppressionColumns = (
  { t, format, now }: Reader,
  viewer: Viewer,
  lift: Props['lift'],
): Column<SuppressionView>[] => [
  {
    head: t.field.email,
    class: 'main-cell',
    cell: ({ email }) => email ?? <span class="muted">{t.suppressions.erased}</span>,
  },
  {
    head: t.suppressions.reason,
    class: 'text-cell',
    cell: (one) => (
      <>
        <Chip tone={one.liftedAt ? 'quiet' : 'warn'}>{t.reasons[one.reason]}</Chip> {one.detail}
      </>
    ),
  },
  { head: t.suppressions.scope, class: 'text-cell', cell: (one) => scopeOf(one, t) },
  {
    head: t.suppressions.since,
    class: 'muted text-nowrap',
    cell: ({ createdAt }) => format.ago(createdAt, now),
  },
  {
    head: t.suppressions.lift,
    cell: (one) =>
      one.liftedAt ? (
        <span class="hint">{one.liftReason}</span>
      ) : mayLift(viewer, one) === 'no' ? (
        <span class="hint">{t.suppressions.notYours}</span>
      ) : (
        <Lift one={one} form={lift?.id === one.id ? lift.state : undefined} />
      ),
  },
];

function Lift({ one, form = { values: {}, problems: {} } }: { one: SuppressionView; form: FormState | undefined }) {
  const { t } = useReader();
  const id = `lift-${one.id}`;
  return (
    <details open={Object.keys(form.problems).length > 0}>
      <summary class="text-nowrap">{t.suppressions.lift}</summary>
      <PostForm action={`/suppressions/${one.id}/lift`}>
        <label class="form-label" for={id}>
          {t.suppressions.why}
        </label>
        <input class="form-control" id={id} name="reason" value={form.values.reason ?? ''} required />
        {form.problems.reason && <p class="field-problem">{form.problems.reason}</p>}
        <button class="btn btn-secondary">{t.suppressions.liftButton}</button>
      </PostForm>
    </details>
  );
}

function scopeOf({ ownerId, mailingId, mailingName }: SuppressionView, t: ReturnType<typeof useReader>['t']): string {
  if (ownerId === null) return t.suppressions.everybody;
  return mailingId === null ? t.suppressions.allMailings : t.suppressions.oneMailing(mailingName ?? '');
}
