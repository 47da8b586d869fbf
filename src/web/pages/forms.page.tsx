import type { Page } from '../../domain/paging';
import type { FormGround } from '../../domain/signup-form';
import { formUrl } from '../../features/signups/public-form';
import type { SignupFormView } from '../../features/signups/form-view';
import type { SignupRecord } from '../../features/signups/signup-records.service';
import { Facts } from '../components/facts';
import { Confirm, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Owner, OwnerPick, PageHead, Results, Search, Table } from '../components/list';
import { Pager } from '../components/pager';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import { RecordChip } from './consents';
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
      <p>{t.forms.about}</p>
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
        empty={{ text: t.forms.empty, sample: t.shell.samples.forms, action: { to: '/forms/new', text: t.forms.new } }}
      />
    </>
  );
}

function FormChip({ form }: { form: SignupFormView }) {
  const { t } = useReader();
  return form.closedAt === null ? <Chip tone="good">{t.forms.open}</Chip> : <Chip tone="quiet">{t.forms.closed}</Chip>;
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
        <Pager {...records} />
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
