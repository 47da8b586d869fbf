import type { Page } from '../../domain/paging';
import { worded } from '../../domain/problems';
import { suppressionReasons } from '../../domain/suppression';
import type { BatchView } from '../../features/consent/batches.service';
import type { FormState } from '../answers';
import { named } from '../codes';
import { PostForm, UploadForm } from '../components/form';
import { PageHead, Results, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';

/** Files of addresses that were imported, and outages of mail servers; a form for another file. */
export function SuppressionBatchesPage({ page, form }: { page: Page<BatchView>; form: FormState }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.batches.title} back={{ to: '/suppressions', text: t.suppressions.title }} />
      <UploadForm action="/suppressions/batches" form={form} button={t.batches.upload}>
        <p>{t.batches.about}</p>
        <pre class="sample">{'email,reason\nanna@example.com,unsubscribed'}</pre>
        <div class="field">
          <label class="form-label" for="f-reason">
            {t.batches.reason}
          </label>
          <select class="form-select" id="f-reason" name="reason">
            {suppressionReasons.map((reason) => (
              <option value={reason} key={reason}>
                {t.reasons[reason]}
              </option>
            ))}
          </select>
          <p class="hint">{t.batches.reasonHint}</p>
        </div>
      </UploadForm>
      <Results
        page={page}
        caption={t.batches.title}
        empty={{ text: t.batches.empty }}
        columns={[
          {
            head: t.batches.what,
            class: 'main-cell',
            cell: (batch) => <a href={`/suppressions/batches/${batch.id}`}>{nameOf(batch, t)}</a>,
          },
          { head: t.field.status, cell: (batch) => <Decision of={batch} /> },
          { head: t.batches.inForce, class: 'num', cell: ({ inForce }) => format.number(inForce) },
          { head: t.batches.lifted, class: 'num', cell: ({ lifted }) => format.number(lifted) },
          { head: t.field.time, class: 'muted text-nowrap', cell: ({ createdAt }) => format.time(createdAt) },
        ]}
      />
    </>
  );
}

/** What came of a file, or what to decide about the addresses that a mail server refused. */
export function SuppressionBatchPage({ batch }: { batch: BatchView }) {
  const { t, format, user } = useReader();
  const isOutage = batch.kind === 'outage';
  const numbers = isOutage
    ? ([
        [t.batches.refused, batch.refused],
        [t.batches.accepted, batch.accepted],
        [t.batches.inForce, batch.inForce],
        [t.batches.withheld, batch.lifted],
      ] as const)
    : ([
        [t.batches.added, batch.added],
        [t.batches.known, batch.known],
        [t.batches.ignored, batch.ignored],
        [t.imports.rejected, batch.rejected],
        [t.batches.inForce, batch.inForce],
      ] as const);
  return (
    <>
      <PageHead
        title={nameOf(batch, t)}
        back={{ to: '/suppressions/batches', text: t.batches.title }}
        chip={<Decision of={batch} />}
      />
      <div class="card-box">
        {isOutage && <p>{batch.decision === 'suppressed' ? t.batches.outageDecided : t.batches.outageAbout}</p>}
        <dl class="figures">
          {numbers.map(([name, value]) => (
            <div class="figure" key={name}>
              <dt>{name}</dt>
              <dd>{format.number(value)}</dd>
            </div>
          ))}
        </dl>
        {batch.ignoredColumns.length > 0 && (
          <p class="hint text-break">{t.batches.columns(batch.ignoredColumns.join(', '))}</p>
        )}
        <div class="actions">
          {isOutage && batch.decision !== 'suppressed' && (
            <PostForm action={`/suppressions/batches/${batch.id}/suppress`}>
              <button class="btn btn-secondary">{t.batches.suppress}</button>
            </PostForm>
          )}
          {(batch.inForce > 0 || (isOutage && batch.decision === null)) && (
            <PostForm action={`/suppressions/batches/${batch.id}/undo`}>
              <button class={`btn ${isOutage ? 'btn-primary' : 'btn-secondary'}`}>
                {isOutage && batch.decision === null ? t.batches.keep : t.batches.undo}
              </button>
            </PostForm>
          )}
        </div>
        {!isOutage && user?.role === 'user' && batch.inForce > 0 && <p class="hint">{t.batches.reasonHint}</p>}
      </div>
      {batch.problems.length > 0 && (
        <section aria-labelledby="rejected">
          <h2 id="rejected">{t.imports.rejectedLines}</h2>
          <Table
            caption={t.imports.rejectedLines}
            rows={batch.problems.flatMap(({ line, errors }) => errors.map((error) => ({ line, error })))}
            columns={[
              { head: t.imports.line, class: 'num', cell: ({ line }) => format.number(line) },
              { head: t.imports.column, cell: ({ error }) => named(t.imports.columns, error.field) },
              { head: t.imports.problem, class: 'text-cell', cell: ({ error }) => worded(t.problems, error) },
            ]}
          />
        </section>
      )}
    </>
  );
}

function Decision({ of: { kind, decision } }: { of: BatchView }) {
  const { t } = useReader();
  if (decision === 'undone') return <Chip tone="quiet">{kind === 'outage' ? t.batches.lifted : t.batches.undone}</Chip>;
  if (kind === 'import') return <Chip tone="good">{t.batches.imported}</Chip>;
  return decision === null ? (
    <Chip tone="warn">{t.batches.undecided}</Chip>
  ) : (
    <Chip tone="quiet">{t.batches.suppressed}</Chip>
  );
}

function nameOf({ id, kind, fileName, domain }: BatchView, t: ReturnType<typeof useReader>['t']): string {
  if (kind === 'import') return fileName || t.imports.nameless(id);
  return outageName({ domain }, t);
}

export const outageName = ({ domain }: Pick<BatchView, 'domain'>, t: ReturnType<typeof useReader>['t']): string =>
  domain === null ? t.batches.outageOfAll : t.batches.outage(domain);
