import type { Page } from '../../domain/paging';
import type { Tag } from '../../features/clients/tag.entity';
import type { FormState } from '../answers';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Owner, OwnerPick, PageHead, Results, Search } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';

/** Tags with how many clients have them. */
export function TagsPage({ tags, add }: { tags: Page<Tag>; add: FormState }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.tags.title} back={{ to: '/clients', text: t.clients.title }} />
      <p>{t.tags.about}</p>
      <details class="card-box" open={Object.keys(add.problems).length > 0 || add.problem !== undefined}>
        <summary>{t.tags.new}</summary>
        <PostForm action="/clients/tags">
          <FormProblem form={add} />
          <Field form={add} name="name" label={t.tags.name} required autocomplete="off" />
          <Topic form={add} />
          <button class="btn btn-primary">{t.form.save}</button>
        </PostForm>
      </details>
      <Search label={t.tags.search}>
        <OwnerPick />
      </Search>
      <Results
        page={tags}
        caption={t.tags.title}
        columns={[
          {
            head: t.tags.tag,
            class: 'main-cell',
            cell: ({ id, name, ownerId, public: isPublic }) => (
              <>
                <a href={`/clients/tags/${id}`}>{name}</a> {isPublic && <Chip tone="going">{t.tags.isPublic}</Chip>}
                <Owner id={ownerId} />
              </>
            ),
          },
          {
            head: t.tags.clients,
            class: 'num',
            cell: ({ name, clients }) =>
              clients > 0 ? <a href={taggedClients(name)}>{format.number(clients)}</a> : format.number(0),
          },
        ]}
        empty={{ text: t.tags.empty }}
      />
    </>
  );
}

export const taggedClients = (name: string): string => `/clients?${new URLSearchParams({ tag: name }).toString()}`;

function Topic({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <div class="field form-check">
      <input
        class="form-check-input"
        type="checkbox"
        id="f-public"
        name="public"
        value="1"
        checked={form.values.public === '1'}
        aria-describedby="f-public-hint"
      />
      <label class="form-check-label" for="f-public">
        {t.tags.public}
      </label>
      <p class="hint" id="f-public-hint">
        {t.tags.publicHint}
      </p>
    </div>
  );
}

interface TagProps {
  tag: Tag;
  /** The tags that it may be merged into. */
  others: Tag[];
  form: FormState;
  merge: FormState;
  mayChange: boolean;
}

export function TagPage({ tag, others, form, merge, mayChange }: TagProps) {
  const { t } = useReader();
  const at = `/clients/tags/${tag.id}`;
  return (
    <>
      <PageHead title={tag.name} back={{ to: '/clients/tags', text: t.tags.title }}>
        <a class="btn btn-secondary" href={taggedClients(tag.name)}>
          {t.tags.show}
        </a>
        {mayChange && (
          <Confirm
            id="delete"
            action={`${at}/delete`}
            text={t.form.delete}
            question={t.tags.deleteQuestion(tag.name)}
            kind="btn-outline-danger"
          >
            <p>{t.tags.deleteText(tag.clients)}</p>
          </Confirm>
        )}
      </PageHead>
      <p>{t.tags.count(tag.clients)}</p>
      {mayChange && (
        <>
          <PostForm action={at} class="card-box narrow">
            <FormProblem form={form} />
            <Field form={form} name="name" label={t.tags.name} required autocomplete="off" />
            <Topic form={form} />
            <div class="actions">
              <button class="btn btn-primary">{t.form.save}</button>
              <a class="btn btn-secondary" href="/clients/tags">
                {t.form.cancel}
              </a>
            </div>
          </PostForm>
          {others.length > 0 && (
            <PostForm action={`${at}/merge`} class="card-box narrow">
              <h2>{t.tags.merge}</h2>
              <p>{t.tags.mergeText}</p>
              <FormProblem form={merge} />
              <Field
                form={merge}
                name="into"
                label={t.tags.into}
                required
                options={[
                  { value: '', text: t.fields.none },
                  ...others.map(({ id, name }) => ({ value: String(id), text: name })),
                ]}
              />
              <button class="btn btn-secondary">{t.tags.mergeButton}</button>
            </PostForm>
          )}
        </>
      )}
    </>
  );
}
