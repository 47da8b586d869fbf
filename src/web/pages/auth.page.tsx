import type { FormState } from '../answers';
import { Field, FormProblem, PostForm } from '../components/form';
import { useReader } from '../reader';

interface SignInProps {
  form: FormState;
  registration: 'open' | 'approval' | 'closed';
  anyUser: boolean;
}

export function SignInPage({ form, registration, anyUser }: SignInProps) {
  const { t } = useReader();
  if (!anyUser) return <FirstStart />;
  return (
    <div class="door">
      <h1>{t.auth.signIn}</h1>
      <p class="hint">{t.auth.tagline}</p>
      <PostForm action="/sign-in" class="card-box">
        <FormProblem form={form} />
        <input type="hidden" name="next" value={form.values.next ?? ''} />
        <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="username" />
        <Field
          form={form}
          name="password"
          label={t.field.password}
          type="password"
          required
          autocomplete="current-password"
        />
        <div class="actions">
          <button class="btn btn-primary">{t.auth.signIn}</button>
          <a href="/forgot">{t.auth.forgot}</a>
        </div>
      </PostForm>
      {registration !== 'closed' && (
        <p>
          <a href="/register">{t.auth.register}</a>
        </p>
      )}
    </div>
  );
}

/** Nobody can sign in yet: how to make the one who can. */
export function FirstStart() {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{t.auth.first}</h1>
      <div class="card-box">
        <p>{t.auth.firstText}</p>
        <pre class="sample" tabindex={0}>
          npm run cli -- create-user --email you@example.com --role admin
        </pre>
        <a class="btn btn-primary" href="/sign-in">
          {t.auth.signIn}
        </a>
      </div>
    </div>
  );
}

/** One sentence after a step that ends in a letter. */
export function SaidPage({ title, text }: { title: string; text: string }) {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{title}</h1>
      <div class="card-box" role="status">
        <p>{text}</p>
        <a class="btn btn-primary" href="/sign-in">
          {t.auth.signIn}
        </a>
      </div>
    </div>
  );
}

export function RegisterPage({ form, closed }: { form: FormState; closed: boolean }) {
  const { t } = useReader();
  if (closed) return <SaidPage title={t.auth.register} text={t.auth.closed} />;
  return (
    <div class="door">
      <h1>{t.auth.register}</h1>
      <PostForm action="/register" class="card-box">
        <FormProblem form={form} />
        <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="username" />
        <input type="hidden" name="timeZone" data-browser-zone />
        <Field form={form} name="fullName" label={t.field.fullName} autocomplete="name" />
        <Field
          form={form}
          name="password"
          label={t.field.password}
          type="password"
          required
          autocomplete="new-password"
          hint={t.auth.passwordHint}
        />
        <div class="actions">
          <button class="btn btn-primary">{t.auth.register}</button>
          <a href="/sign-in">{t.auth.haveAccount}</a>
        </div>
      </PostForm>
    </div>
  );
}

/** The link of a letter: one click proves the address. */
export function ConfirmPage({ form, action }: { form: FormState; action: string }) {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{t.auth.confirmTitle}</h1>
      <PostForm action={action} class="card-box">
        <FormProblem form={form} />
        <p>{form.values.token ? t.auth.confirmText : t.auth.linkMissing}</p>
        <input type="hidden" name="token" value={form.values.token ?? ''} />
        <button class="btn btn-primary">{t.auth.confirm}</button>
      </PostForm>
    </div>
  );
}

export function ForgotPage({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{t.auth.forgotTitle}</h1>
      <PostForm action="/forgot" class="card-box">
        <FormProblem form={form} />
        <p>{t.auth.forgotText}</p>
        <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="username" />
        <div class="actions">
          <button class="btn btn-primary">{t.auth.sendLink}</button>
          <a href="/sign-in">{t.auth.signIn}</a>
        </div>
      </PostForm>
    </div>
  );
}

export function ResetPage({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{t.auth.resetTitle}</h1>
      <PostForm action="/reset" class="card-box">
        <FormProblem form={form} />
        <input type="hidden" name="token" value={form.values.token ?? ''} />
        <Field
          form={form}
          name="password"
          label={t.field.newPassword}
          type="password"
          required
          autocomplete="new-password"
          hint={t.auth.passwordHint}
        />
        <button class="btn btn-primary">{t.form.save}</button>
      </PostForm>
    </div>
  );
}
