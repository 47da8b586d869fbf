import { type BulkAction, bulkActions, takesTags } from '../../domain/bulk';
import { problem, worded } from '../../domain/problems';
import type { BulkJobView } from '../../features/clients/bulk-jobs.service';
import type { ClientFilter } from '../../features/clients/client-list';
import type { SubscriptionStatus } from '../../domain/subscription';
import type { FormState } from '../answers';
import { Field, FormProblem, PostForm } from '../components/form';
import { Empty, NO_FILTERS, PageHead, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import type { FormValues } from '../web-controller';

/** Whom an action of the list is about: the clients that are ticked, or all that its filter finds. */
export interface BulkChoice {
  /** The fields of the form that say so, to be sent again. */
  kept: FormValues;
  clientIds: number[];
  /** Null: those that are ticked. */
  filter: ClientFilter | null;
  /** What in the filter could not be read; then nobody is meant. */
  unread: readonly string[];
}

const FORM = 'bulk';

/** The box before a client of the list. */
export function Tick({ id, email }: { id: number; email: string }) {
  return <input class="form-check-input" type="checkbox" form={FORM} name={`c${id}`} value="1" aria-label={email} />;
}

/**
 * Ticks all clients of the page. It needs JavaScript, which shows it, and which keeps ticks of clients that a search does
 * not show any more.
 */
export function TickPage() {
  const { t } = useReader();
  return (
    <div class="tick-page" data-ticks={FORM} hidden>
      <label>
        <input class="form-check-input" type="checkbox" autocomplete="off" data-tick-page /> {t.finding.tickPage}
      </label>
      <span class="hint" data-also-ticked hidden>
        {t.finding.alsoTicked} <span data-count />{' '}
        <button type="button" class="btn btn-sm btn-secondary" data-untick>
          {t.finding.untick}
        </button>
      </span>
    </div>
  );
}

/** What can be done to the clients of a list. Nothing is done before it was asked for a second time, but for tags. */
export function BulkBar({ total, tags }: { total: number | undefined; tags: readonly string[] }) {
  const { t, query, format, user } = useReader();
  // Also what the list did not understand: the action is refused then.
  const filters = [...query].filter(
    ([name, value]) =>
      value && name !== 'ownerId' && (!NO_FILTERS.includes(name) || (name === 'searchIn' && query.get('search'))),
  );
  // The list shows another owner's clients: an action would be about one's own.
  const owner = query.get('ownerId');
  if (owner && owner !== String(user?.id)) return null;
  const isOwn = user?.role === 'user' || !!owner;
  return (
    <details class="bulk">
      <summary>{t.bulk.title}</summary>
      <PostForm action="/clients/bulk" id={FORM} class="bulk-bar">
        {filters.map(([name, value]) => (
          <input key={name} type="hidden" name={`by.${name}`} value={value} />
        ))}
        {filters.length === 0 && <input type="hidden" name="by.all" value="1" />}
        <fieldset class="picks">
          <legend class="visually-hidden">{t.bulk.whom}</legend>
          <label>
            <input class="form-check-input" type="radio" name="whom" value="ticked" checked /> {t.bulk.ticked}
          </label>
          <label>
            <input class="form-check-input" type="radio" name="whom" value="all" />{' '}
            {!isOwn ? t.bulk.allOwn : t.bulk.all(total === undefined ? '' : format.number(total))}
          </label>
        </fieldset>
        <label class="pick">
          <span>{t.bulk.what}</span>
          <select class="form-select" name="action">
            {bulkActions.map((action) => (
              <option key={action} value={action}>
                {t.bulk.actions[action]}
              </option>
            ))}
          </select>
        </label>
        <label class="pick">
          <span>{t.bulk.tags}</span>
          <input class="form-control" name="tags" list="bulk-tags" autocomplete="off" maxlength={1_000} />
        </label>
        <datalist id="bulk-tags">
          {tags.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <button class="btn btn-secondary">{t.bulk.go}</button>
        <a class="hint" href="/clients/jobs">
          {t.bulk.earlier}
        </a>
      </PostForm>
    </details>
  );
}

interface AskProps {
  form: FormState;
  action: BulkAction;
  choice: BulkChoice;
  /** The first addresses of those that are ticked. */
  emails: readonly string[];
  /** The name of the filter's segment. */
  segment?: string | undefined;
}

/** The question before something is done to many, and what is wrong with it. */
export function BulkPage({ form, action, choice, emails, segment }: AskProps) {
  const { t } = useReader();
  const { clientIds, filter, unread, kept } = choice;
  const all = filter !== null;
  const filters = Object.entries(filter ?? {}) as [keyof typeof t.bulk.by, string | number][];
  const words: Partial<Record<string, (value: string | number) => string | undefined>> = {
    subscription: (value) => t.subscription[value as SubscriptionStatus],
    segmentId: () => segment,
    searchIn: () => t.finding.searchIn.all,
  };
  const shown = (name: string, value: string | number) => (words[name] ?? String)(value);
  if (!all && clientIds.length === 0) return <Nobody unread={unread} />;
  return (
    <>
      <PageHead
        title={all ? t.bulk.askAll[action] : t.bulk.ask[action](clientIds.length)}
        back={{ to: '/clients', text: t.clients.title }}
      />
      <PostForm action="/clients/bulk" class="card-box narrow">
        <FormProblem form={form} />
        {form.problems.clientIds && <p class="field-problem">{form.problems.clientIds}</p>}
        {Object.entries(kept).map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
        <input type="hidden" name="sure" value="1" />
        {all && filters.length === 0 && <p>{t.bulk.everybody}</p>}
        {all && filters.length > 0 && (
          <ul>
            {filters.map(([name, value]) => (
              <li key={name}>
                {t.bulk.by[name]}: {shown(name, value)}
              </li>
            ))}
          </ul>
        )}
        {!all && emails.length > 0 && <p class="text-break">{emails.join(', ')}</p>}
        {!all && clientIds.length > emails.length && (
          <p class="hint">{t.bulk.more(clientIds.length - emails.length)}</p>
        )}
        {takesTags(action) && <Field form={form} name="tags" label={t.bulk.tags} required autocomplete="off" />}
        {!takesTags(action) && <p>{t.bulk.means[action as 'delete' | 'suppress']}</p>}
        <div class="actions">
          <button class={`btn ${action === 'delete' ? 'btn-danger' : 'btn-primary'}`}>{t.bulk.actions[action]}</button>
          <a class="btn btn-secondary" href="/clients">
            {t.form.cancel}
          </a>
        </div>
        <p class="hint">{t.bulk.goesOn}</p>
      </PostForm>
    </>
  );
}

/** Nobody was ticked, or the filter could not be read. */
function Nobody({ unread }: { unread: readonly string[] }) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.bulk.title} back={{ to: '/clients', text: t.clients.title }} />
      <p role="alert">
        {unread.length > 0 ? t.bulk.unread(unread.join(', ')) : worded(t.problems, problem('clients_or_filter'))}
      </p>
    </>
  );
}

export function JobsPage({ jobs }: { jobs: BulkJobView[] }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.bulk.jobs} back={{ to: '/clients', text: t.clients.title }} />
      {jobs.length === 0 ? (
        <Empty text={t.bulk.noJobs} />
      ) : (
        <Table
          caption={t.bulk.jobs}
          rows={jobs}
          columns={[
            {
              head: t.bulk.what,
              class: 'main-cell',
              cell: ({ id, action }) => <a href={`/clients/jobs/${id}`}>{t.bulk.actions[action]}</a>,
            },
            { head: t.field.status, cell: (job) => <JobChip of={job} /> },
            { head: t.bulk.done, class: 'num', cell: ({ done }) => format.number(done) },
            { head: t.field.time, class: 'muted text-nowrap', cell: ({ createdAt }) => format.time(createdAt) },
          ]}
        />
      )}
    </>
  );
}

function JobChip({ of }: { of: BulkJobView }) {
  const { t } = useReader();
  const tone = { running: 'going', done: 'good', stopped: 'quiet' } as const;
  return <Chip tone={tone[of.status]}>{t.bulk.status[of.status]}</Chip>;
}

export function JobPage({ job, mayStop }: { job: BulkJobView; mayStop: boolean }) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.bulk.actions[job.action]} back={{ to: '/clients/jobs', text: t.bulk.jobs }} />
      <JobLive job={job} />
      {mayStop && job.status === 'running' && (
        <PostForm action={`/clients/jobs/${job.id}/stop`}>
          <button class="btn btn-secondary">{t.bulk.stop}</button>
        </PostForm>
      )}
    </>
  );
}

/** Refreshes itself until the job is done. */
export function JobLive({ job }: { job: BulkJobView }) {
  const { t, format } = useReader();
  const running = job.status === 'running';
  const live = {
    'data-live': true,
    'hx-get': `/clients/jobs/${job.id}/live`,
    'hx-trigger': 'every 1s, wake',
    'hx-swap': 'outerHTML',
  };
  return (
    <div id="job-live" class="card-box" {...(running ? live : {})}>
      <p class="line">
        <JobChip of={job} />
        <span>{t.bulk.progress(format.number(job.done), job.total === null ? null : format.number(job.total))}</span>
      </p>
      {running && (
        <progress
          class="w-100"
          aria-label={t.bulk.status.running}
          {...(job.total === null ? {} : { max: Math.max(1, job.total), value: job.done })}
        />
      )}
      {running && <p class="hint">{t.bulk.goesOn}</p>}
    </div>
  );
}
