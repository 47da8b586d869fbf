import { fieldTypes } from '../../domain/client-fields';
import type { ClientField } from '../../features/clients/client-field.entity';
import { isOffered } from '../../features/clients/field-definitions';
import type { FormState } from '../answers';
import { Facts } from '../components/facts';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Empty, PageHead, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';

/** The fields that somebody keeps of their clients, in their order. */
export function FieldsPage({ fields }: { fields: ClientField[] }) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.fields.title} back={{ to: '/clients', text: t.clients.title }}>
        <a class="btn btn-primary" href="/clients/fields/new">
          <Icon name="plus" /> {t.fields.new}
        </a>
      </PageHead>
      <p>{t.fields.about}</p>
      {fields.length === 0 ? (
        <Empty text={t.fields.empty} action={{ to: '/clients/fields/new', text: t.fields.new }} />
      ) : (
        <Table
          caption={t.fields.title}
          rows={fields}
          columns={[
            {
              head: t.fields.label,
              class: 'main-cell',
              cell: (field) => (
                <>
                  <a href={`/clients/fields/${field.key}`}>{field.label}</a>{' '}
                  {!isOffered(field) && <Chip tone="quiet">{t.fields.archived}</Chip>}
                </>
              ),
            },
            { head: t.fields.key, class: 'text-cell', cell: ({ key }) => <code>{key}</code> },
            {
              head: t.fields.type,
              class: 'text-cell',
              cell: ({ type, options }) => (
                <div>
                  {t.fields.types[type]}
                  {type === 'choice' && <span class="hint clip d-block">{options.join(', ')}</span>}
                </div>
              ),
            },
            {
              head: t.fields.order,
              cell: (field) => <Move field={field} at={fields.indexOf(field)} of={fields.length} />,
            },
          ]}
        />
      )}
    </>
  );
}

function Move({ field: { key, label }, at, of }: { field: ClientField; at: number; of: number }) {
  const { t } = useReader();
  const button = (to: number, text: string, name: string) => (
    <button class="btn btn-sm btn-secondary" name="position" value={to} aria-label={name}>
      {text}
    </button>
  );
  return (
    <PostForm action={`/clients/fields/${key}/move`} class="actions">
      {at > 0 && button(at - 1, t.fields.up, t.fields.upOf(label))}
      {at < of - 1 && button(at + 1, t.fields.down, t.fields.downOf(label))}
    </PostForm>
  );
}

/** A new field, or one whose key and type stay as they are. */
export function FieldPage({ form, field }: { form: FormState; field?: ClientField }) {
  const { t } = useReader();
  return (
    <>
      <PageHead
        title={field ? field.label : t.fields.new}
        back={{ to: '/clients/fields', text: t.fields.title }}
        chip={field && !isOffered(field) && <Chip tone="quiet">{t.fields.archived}</Chip>}
      >
        {field && <FieldActions field={field} />}
      </PageHead>
      {field && (
        <Facts
          class="card-box narrow"
          of={[
            [t.fields.key, <code key="key">{`{{ client.${field.key} }}`}</code>],
            [t.fields.type, t.fields.types[field.type]],
          ]}
        />
      )}
      <PostForm action={field ? `/clients/fields/${field.key}` : '/clients/fields/new'} class="card-box narrow">
        <FormProblem form={form} />
        <Field form={form} name="label" label={t.fields.label} hint={t.fields.labelHint} required autocomplete="off" />
        {!field && (
          <>
            <Field
              form={form}
              name="fieldKey"
              label={t.fields.key}
              hint={t.fields.keyHint}
              required
              autocomplete="off"
            />
            <Field
              form={form}
              name="type"
              label={t.fields.type}
              hint={t.fields.typeHint}
              required
              options={fieldTypes.map((value) => ({ value, text: t.fields.types[value] }))}
            />
          </>
        )}
        {(!field || field.type === 'choice') && (
          <Field
            form={form}
            name="options"
            label={t.fields.options}
            hint={field ? t.fields.optionsLines : t.fields.optionsHint}
            rows={5}
            required={field !== undefined}
          />
        )}
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href="/clients/fields">
            {t.form.cancel}
          </a>
        </div>
      </PostForm>
    </>
  );
}

function FieldActions({ field }: { field: ClientField }) {
  const { t } = useReader();
  const at = `/clients/fields/${field.key}`;
  return (
    <>
      {isOffered(field) ? (
        <Confirm id="archive" action={`${at}/archive`} text={t.fields.archive} question={`${t.fields.archive}?`}>
          <p>{t.fields.archiveText}</p>
        </Confirm>
      ) : (
        <PostForm action={`${at}/restore`}>
          <button class="btn btn-secondary">{t.fields.restore}</button>
        </PostForm>
      )}
      <Confirm
        id="delete"
        action={`${at}/delete`}
        text={t.form.delete}
        question={t.fields.deleteQuestion(field.label)}
        kind="btn-outline-danger"
      >
        <p>{t.fields.deleteText}</p>
      </Confirm>
    </>
  );
}
