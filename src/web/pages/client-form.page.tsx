import type { FieldDefinition } from '../../domain/client-fields';
import type { ClientView } from '../../features/clients/client-view';
import type { FormState } from '../answers';
import { Field, FormProblem } from '../components/form';
import { KeptForm } from '../components/kept-form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';
import { OwnFields, TagsField } from './client-columns';

interface FormProps {
  form: FormState;
  client?: ClientView;
  fields: readonly FieldDefinition[];
  /** The names of the owner's tags, to be suggested. */
  tags: readonly string[];
}

export function ClientFormPage({ form, client, fields, tags }: FormProps) {
  const { t } = useReader();
  return (
    <>
      <PageHead
        title={client ? t.clients.edit : t.clients.new}
        back={client ? { to: `/clients/${client.id}`, text: client.email } : { to: '/clients', text: t.clients.title }}
      />
      <KeptForm
        form={form}
        action={client ? `/clients/${client.id}/edit` : '/clients/new'}
        labels={{
          ...{ email: t.field.email, fullName: t.field.fullName, comment: t.field.comment, tags: t.tags.title },
          ...Object.fromEntries(fields.map(({ key, label }) => [`fields.${key}`, label])),
        }}
        class="card-box narrow"
      >
        <FormProblem form={form} />
        <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="off" />
        <Field form={form} name="fullName" label={t.field.fullName} autocomplete="off" />
        <OwnFields form={form} fields={fields} />
        <TagsField form={form} known={tags} />
        <Field form={form} name="comment" label={t.field.comment} rows={3} />
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href={client ? `/clients/${client.id}` : '/clients'}>
            {t.form.cancel}
          </a>
        </div>
      </KeptForm>
    </>
  );
}
