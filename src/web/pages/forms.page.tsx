import type { ComponentChildren } from 'preact';
import { languages } from '../../domain/language';
import type { Page } from '../../domain/paging';
import { type FormGround, nameModes } from '../../domain/signup-form';
import { formUrl } from '../../features/signups/public-form';
import type { SignupFormView } from '../../features/signups/form-view';
import type { SignupRecord } from '../../features/signups/signup-records.service';
import type { FormState } from '../answers';
import { Facts } from '../components/facts';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Owner, OwnerPick, PageHead, Pager, Results, Search, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import { formSnippet } from './form-snippet';

export function FormsPage({ forms }: { forms: Page<SignupFormView> }) {
  const { t, format, owners } = useReader();
  return (
    <>
      <PageHead title={t.forms.title} back={{ to: '/clients', text: t.clients.title }}>
        <a class="btn btn-primary" href="/forms/new">
          <Icon name="plus" /> {t.forms.new}
        </a>
      </PageHead>
      <p class="hint">{t.forms.about}</p>
      {owners && (
        <Search>
          <OwnerPick />
        </Search>
      )}
      <Results
        page={forms}
        caption={t.forms.title}
        columns={[
          {
            head: t.forms.name,
            class: 'main-cell',
            cell: ({ id, name, title, ownerId }) => (
              <>
                <a href={`/forms/${id}`}>{name}</a>
                <span class="hint d-block">{title}</span>
                <Owner id={ownerId} />
              </>
            ),
          },
          { head: t.forms.state, cell: (form) => <FormChip form={form} /> },
          { head: t.forms.cameIn, class: 'num', cell: ({ cameIn }) => format.number(cameIn) },
          { head: t.forms.confirmed, class: 'num', cell: ({ confirmed }) => format.number(confirmed) },
          { head: t.forms.waiting, class: 'num', cell: ({ waiting }) => format.number(waiting) },
        ]}
        empty={{ text: t.forms.empty, action: { to: '/forms/new', text: t.forms.new } }}
      />
    </>
  );
}

function FormChip({ form }: { form: SignupFormView }) {
  const { t } = useReader();
  return form.closedAt === null ? <Chip tone="good">{t.forms.open}</Chip> : <Chip tone="quiet">{t.forms.closed}</Chip>;
}

interface EditorProps {
  state: FormState;
  ground: FormGround;
  form?: SignupFormView;
}

/** What a form says, asks for and gives. */
export function FormEditorPage({ state, ground, form }: EditorProps) {
  const { t } = useReader();
  const back = form ? { to: `/forms/${form.id}`, text: form.name } : { to: '/forms', text: t.forms.title };
  const modes = nameModes.map((value) => ({ value, text: t.forms.modes[value] }));
  return (
    <>
      <PageHead title={form ? t.forms.edit : t.forms.new} back={back} />
      <PostForm action={form ? `/forms/${form.id}/edit` : '/forms/new'} class="card-box narrow">
        <FormProblem form={state} />
        <Field form={state} name="name" label={t.forms.name} hint={t.forms.nameHint} required />
        <Field form={state} name="title" label={t.forms.heading} required />
        <Field
          form={state}
          name="language"
          label={t.forms.language}
          required
          options={languages.map((value) => ({ value, text: t.forms.languages[value] }))}
        />
        <Field form={state} name="intro" label={t.forms.intro} rows={3} />
        <Field form={state} name="consentText" label={t.forms.consent} hint={t.forms.consentHint} rows={3} />
        <h2>{t.forms.ask}</h2>
        <Field form={state} name="fullName" label={t.forms.fullName} required options={modes} />
        {ground.fields.map(({ key, label }) => (
          <Field key={key} form={state} name={`ask.${key}`} label={label} required options={modes} />
        ))}
        <Ticks
          state={state}
          name="topic"
          legend={t.forms.topics}
          hint={t.forms.topicsHint}
          tags={ground.tags.filter((tag) => tag.public)}
          none={t.forms.noTopics}
        />
        <Ticks state={state} name="tag" legend={t.forms.tags} tags={ground.tags} none={t.forms.noTags} />
        <h2>{t.signup.done}</h2>
        <Tick state={state} name="doubleOptIn" label={t.forms.doubleOptIn} hint={t.forms.doubleOptInHint} />
        <Field form={state} name="thanks" label={t.forms.thanks} rows={3} />
        <Field form={state} name="redirectUrl" label={t.forms.redirect} hint={t.forms.redirectHint} />
        <Field form={state} name="allowedOrigins" label={t.forms.origins} hint={t.forms.originsHint} rows={2} />
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href={back.to}>
            {t.form.cancel}
          </a>
        </div>
      </PostForm>
    </>
  );
}

function Tick({ state, name, label, hint }: { state: FormState; name: string; label: string; hint?: string }) {
  const id = `f-${name}`;
  return (
    <div class="form-check">
      <input
        class="form-check-input"
        type="checkbox"
        id={id}
        name={name}
        value="on"
        checked={state.values[name] !== undefined}
        aria-describedby={hint && `${id}-hint`}
      />
      <label class="form-check-label text-break" for={id}>
        {label}
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TicksProps {
  state: FormState;
  name: 'topic' | 'tag';
  legend: string;
  hint?: string;
  tags: FormGround['tags'];
  none: string;
}

function Ticks({ state, name, legend, hint, tags, none }: TicksProps) {
  const problem = state.problems[`${name}s`];
  return (
    <fieldset class="field">
      <legend class="form-label">{legend}</legend>
      {tags.length === 0 && <p class="hint">{none}</p>}
      {tags.map((tag) => (
        <Tick key={tag.id} state={state} name={`${name}.${tag.id}`} label={tag.name} />
      ))}
      {tags.length > 0 && hint && <p class="hint">{hint}</p>}
      {problem && <p class="field-problem">{problem}</p>}
    </fieldset>
  );
}

interface FormPageProps {
  form: SignupFormView;
  ground: FormGround;
  records: Page<SignupRecord>;
  publicUrl: string;
  mayChange: boolean;
}

/** One form: its numbers, its address, what to put into one's own site, and who signed up. */
export function FormPage({ form, ground, records, publicUrl, mayChange }: FormPageProps) {
  const { t, format } = useReader();
  const url = formUrl(publicUrl, form.token);
  return (
    <>
      <PageHead title={form.name} back={{ to: '/forms', text: t.forms.title }} chip={<FormChip form={form} />}>
        {mayChange && <Actions form={form} />}
      </PageHead>
      <Facts
        of={[
          [t.forms.cameIn, format.number(form.cameIn)],
          [t.forms.confirmed, format.number(form.confirmed)],
          [t.forms.waiting, format.number(form.waiting)],
          [
            t.forms.page,
            <a key="url" class="text-break" href={url}>
              {url}
            </a>,
          ],
        ]}
      />
      <section aria-labelledby="snippet-title" class="card-box">
        <h2 id="snippet-title">{t.forms.snippet}</h2>
        <p class="hint">{t.forms.snippetHint}</p>
        <pre class="snippet" tabindex={0} aria-labelledby="snippet-title">
          <code id="snippet">{formSnippet(form, ground, url)}</code>
        </pre>
        <button type="button" class="btn btn-secondary" data-copy="snippet">
          {t.forms.copy}
        </button>
      </section>
      <section aria-labelledby="last">
        <h2 id="last">{t.forms.last}</h2>
        {records.items.length === 0 ? (
          <p class="hint">{t.forms.none}</p>
        ) : (
          <Table
            caption={t.forms.last}
            rows={records.items}
            columns={[
              {
                head: t.field.email,
                class: 'main-cell',
                cell: ({ email, clientId }) => (clientId ? <a href={`/clients/${clientId}`}>{email}</a> : <>{email}</>),
              },
              { head: t.forms.state, cell: (record) => <RecordChip record={record} /> },
              { head: t.forms.chose, class: 'text-cell', cell: ({ topics }) => topics.join(', ') },
              { head: t.forms.when, class: 'muted text-nowrap', cell: ({ createdAt }) => format.time(createdAt) },
            ]}
          />
        )}
        <Pager nextCursor={records.nextCursor} />
      </section>
    </>
  );
}

function Actions({ form }: { form: SignupFormView }) {
  const { t } = useReader();
  return (
    <>
      <a class="btn btn-secondary" href={`/forms/${form.id}/edit`}>
        {t.form.edit}
      </a>
      {form.closedAt === null ? (
        <Confirm
          id="close"
          action={`/forms/${form.id}/close`}
          text={t.forms.close}
          question={t.forms.closeQuestion(form.name)}
        >
          <p>{t.forms.closeText}</p>
        </Confirm>
      ) : (
        <PostForm action={`/forms/${form.id}/open`}>
          <button class="btn btn-secondary">{t.forms.reopen}</button>
        </PostForm>
      )}
      <Confirm
        id="delete"
        action={`/forms/${form.id}/delete`}
        text={t.form.delete}
        question={t.forms.deleteQuestion(form.name)}
        kind="btn-outline-danger"
      >
        <p>{t.forms.deleteText}</p>
      </Confirm>
    </>
  );
}

function RecordChip({ record }: { record: Pick<SignupRecord, 'confirmedAt' | 'expiresAt'> }): ComponentChildren {
  const { t } = useReader();
  if (record.confirmedAt !== null) return <Chip tone="good">{t.forms.confirmed}</Chip>;
  return record.expiresAt.getTime() > Date.now() ? (
    <Chip tone="quiet">{t.forms.waiting}</Chip>
  ) : (
    <Chip tone="quiet">{t.forms.expired}</Chip>
  );
}

/** On a client's page: what the person agreed to, when, from where, and by which form. */
export function Consents({ records }: { records: SignupRecord[] }) {
  const { t, format } = useReader();
  if (records.length === 0) return null;
  return (
    <section aria-labelledby="consents">
      <h2 id="consents">{t.forms.history}</h2>
      <Table
        caption={t.forms.history}
        rows={records}
        columns={[
          {
            head: t.forms.when,
            class: 'text-nowrap',
            cell: ({ createdAt, confirmedAt }) => format.time(confirmedAt ?? createdAt),
          },
          { head: t.forms.state, cell: (record) => <RecordChip record={record} /> },
          {
            head: t.forms.form,
            class: 'text-cell',
            cell: ({ formId, formName }) => <a href={`/forms/${formId}`}>{formName}</a>,
          },
          {
            head: t.forms.from,
            class: 'text-cell muted',
            cell: ({ ip, confirmedIp, origin }) => [origin, confirmedIp ?? ip].filter(Boolean).join(' · '),
          },
          {
            head: t.forms.agreed,
            class: 'text-cell',
            cell: ({ consentText, topics }) => (
              <>
                <span class="prewrap">{consentText}</span>
                {topics.length > 0 && <span class="hint d-block">{topics.join(', ')}</span>}
              </>
            ),
          },
        ]}
      />
    </section>
  );
}
