import type { FormState } from '../answers';
import { assetUrl } from '../assets';
import { DEFAULT_BRAND, FONTS } from '../../domain/letter-document/theme';
import { Field, FormProblem } from '../components/form';
import { FirstSave, KeptForm } from '../components/kept-form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';

interface Props {
  form: FormState;
  /** What letters say now. */
  shown: { name: string; email: string; postalAddress: string };
  /** The hash of the logo, if it was uploaded. */
  logo: string | null;
}

/** What the letters of the user say about their sender. */
export function SenderPage({ form, shown, logo }: Props) {
  const { t } = useReader();
  return (
    <>
      <link rel="stylesheet" href={assetUrl('pictures.css')} />
      <PageHead title={t.sender.title} back={{ to: '/account', text: t.profile.title }} />
      <div class="form-grid">
        <KeptForm
          form={form}
          action="/sender"
          labels={{
            ...{ name: t.sender.name, replyTo: t.sender.replyTo },
            ...{ postalAddress: t.sender.postalAddress, unsubscribeText: t.sender.why },
            ...{ logo: t.brand.logo, accent: t.brand.accent, background: t.brand.background, font: t.brand.font },
          }}
          class="card-box"
          first={<FirstSave />}
        >
          <FormProblem form={form} />
          <Field form={form} name="name" label={t.sender.name} hint={t.sender.nameHint} autocomplete="organization" />
          <Field form={form} name="replyTo" label={t.sender.replyTo} type="email" hint={t.sender.replyToHint} />
          <Field form={form} name="postalAddress" label={t.sender.postalAddress} rows={3} hint={t.sender.addressHint} />
          <Field form={form} name="unsubscribeText" label={t.sender.why} rows={2} hint={t.sender.whyHint} />
          <BrandFields form={form} logo={logo} />
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

function BrandFields({ form, logo }: Pick<Props, 'form' | 'logo'>) {
  const { t } = useReader();
  const fonts = ['', ...Object.keys(FONTS)] as (keyof typeof t.brand.fonts)[];
  const { accent, background } = DEFAULT_BRAND;
  return (
    <fieldset>
      <legend>{t.brand.title}</legend>
      <p class="hint">{t.brand.about}</p>
      <Field form={form} name="logo" label={t.brand.logo} hint={t.brand.logoHint} />
      {logo && <img class="logo-look" src={`/media/${logo}`} alt={t.brand.logo} />}
      <p>
        <button class="btn btn-sm btn-secondary" formaction="/drafts/logo">
          {t.brand.logoChoose}
        </button>
      </p>
      <Field form={form} name="accent" label={t.brand.accent} hint={t.brand.colourHint(accent)} />
      <Field form={form} name="background" label={t.brand.background} hint={t.brand.colourHint(background)} />
      <Field
        form={form}
        name="font"
        label={t.brand.font}
        options={fonts.map((font) => ({ value: font, text: t.brand.fonts[font] }))}
      />
    </fieldset>
  );
}
