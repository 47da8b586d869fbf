import type { ComponentChildren } from 'preact';
import { newFormKey } from '../form-key';
import type { FormState } from '../form-state';
import { useReader } from '../reader';

export function CsrfField({ token }: { token: string }) {
  return token ? <input type="hidden" name="_csrf" value={token} /> : null;
}

interface PostFormProps {
  action: string;
  children: ComponentChildren;
  class?: string;
  id?: string;
}

/**
 * A form that changes something: a POST with the session's CSRF token, and a key by which a second click does nothing.
 */
export function PostForm({ action, children, ...rest }: PostFormProps) {
  const { csrfToken } = useReader();
  return (
    <form method="post" action={action} novalidate {...rest}>
      <CsrfField token={csrfToken} />
      {csrfToken && <input type="hidden" name="key" value={newFormKey()} />}
      {children}
    </form>
  );
}

/**
 * A form with a file, whose token and key stand in the address: they are checked before the file comes in. Fields before
 * the file are known when it begins.
 */
export function UploadForm({ action, form, children, button, accept = '.csv,text/csv,text/plain' }: UploadFormProps) {
  const { t, csrfToken } = useReader();
  return (
    <form
      method="post"
      action={`${action}?_csrf=${encodeURIComponent(csrfToken)}&key=${newFormKey()}`}
      enctype="multipart/form-data"
      class="card-box narrow"
    >
      <CsrfField token={csrfToken} />
      <FormProblem form={form} />
      {children}
      <Field form={form} name="file" label={t.imports.file} type="file" required attributes={{ accept }} />
      <div class="actions">
        <button class="btn btn-primary">{button}</button>
      </div>
    </form>
  );
}

interface UploadFormProps {
  action: string;
  form: FormState;
  /** What stands above the file. */
  children: ComponentChildren;
  button: string;
  /** The kinds of files. */
  accept?: string;
}

/** The problem of the whole form, shown first and announced by screen readers. */
export function FormProblem({ form }: { form: FormState }) {
  const { t } = useReader();
  const count = Object.keys(form.problems).length;
  if (!form.problem && count === 0) return null;
  return (
    <div class="alert alert-danger" role="alert" tabindex={-1} autofocus>
      {form.problem ?? t.form.problems(count)}
    </div>
  );
}

interface FieldProps {
  form: FormState;
  name: string;
  label: string;
  hint?: ComponentChildren;
  type?: 'text' | 'email' | 'password' | 'datetime-local' | 'date' | 'file';
  autocomplete?: string;
  rows?: number;
  options?: readonly { value: string; text: string }[];
  required?: boolean;
  class?: string;
  attributes?: Record<string, string | boolean>;
}

/** A labelled input, select or text area that keeps what was typed and shows its problem. */
export function Field({
  form,
  name,
  label,
  hint,
  type = 'text',
  rows,
  options,
  required,
  attributes: { class: look = '', ...attributes } = {},
  ...rest
}: FieldProps) {
  const { t } = useReader();
  const id = `f-${name}`;
  const problem = form.problems[name];
  const value = form.values[name] ?? '';
  const about = [hint ? `${id}-hint` : '', problem ? `${id}-problem` : ''].filter(Boolean).join(' ') || undefined;
  const common = {
    id,
    name,
    'aria-describedby': about,
    'aria-invalid': problem ? ('true' as const) : undefined,
    required,
    ...attributes,
  };
  return (
    <div class={`field ${rest.class ?? ''}`}>
      <label class="form-label" for={id}>
        {label}
        {!required && <span class="optional"> {t.form.optional}</span>}
      </label>
      {options ? (
        <select class={`form-select ${problem ? 'is-invalid' : ''}`} {...common}>
          {options.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.text}
            </option>
          ))}
        </select>
      ) : rows ? (
        <textarea class={`form-control ${problem ? 'is-invalid' : ''} ${look}`} rows={rows} {...common}>
          {value}
        </textarea>
      ) : (
        <input
          class={`form-control ${problem ? 'is-invalid' : ''}`}
          {...({ type } as object)}
          value={type === 'password' || type === 'file' ? undefined : value}
          autocomplete={rest.autocomplete}
          {...common}
        />
      )}
      {problem && (
        <p class="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  form: FormState;
  name: string;
  legend: string;
  options: readonly { value: string; text: string; hint?: string }[];
}

/** Radio buttons under one legend. */
export function Choice({ form, name, legend, options }: ChoiceProps) {
  const problem = form.problems[name];
  return (
    <fieldset class="field" aria-describedby={problem && `f-${name}-problem`}>
      <legend class="form-label">{legend}</legend>
      {options.map(({ value, text, hint }) => (
        <div class="form-check" key={value}>
          <input
            class="form-check-input"
            type="radio"
            name={name}
            id={`f-${name}-${value}`}
            value={value}
            checked={form.values[name] === value}
            aria-invalid={problem ? 'true' : undefined}
          />
          <label class="form-check-label" for={`f-${name}-${value}`}>
            {text}
            {hint && <span class="hint d-block">{hint}</span>}
          </label>
        </div>
      ))}
      {problem && (
        <p class="field-problem" id={`f-${name}-problem`}>
          {problem}
        </p>
      )}
    </fieldset>
  );
}

/**
 * The current password, asked for again before changes for which an unattended browser must not be enough; browsers may
 * fill it in.
 */
export function CurrentPassword({ form, name = 'password' }: { form: FormState; name?: string }) {
  const { t, user } = useReader();
  return (
    <>
      <input type="hidden" autocomplete="username" value={user?.email ?? ''} />
      <Field
        form={form}
        name={name}
        label={t.field.currentPassword}
        type="password"
        required
        autocomplete="current-password"
      />
    </>
  );
}

interface ConfirmProps {
  id: string;
  action: string;
  /** The text of the button that opens the question and of the one that confirms. */
  text: string;
  question: string;
  children?: ComponentChildren;
  kind?: string;
}

/**
 * A button that asks for confirmation in a dialog that says what will happen. Without JavaScript it leads to the same
 * question on the page (`:target`). The focus is on the way back: pressing Enter once more does nothing.
 */
export function Confirm({ id, action, text, question, children, kind = 'btn-secondary' }: ConfirmProps) {
  const { t } = useReader();
  return (
    <>
      <a class={`btn ${kind}`} href={`#${id}`} role="button" data-dialog={id}>
        {text}
      </a>
      <dialog id={id} class="confirm" aria-labelledby={`${id}-title`}>
        <h2 id={`${id}-title`}>{question}</h2>
        {children}
        <PostForm action={action} class="actions">
          <button class={`btn ${kind.includes('danger') ? 'btn-danger' : 'btn-primary'}`}>{text}</button>
          <a class="btn btn-secondary" href="#main" role="button" data-close {...{ autofocus: true }}>
            {t.form.cancel}
          </a>
        </PostForm>
      </dialog>
    </>
  );
}
