import type { SecondFactorSecret, SecondFactorState } from '../../features/users/second-factor.service';
import { emptyForm, type FormState } from '../answers';
import { Facts } from '../components/facts';
import { CurrentPassword, Field, FormProblem, PostForm } from '../components/form';
import { PageHead } from '../components/list';
import { QrCode } from '../components/qr-code';
import { useReader } from '../reader';

export const SECOND_FACTOR = '/account/second-factor';
const FEW_CODES = 3;

/** The field for a code of the app or a recovery code. */
export function CodeField({ form, hint, optional }: { form: FormState; hint?: string; optional?: boolean }) {
  const { t } = useReader();
  return (
    <Field
      form={form}
      name="code"
      label={t.secondFactor.code}
      hint={hint ?? t.secondFactor.codeHint}
      required={!optional}
      autocomplete="one-time-code"
      attributes={{ autocapitalize: 'none', spellcheck: 'false' }}
    />
  );
}

/** The current password and a code. */
export function ProofFields({
  form,
  codeHint,
  codeOptional,
}: {
  form: FormState;
  codeHint?: string;
  codeOptional?: boolean;
}) {
  return (
    <>
      <CurrentPassword form={form} />
      <CodeField form={form} {...(codeHint && { hint: codeHint })} {...(codeOptional && { optional: true })} />
    </>
  );
}

interface Props {
  state: SecondFactorState;
  hasPassword: boolean;
  form?: FormState;
}

/** Whether it is on, with the forms that switch it on or off. */
export function SecondFactorPage({ state, hasPassword, form = emptyForm() }: Props) {
  const { t, format } = useReader();
  const { since, recoveryCodesLeft } = state;
  return (
    <>
      <PageHead title={t.secondFactor.title} back={{ to: '/account', text: t.profile.title }} />
      <p class="narrow">{t.secondFactor.about}</p>
      {!since && (hasPassword ? <Begin form={form} /> : <p>{t.provider.noPassword}</p>)}
      {since && (
        <>
          <Facts
            of={[
              [t.secondFactor.since, format.time(since)],
              [t.secondFactor.codesLeft, format.number(recoveryCodesLeft)],
            ]}
          />
          {recoveryCodesLeft < FEW_CODES && <div class="alert alert-warning">{t.secondFactor.fewCodes}</div>}
          <PostForm action={`${SECOND_FACTOR}/recovery-codes`} class="card-box narrow">
            <h2>{t.secondFactor.change}</h2>
            <FormProblem form={form} />
            <ProofFields form={form} />
            <p class="hint">{t.secondFactor.offHint}</p>
            <div class="actions">
              <button class="btn btn-primary">{t.secondFactor.newCodes}</button>
              <button class="btn btn-outline-danger" formaction={`${SECOND_FACTOR}/off`}>
                {t.secondFactor.off}
              </button>
            </div>
          </PostForm>
        </>
      )}
    </>
  );
}

function Begin({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <>
      <FormProblem form={form} />
      <PostForm action={SECOND_FACTOR}>
        <button class="btn btn-primary">{t.secondFactor.setUp}</button>
      </PostForm>
    </>
  );
}

/** Shows the secret, only once, and asks for a first code to prove that an app has it. */
export function SetUpSecondFactorPage({ made, form = emptyForm() }: { made: SecondFactorSecret; form?: FormState }) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.secondFactor.setUpTitle} back={{ to: SECOND_FACTOR, text: t.secondFactor.title }} />
      <PostForm action={`${SECOND_FACTOR}/confirm`} class="card-box narrow">
        <FormProblem form={form} />
        <p>{t.secondFactor.scan}</p>
        <QrCode text={made.uri} label={t.secondFactor.qr} />
        <p class="hint" id="key-label">
          {t.secondFactor.key}
        </p>
        <pre class="sample" id="secret" aria-labelledby="key-label" tabindex={0}>
          {made.secret.replace(/.{4}(?=.)/g, '$& ')}
        </pre>
        <ProofFields form={form} codeHint={t.secondFactor.confirmHint} />
        <p class="hint">{t.secondFactor.others}</p>
        <div class="actions">
          <button class="btn btn-primary">{t.secondFactor.confirm}</button>
        </div>
      </PostForm>
    </>
  );
}

export function RecoveryCodesPage({ codes }: { codes: string[] }) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.secondFactor.codes} back={{ to: SECOND_FACTOR, text: t.secondFactor.title }} />
      <div class="card-box narrow" role="status">
        <p>{t.secondFactor.codesOnce}</p>
        <pre class="sample" id="recovery-codes" tabindex={0}>
          {codes.join('\n')}
        </pre>
        <div class="actions">
          <button type="button" class="btn btn-secondary" data-copy="recovery-codes">
            {t.profile.copy}
          </button>
          <a class="btn btn-primary" href={SECOND_FACTOR}>
            {t.secondFactor.done}
          </a>
        </div>
      </div>
    </>
  );
}
