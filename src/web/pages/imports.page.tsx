import { worded } from '../../domain/problems';
import { KEPT_ERRORS } from '../../features/clients/import.entity';
import type { ImportDetail, ImportView } from '../../features/clients/imports.service';
import type { FormState } from '../answers';
import { Confirm, PostForm, UploadForm } from '../components/form';
import { PageHead, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import { named } from '../codes';
import type { Texts } from '../texts/texts';

const ACCEPTED = '.csv,.txt,.tsv,.xlsx,text/csv,text/plain';

export function ImportFormPage({ form, imports }: { form: FormState; imports: ImportView[] }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.imports.title} back={{ to: '/clients', text: t.clients.title }} />
      <UploadForm action="/clients/import" form={form} button={t.imports.upload} accept={ACCEPTED}>
        <p>{t.imports.about}</p>
        <p class="hint">{t.imports.next}</p>
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
  if (of.status === 'waiting') return <Chip tone="quiet">{t.imports.waiting}</Chip>;
  if (of.undoAt)
    return <Chip tone={of.undoneAt ? 'quiet' : 'going'}>{of.undoneAt ? t.imports.undone : t.imports.undoing}</Chip>;
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
  const undoing = found.undoAt !== null && found.undoneAt === null;
  const running = found.status === 'running' || undoing;
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
              { head: t.imports.address, class: 'main-cell', cell: ({ email }) => email || '–' },
              { head: t.imports.column, cell: ({ field }) => fieldName(field, t) },
              { head: t.imports.problem, class: 'text-cell', cell: (error) => worded(t.problems, error) },
            ]}
          />
        </section>
      )}
    </div>
  );
}

/** Of the client's own fields the key. */
const fieldName = (field: string, t: Texts): string =>
  field.startsWith('fields.') ? field.slice('fields.'.length) : named(t.imports.columns, field);

/** How many rows were added, updated and rejected, so far or in the end. */
function Outcome({ of, running }: { of: ImportView; running: boolean }) {
  const { t, format } = useReader();
  const applied = of.added + of.updated + of.rejected + of.skipped;
  const undoing = of.undoAt !== null && of.undoneAt === null;
  return (
    <div class="card-box">
      <p class="line">
        <ImportChip of={of} />
        <span class="hint">{t.imports.rows(of.rows)}</span>
      </p>
      {running && (
        <progress
          class="w-100"
          max={Math.max(1, undoing ? of.added : of.rows)}
          value={undoing ? of.undone + of.undoKept : applied}
          aria-label={undoing ? t.imports.undoing : t.imports.running}
        />
      )}
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
        {of.skipped > 0 && (
          <div class="figure">
            <dt>{t.imports.skipped}</dt>
            <dd>{format.number(of.skipped)}</dd>
          </div>
        )}
        {of.suppressed > 0 && (
          <div class="figure">
            <dt>{t.imports.suppressed}</dt>
            <dd>{format.number(of.suppressed)}</dd>
          </div>
        )}
      </dl>
      {of.statusRows > 0 && <p>{t.imports.statusRows(of.statusRows, of.newlySuppressed)}</p>}
      {of.ignoredColumns.length > 0 && <p class="hint">{t.imports.ignored(of.ignoredColumns.join(', '))}</p>}
      {of.undoAt && <p>{t.imports.undoCounts(of.undone, of.undoKept)}</p>}
      {of.encoding && (
        <p class="hint">
          {t.imports.read(of.encoding.toUpperCase(), named(t.imports.delimiters, of.delimiter ?? ','))}
        </p>
      )}
      {!running && <Actions of={of} />}
    </div>
  );
}

/** What can be done after it. */
function Actions({ of }: { of: ImportView }) {
  const { t } = useReader();
  const path = `/clients/import/${of.id}`;
  const canUndo = of.status === 'done' && !of.dryRun && of.firstClientId !== null && of.undoAt === null;
  return (
    <div class="actions">
      {of.dryRun && of.keptAt && of.status === 'done' && (
        <PostForm action={`${path}/now`} class="d-inline">
          <button class="btn btn-primary">{t.imports.nowImport}</button>
        </PostForm>
      )}
      {!of.dryRun && of.status === 'done' && (
        <a class="btn btn-primary" href="/clients">
          {t.imports.seeClients}
        </a>
      )}
      {of.keptAt && (of.dryRun || of.status === 'failed') && (
        <a class="btn btn-secondary" href={`${path}?columns=1`}>
          {t.imports.chooseAgain}
        </a>
      )}
      {of.rejected > 0 && (
        <>
          <a class="btn btn-secondary" href={`${path}/rejected.csv`} download>
            {t.imports.rejectedCsv(Math.min(of.rejected, KEPT_ERRORS))}
          </a>
          <a class="btn btn-secondary" href={`${path}/errors.csv`} download>
            {t.imports.errorsCsv}
          </a>
        </>
      )}
      {canUndo && (
        <Confirm
          id="undo"
          action={`${path}/undo`}
          text={t.imports.undo}
          question={t.imports.undoQuestion(of.added)}
          kind="btn-outline-danger"
        >
          <p>{t.imports.undoText}</p>
        </Confirm>
      )}
    </div>
  );
}
