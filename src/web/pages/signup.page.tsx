import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { AskedOf } from '../../domain/signup-form';
import type { Language } from '../../domain/language';
import type { PublicForm } from '../../features/signups/public-form';
import type { Waiting } from '../../features/signups/signups.service';
import { assetUrl } from '../assets';
import type { FormState } from '../form-state';
import { textsOf } from '../texts/texts';
import { Topics } from './topics';
import { masked } from './unsubscribe.page';

/** A field that people do not see; whoever fills it in is a program. */
export const TRAP = 'contact_again';

/** A whole page for people who never heard of this service, in the form's language: no menu, nothing from elsewhere. */
function wholePage(language: Language, title: string, children: ComponentChildren, script = false): string {
  const page = (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="stylesheet" href={assetUrl('styles.css')} />
        {script && <script type="module" src={assetUrl('sign-up.js')}></script>}
      </head>
      <body class="alone">
        <main id="main">
          <div class="door">
            <h1>{title}</h1>
            {children}
          </div>
        </main>
      </body>
    </html>
  );
  return `<!doctype html>${renderToString(page)}`;
}

/** The form itself; with what was typed and its problems, if it was sent before. */
export function signupPage(form: PublicForm, state: FormState): string {
  const { language, title, intro, consentText, token, asked } = form;
  const t = textsOf(language).signup;
  const texts = textsOf(language);
  const count = Object.keys(state.problems).length;
  const problem = state.problem ?? (count > 0 ? texts.form.problems(count) : undefined);
  const body = (
    <>
      {intro && <p class="prewrap">{intro}</p>}
      <form method="post" action={`/f/${token}`} class="card-box" novalidate data-challenge={challengeUrl(token)}>
        {problem && (
          <div class="alert alert-danger" role="alert" tabindex={-1} autofocus>
            {problem}
          </div>
        )}
        <Line
          state={state}
          name="email"
          label={t.email}
          type="email"
          required
          autocomplete="email"
          language={language}
        />
        {asked.fullName !== 'hidden' && (
          <Line
            state={state}
            name="fullName"
            label={t.fullName}
            required={asked.fullName === 'required'}
            autocomplete="name"
            language={language}
          />
        )}
        {asked.fields.map((field) => (
          <OwnField key={field.key} state={state} field={field} language={language} />
        ))}
        <Topics state={state} topics={asked.topics} legend={t.topics} />
        <div class="trap" aria-hidden="true">
          <label for="f-trap">{t.trap}</label>
          <input id="f-trap" name={TRAP} tabindex={-1} autocomplete="off" />
        </div>
        <input type="hidden" name="altcha" />
        {consentText && (
          <p class="hint prewrap">
            {t.agree} {consentText}
          </p>
        )}
        <div class="actions">
          <button class="btn btn-primary">{t.button}</button>
        </div>
      </form>
    </>
  );
  return wholePage(language, title, body, true);
}

const challengeUrl = (token: string) => `/api/v1/forms/${token}/challenge`;

interface LineProps {
  state: FormState;
  name: string;
  label: string;
  language: Language;
  type?: 'text' | 'email' | 'date';
  required?: boolean;
  autocomplete?: string;
  inputmode?: 'decimal';
  /** Without them it is a line to be typed. */
  options?: readonly { value: string; text: string }[];
}

function Line({ state, name, label, language, type = 'text', required = false, options, ...rest }: LineProps) {
  const { signup: t } = textsOf(language);
  const id = `f-${name}`;
  const problem = state.problems[name];
  const value = state.values[name] ?? '';
  const common = {
    id,
    name,
    required,
    'aria-describedby': problem && `${id}-problem`,
    'aria-invalid': problem ? ('true' as const) : undefined,
  };
  return (
    <div class="field">
      <label class="form-label" for={id}>
        {label}
        {!required && <span class="optional"> {t.optional}</span>}
      </label>
      {options ? (
        <select class={`form-select ${problem ? 'is-invalid' : ''}`} {...common}>
          {options.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.text}
            </option>
          ))}
        </select>
      ) : (
        <input
          class={`form-control ${problem ? 'is-invalid' : ''}`}
          {...({ type } as object)}
          value={value}
          {...common}
          {...rest}
        />
      )}
      {problem && (
        <p class="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}

function OwnField({
  state,
  field,
  language,
}: {
  state: FormState;
  field: AskedOf['fields'][number];
  language: Language;
}) {
  const { signup: t, audit } = textsOf(language);
  const { key, label, type, options, required } = field;
  const common = { state, name: `fields.${key}`, label, required, language };
  const none = { value: '', text: required ? t.choose : '–' };
  if (type === 'choice')
    return <Line {...common} options={[none, ...options.map((text) => ({ value: text, text }))]} />;
  if (type === 'boolean')
    return (
      <Line
        {...common}
        options={[none, { value: 'yes', text: capital(audit.yes) }, { value: 'no', text: capital(audit.no) }]}
      />
    );
  return (
    <Line {...common} type={type === 'date' ? 'date' : 'text'} {...(type === 'number' && { inputmode: 'decimal' })} />
  );
}

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);

/** After a form was sent: the same for every address. */
export function sentPage({ language, title }: Pick<PublicForm, 'language' | 'title'>): string {
  const t = textsOf(language).signup;
  const body = (
    <div class="card-box">
      <p>{title}</p>
      <p>{t.look}</p>
      <p class="hint">{t.rare}</p>
    </div>
  );
  return wholePage(language, t.almost, body);
}

/** When somebody is signed up. */
export function thanksPage({ language, title, thanks }: Pick<PublicForm, 'language' | 'title' | 'thanks'>): string {
  const t = textsOf(language).signup;
  const body = (
    <div class="card-box">
      <p>{title}</p>
      <p class="prewrap">{thanks || t.doneText}</p>
    </div>
  );
  return wholePage(language, t.done, body);
}

/** Behind the link in a letter: nothing happens before the button is pressed, because scanners of mail open every link. */
export function confirmPage({ form, email, topics }: Waiting, link: string): string {
  const { language, title, consentText } = form;
  const t = textsOf(language).signup;
  const body = (
    <form method="post" action="/f/confirm" class="card-box">
      <input type="hidden" name="token" value={link} />
      <p>
        <strong class="text-break">{masked(email)}</strong> {t.confirmText} {title}
      </p>
      {topics.length > 0 && (
        <ul>
          {topics.map((name) => (
            <li key={name} class="text-break">
              {name}
            </li>
          ))}
        </ul>
      )}
      {consentText && (
        <p class="hint prewrap">
          {t.agree} {consentText}
        </p>
      )}
      <div class="actions">
        <button class="btn btn-primary">{t.confirmButton}</button>
      </div>
    </form>
  );
  return wholePage(language, t.confirm, body);
}

export function invalidLinkPage(language: Language): string {
  const t = textsOf(language).signup;
  return wholePage(
    language,
    t.invalid,
    <div class="card-box">
      <p>{t.invalidText}</p>
    </div>,
  );
}
