import type { ComponentChildren } from 'preact';
import type { FormState } from '../answers';
import { Field, FormProblem, PostForm } from '../components/form';
import { useReader } from '../reader';
import { CodeField } from './second-factor.page';

interface DoorProps {
  title: string;
  action: string;
  form: FormState;
  /** On the button. */
  text: string;
  children: ComponentChildren;
  /** Beside the button. */
  link?: { to: string; text: string };
}

/** A small form for visitors who are not signed in. */
function DoorForm({ title, action, form, text, children, link }: DoorProps) {
  return (
    <div class="door" data-browser-zone>
      <h1>{title}</h1>
      <PostForm action={action} class="card-box">
        <FormProblem form={form} />
        {children}
        <div class="actions">
          <button class="btn btn-primary">{text}</button>
          {link && <a href={link.to}>{link.text}</a>}
        </div>
      </PostForm>
    </div>
  );
}

function EmailField({ form }: { form: FormState }) {
  const { t } = useReader();
  return <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="username" />;
}

/** With a hint it asks for a new password. */
function PasswordField({ form, label, hint }: { form: FormState; label: string; hint?: string }) {
  return (
    <Field
      form={form}
      name="password"
      label={label}
      type="password"
      required
      autocomplete={hint ? 'new-password' : 'current-password'}
      hint={hint}
    />
  );
}

interface SignInProps {
  form: FormState;
  registration: 'open' | 'approval' | 'closed';
  anyUser: boolean;
  /** The host of the OpenID Connect provider, if there is one. */
  provider: string | null;
}

export function SignInPage({ form, registration, anyUser, provider }: SignInProps) {
  const { t } = useReader();
  if (!anyUser) return <FirstStart />;
  return (
    <>
      <DoorForm
        title={t.auth.signIn}
        action="/sign-in"
        form={form}
        text={t.auth.signIn}
        link={{ to: '/forgot', text: t.auth.forgot }}
      >
        {form.values.kept ? (
          <p class="alert alert-info" role="status">
            {t.kept.over}
          </p>
        ) : (
          <p class="hint">{t.auth.tagline}</p>
        )}
        {form.values.kept && <input type="hidden" name="kept" value="1" />}
        <input type="hidden" name="next" value={form.values.next ?? ''} />
        <EmailField form={form} />
        <PasswordField form={form} label={t.field.password} />
      </DoorForm>
      {provider && (
        <PostForm action="/sign-in/oidc" class="other-way">
          <input type="hidden" name="next" value={form.values.next ?? ''} />
          <button class="btn btn-secondary">{t.provider.signIn(provider)}</button>
        </PostForm>
      )}
      {registration !== 'closed' && (
        <p>
          <a href="/register">{t.auth.register}</a>
        </p>
      )}
    </>
  );
}

/** The second step of a sign-in: the password was right, a code is needed. */
export function SecondStepPage({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <>
      <DoorForm
        title={t.secondFactor.step}
        action="/sign-in/code"
        form={form}
        text={t.auth.signIn}
        link={{ to: '/sign-in', text: t.secondFactor.again }}
      >
        <p>{t.secondFactor.stepText}</p>
        <input type="hidden" name="next" value={form.values.next ?? ''} />
        <CodeField form={form} />
      </DoorForm>
      <p class="hint door">{t.secondFactor.lost}</p>
    </>
  );
}

/** Shown if there is no user yet: how to make the first one. */
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

/** One sentence after a step that sends a notice. */
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

/** What a link of a letter says that was used or is outdated; `again` is where to get another. */
export function LinkOverPage({ text, again }: { text: string; again?: { to: string; text: string } }) {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{t.invitations.over}</h1>
      <div class="card-box">
        <p>{text}</p>
        <div class="actions">
          {again && (
            <a class="btn btn-primary" href={again.to}>
              {again.text}
            </a>
          )}
          <a class={`btn ${again ? 'btn-secondary' : 'btn-primary'}`} href="/sign-in">
            {t.auth.signIn}
          </a>
        </div>
      </div>
    </div>
  );
}

/** Somebody who was invited chooses a password. */
export function InvitationPage({ form }: { form: FormState }) {
  const { t } = useReader();
  const { token } = form.values;
  if (!token) return <SaidPage title={t.invitations.accept} text={t.auth.linkMissing} />;
  return (
    <DoorForm title={t.invitations.accept} action="/invitation" form={form} text={t.invitations.acceptButton}>
      <p>{t.invitations.acceptText}</p>
      <input type="hidden" name="token" value={token} />
      <input type="hidden" name="timeZone" data-browser-zone />
      <Field form={form} name="fullName" label={t.field.fullName} autocomplete="name" />
      <PasswordField form={form} label={t.field.password} hint={t.auth.passwordHint} />
    </DoorForm>
  );
}

export function RegisterPage({ form, closed }: { form: FormState; closed: boolean }) {
  const { t } = useReader();
  if (closed) return <SaidPage title={t.auth.register} text={t.auth.closed} />;
  return (
    <DoorForm
      title={t.auth.register}
      action="/register"
      form={form}
      text={t.auth.register}
      link={{ to: '/sign-in', text: t.auth.haveAccount }}
    >
      <EmailField form={form} />
      <input type="hidden" name="timeZone" data-browser-zone />
      <Field form={form} name="fullName" label={t.field.fullName} autocomplete="name" />
      <PasswordField form={form} label={t.field.password} hint={t.auth.passwordHint} />
    </DoorForm>
  );
}

/** The page behind a notice's link: one click confirms the address. */
export function ConfirmPage({ form, action }: { form: FormState; action: string }) {
  const { t } = useReader();
  const { token } = form.values;
  if (!token) return <SaidPage title={t.auth.confirmTitle} text={t.auth.linkMissing} />;
  return (
    <DoorForm title={t.auth.confirmTitle} action={action} form={form} text={t.auth.confirm}>
      <p>{t.auth.confirmText}</p>
      <input type="hidden" name="token" value={token} />
    </DoorForm>
  );
}

export function ForgotPage({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <DoorForm
      title={t.auth.forgotTitle}
      action="/forgot"
      form={form}
      text={t.auth.sendLink}
      link={{ to: '/sign-in', text: t.auth.signIn }}
    >
      <p>{t.auth.forgotText}</p>
      <EmailField form={form} />
    </DoorForm>
  );
}

export function ResetPage({ form }: { form: FormState }) {
  const { t } = useReader();
  const { token } = form.values;
  if (!token) return <SaidPage title={t.auth.resetTitle} text={t.auth.linkMissing} />;
  return (
    <DoorForm title={t.auth.resetTitle} action="/reset" form={form} text={t.form.save}>
      <input type="hidden" name="token" value={token} />
      <PasswordField form={form} label={t.field.newPassword} hint={t.auth.resetHint} />
    </DoorForm>
  );
}
