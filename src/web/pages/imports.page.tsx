import { worded } from '../../domain/problems';
import { KEPT_ERRORS } from '../../features/clients/import.entity';
import type { ImportDetail, ImportView } from '../../features/clients/imports.service';
import type { FormState } from '../answers';
import { UploadForm } from '../components/form';
import { PageHead, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import { named } from '../codes';

export function ImportFormPage({ form, imports }: { form: FormState; imports: ImportView[] }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.imports.title} back={{ to: '/clients', text: t.clients.title }} />
      <UploadForm action="/clients/import" form={form} button={t.imports.upload}>
        <p>{t.imports.about}</p>
        <pre class="sample">{'email,full_name,comment\nanna@example.com,Anna Example,'}</pre>
        <div class="form-check field">
          <input class="form-check-input" type="checkbox" id="f-check" name="check" value="1" checked />
          <label class="form-check-label" for="f-check">
            {t.imports.checkFirst}
            <span class="hint d-block">{t.imports.checkHint}</span>
          </label>
        </div>
      </UploadForm>
      {imports.length > 0 && (
        <section aria-labelledby="earlier">
          <h2 id="earlier">{t.imports.earlier}</h2>
          <Table
            caption={t.imports.earlier}
            rows={imports}
            columns={[
              {
                head: t.imports.file,
                class: 'main-cell',
                cell: (i) => <a href={`/clients/import/${i.id}`}>{i.fileName || t.imports.nameless(i.id)}</a>,
              },
              { head: t.field.status, cell: (i) => <ImportChip of={i} /> },
              { head: t.imports.added, class: 'num', cell: (i) => format.number(i.added) },
              { head: t.imports.updated, class: 'num', cell: (i) => format.number(i.updated) },
              { head: t.imports.rejected, class: 'num', cell: (i) => format.number(i.rejected) },
              { head: t.field.time, class: 'muted text-nowrap', cell: (i) => format.time(i.createdAt) },
            ]}
          />
        </section>
      )}
    </>
  );
}

function ImportChip({ of }: { of: ImportView }) {
  const { t } = useReader();
  if (of.status === 'failed') return <Chip tone="bad">{t.imports.failed}</Chip>;
  if (of.status === 'running') return <Chip tone="going">{t.imports.running}</Chip>;
  return <Chip tone={of.dryRun ? 'quiet' : 'good'}>{of.dryRun ? t.imports.checked : t.imports.done}</Chip>;
}

export function ImportPage({ found }: { found: ImportDetail }) {
  const { t } = useReader();
  return (
    <>
      <PageHead
        title={found.fileName || t.imports.nameless(found.id)}
        back={{ to: '/clients/import', text: t.imports.title }}
      />
      <ImportLive found={found} />
    </>
  );
}

/** Refreshes itself until the import is done. */
export function ImportLive({ found }: { found: ImportDetail }) {
  const { t, format } = useReader();
  const running = found.status === 'running';
  return (
    <div
      id="import-live"
      {...(running
        ? {
            'data-live': true,
            'hx-get': `/clients/import/${found.id}/live`,
            'hx-trigger': 'every 1s, wake',
            'hx-swap': 'outerHTML',
          }
        : {})}
    >
      <Outcome of={found} running={running} />
      {found.errors.length > 0 && (
        <section aria-labelledby="rejected">
          <h2 id="rejected">{t.imports.rejectedLines}</h2>
          <Table
            caption={t.imports.rejectedLines}
            rows={found.errors}
            columns={[
              { head: t.imports.line, class: 'num', cell: ({ line }) => format.number(line) },
              { head: t.imports.column, cell: ({ field }) => named(t.imports.columns, field) },
              { head: t.imports.problem, class: 'text-cell', cell: (error) => worded(t.problems, error) },
            ]}
          />
        </section>
      )}
    </div>
  );
}

/** How many rows were added, updated and rejected, so far or in the end. */
function Outcome({ of, running }: { of: ImportView; running: boolean }) {
  const { t, format } = useReader();
  const applied = of.added + of.updated + of.rejected;
  return (
    <div class="card-box">
      <p class="line">
        <ImportChip of={of} />
        <span class="hint">{t.imports.rows(of.rows)}</span>
      </p>
      {running && <progress class="w-100" max={Math.max(1, of.rows)} value={applied} aria-label={t.imports.running} />}
      {of.reason && <p class="field-problem">{worded(t.problems, of.reason)}</p>}
      <dl class="figures">
        <div class="figure">
          <dt>{of.dryRun ? t.imports.wouldAdd : t.imports.added}</dt>
          <dd>{format.number(of.added)}</dd>
        </div>
        <div class="figure">
          <dt>{of.dryRun ? t.imports.wouldUpdate : t.imports.updated}</dt>
          <dd>{format.number(of.updated)}</dd>
        </div>
        <div class="figure">
          <dt>{t.imports.rejected}</dt>
          <dd>{format.number(of.rejected)}</dd>
        </div>
      </dl>
      {of.encoding && (
        <p class="hint">
          {t.imports.read(of.encoding.toUpperCase(), named(t.imports.delimiters, of.delimiter ?? ','))}
        </p>
      )}
      {!running && (
        <p class="actions">
          {of.dryRun ? (
            <a class="btn btn-primary" href="/clients/import">
              {t.imports.nowImport}
            </a>
          ) : (
            <a class="btn btn-primary" href="/clients">
              {t.imports.seeClients}
            </a>
          )}
          {of.rejected > 0 && (
            <a class="btn btn-secondary" href={`/clients/import/${of.id}/errors.csv`} download>
              {t.imports.errorsCsv(Math.min(of.rejected, KEPT_ERRORS))}
            </a>
          )}
        </p>
      )}
    </div>
  );
}
