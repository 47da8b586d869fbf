import type { FormState } from '../answers';
import { Field, FormProblem } from '../components/form';
import { KeptForm } from '../components/kept-form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';

interface Props {
  form: FormState;
  /** What letters say now. */
  shown: { name: string; email: string; postalAddress: string };
}

/** What the letters of the user say about their sender. */
export function SenderPage({ form, shown }: Props) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.sender.title} back={{ to: '/account', text: t.profile.title }} />
      <div class="form-grid">
        <KeptForm
          form={form}
          action="/sender"
          labels={{
            ...{ name: t.sender.name, replyTo: t.sender.replyTo },
            ...{ postalAddress: t.sender.postalAddress, unsubscribeText: t.sender.why },
          }}
          class="card-box"
        >
          <FormProblem form={form} />
          <Field form={form} name="name" label={t.sender.name} hint={t.sender.nameHint} autocomplete="organization" />
          <Field form={form} name="replyTo" label={t.sender.replyTo} type="email" hint={t.sender.replyToHint} />
          <Field form={form} name="postalAddress" label={t.sender.postalAddress} rows={3} hint={t.sender.addressHint} />
          <Field form={form} name="unsubscribeText" label={t.sender.why} rows={2} hint={t.sender.whyHint} />
          <button class="btn btn-primary">{t.form.save}</button>
        </KeptForm>
        <div class="card-box">
          <h2>{t.sender.shown}</h2>
          <p class="text-break">
            {shown.name} &lt;{shown.email}&gt;
          </p>
          <p>{shown.postalAddress || <strong>{t.sender.noAddress}</strong>}</p>
        </div>
      </div>
    </>
  );
}
