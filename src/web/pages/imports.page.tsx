import type { Import } from '../../features/clients/import.entity';
import type { ImportView } from '../../features/clients/imports.service';
import type { FormState } from '../answers';
import { CsrfField, Field, FormProblem } from '../components/form';
import { Cell, PageHead, Row, Table } from '../components/list';
import { Chip } from '../components/states';
import { newFormKey } from '../form-key';
import { useReader } from '../reader';
import { named } from '../codes';
import { translateProblem } from '../texts/texts';

export function ImportFormPage({ form, imports }: { form: FormState; imports: Import[] }) {
  const { t, csrfToken, format } = useReader();
  return (
    <>
      <PageHead title={t.imports.title} back={{ to: '/clients', text: t.clients.title }} />
      <form
        method="post"
        action={`/clients/import?_csrf=${encodeURIComponent(csrfToken)}&key=${newFormKey()}`}
        enctype="multipart/form-data"
        class="card-box narrow"
      >
        <CsrfField token={csrfToken} />
        <FormProblem form={form} />
        <p>{t.imports.about}</p>
        <pre class="sample">{'email,full_name,comment\nanna@example.com,Anna Example,'}</pre>
        <div class="form-check field">
          <input class="form-check-input" type="checkbox" id="f-check" name="check" value="1" checked />
          <label class="form-check-label" for="f-check">
            {t.imports.checkFirst}
            <span class="hint d-block">{t.imports.checkHint}</span>
          </label>
        </div>
        <Field
          form={form}
          name="file"
          label={t.imports.file}
          type="file"
          required
          attributes={{ accept: '.csv,text/csv,text/plain' }}
        />
        <div class="actions">
          <button class="btn btn-primary">{t.imports.upload}</button>
        </div>
      </form>
      {imports.length > 0 && (
        <section aria-labelledby="earlier">
          <h2 id="earlier">{t.imports.earlier}</h2>
          <Table
            caption={t.imports.earlier}
            heads={[
              t.imports.file,
              t.field.status,
              t.imports.added,
              t.imports.updated,
              t.imports.rejected,
              t.field.time,
            ]}
          >
            {imports.map((i) => (
              <Row key={i.id}>
                <Cell label={t.imports.file} class="main-cell">
                  <a href={`/clients/import/${i.id}`}>{i.fileName || t.imports.nameless(i.id)}</a>
                </Cell>
                <Cell label={t.field.status}>
                  <ImportChip of={i} />
                </Cell>
                <Cell label={t.imports.added} class="num">
                  {format.number(i.added)}
                </Cell>
                <Cell label={t.imports.updated} class="num">
                  {format.number(i.updated)}
                </Cell>
                <Cell label={t.imports.rejected} class="num">
                  {format.number(i.rejected)}
                </Cell>
                <Cell label={t.field.time} class="muted text-nowrap">
                  {format.time(i.createdAt)}
                </Cell>
              </Row>
            ))}
          </Table>
        </section>
      )}
    </>
  );
}

function ImportChip({ of }: { of: Import }) {
  const { t } = useReader();
  if (of.status === 'failed') return <Chip tone="bad">{t.imports.failed}</Chip>;
  if (of.status === 'running') return <Chip tone="going">{t.imports.running}</Chip>;
  return <Chip tone={of.dryRun ? 'quiet' : 'good'}>{of.dryRun ? t.imports.checked : t.imports.done}</Chip>;
}

export function ImportPage({ found }: { found: ImportView }) {
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
export function ImportLive({ found }: { found: ImportView }) {
  const { t, format } = useReader();
  const running = found.status === 'running';
  const applied = found.added + found.updated + found.rejected;
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
      <div class="card-box">
        <p class="line">
          <ImportChip of={found} />
          <span class="hint">{t.imports.rows(found.rows)}</span>
        </p>
        {running && (
          <progress class="w-100" max={Math.max(1, found.rows)} value={applied} aria-label={t.imports.running} />
        )}
        {found.reason && <p class="field-problem">{translateProblem(found.reason, t)}</p>}
        <dl class="figures">
          <div class="figure">
            <dt>{found.dryRun ? t.imports.wouldAdd : t.imports.added}</dt>
            <dd>{format.number(found.added)}</dd>
          </div>
          <div class="figure">
            <dt>{found.dryRun ? t.imports.wouldUpdate : t.imports.updated}</dt>
            <dd>{format.number(found.updated)}</dd>
          </div>
          <div class="figure">
            <dt>{t.imports.rejected}</dt>
            <dd>{format.number(found.rejected)}</dd>
          </div>
        </dl>
        {found.encoding && (
          <p class="hint">
            {t.imports.read(found.encoding.toUpperCase(), named(t.imports.delimiters, found.delimiter ?? ','))}
          </p>
        )}
        {!running && (
          <p class="actions">
            {found.dryRun ? (
              <a class="btn btn-primary" href="/clients/import">
                {t.imports.nowImport}
              </a>
            ) : (
              <a class="btn btn-primary" href="/clients">
                {t.imports.seeClients}
              </a>
            )}
            {found.rejected > 0 && (
              <a class="btn btn-secondary" href={`/clients/import/${found.id}/errors.csv`} download>
                {t.imports.errorsCsv(found.rejected)}
              </a>
            )}
          </p>
        )}
      </div>
      {found.errors.length > 0 && (
        <section aria-labelledby="rejected">
          <h2 id="rejected">{t.imports.rejectedLines}</h2>
          <Table
            caption={t.imports.rejectedLines}
            heads={[{ text: t.imports.line, class: 'num' }, t.imports.column, t.imports.problem]}
          >
            {found.errors.map((error) => (
              <Row key={`${error.line}-${error.field}`}>
                <Cell label={t.imports.line} class="num">
                  {format.number(error.line)}
                </Cell>
                <Cell label={t.imports.column}>{named(t.imports.columns, error.field)}</Cell>
                <Cell label={t.imports.problem} class="text-cell">
                  {translateProblem(error.message, t)}
                </Cell>
              </Row>
            ))}
          </Table>
        </section>
      )}
    </div>
  );
}
