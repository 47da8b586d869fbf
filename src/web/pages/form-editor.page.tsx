import { languages } from '../../domain/language';
import { type FormGround, nameModes } from '../../domain/signup-form';
import type { SignupFormView } from '../../features/signups/form-view';
import type { FormState } from '../answers';
import { Field, FormProblem } from '../components/form';
import { KeptForm } from '../components/kept-form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';

interface EditorProps {
  state: FormState;
  ground: FormGround;
  form?: SignupFormView;
}

/** What a form says, asks for and gives. */
export function FormEditorPage({ state, ground, form }: EditorProps) {
  const { t } = useReader();
  const back = form ? { to: `/forms/${form.id}`, text: form.name } : { to: '/forms', text: t.forms.title };
  const modes = nameModes.map((value) => ({ value, text: t.forms.modes[value] }));
  return (
    <>
      <PageHead title={form ? t.forms.edit : t.forms.new} back={back} />
      <KeptForm
        form={state}
        action={form ? `/forms/${form.id}/edit` : '/forms/new'}
        labels={labelsOf(t, ground)}
        class="card-box narrow"
      >
        <FormProblem form={state} />
        <Field form={state} name="name" label={t.forms.name} hint={t.forms.nameHint} required />
        <Field form={state} name="title" label={t.forms.heading} required />
        <Field
          form={state}
          name="language"
          label={t.forms.language}
          required
          options={languages.map((value) => ({ value, text: t.forms.languages[value] }))}
        />
        <Field form={state} name="intro" label={t.forms.intro} rows={3} />
        <Field form={state} name="consentText" label={t.forms.consent} hint={t.forms.consentHint} rows={3} />
        <h2>{t.forms.ask}</h2>
        <Field form={state} name="fullName" label={t.forms.fullName} required options={modes} />
        {ground.fields.map(({ key, label }) => (
          <Field key={key} form={state} name={`ask.${key}`} label={label} required options={modes} />
        ))}
        <Ticks
          state={state}
          name="topic"
          legend={t.forms.topics}
          hint={t.forms.topicsHint}
          tags={ground.tags.filter((tag) => tag.public)}
          none={t.forms.noTopics}
        />
        <Ticks state={state} name="tag" legend={t.forms.tags} tags={ground.tags} none={t.forms.noTags} />
        <h2>{t.forms.after}</h2>
        <Tick state={state} name="doubleOptIn" label={t.forms.doubleOptIn} hint={t.forms.doubleOptInHint} />
        <Field form={state} name="thanks" label={t.forms.thanks} rows={3} />
        <Field form={state} name="redirectUrl" label={t.forms.redirect} hint={t.forms.redirectHint} />
        <Field form={state} name="allowedOrigins" label={t.forms.origins} hint={t.forms.originsHint} rows={2} />
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href={back.to}>
            {t.form.cancel}
          </a>
        </div>
      </KeptForm>
    </>
  );
}

const labelsOf = ({ forms: t }: Texts, { fields, tags }: FormGround): Record<string, string> => ({
  ...{ name: t.name, title: t.heading, language: t.language, intro: t.intro, consentText: t.consent },
  ...{ fullName: t.fullName, doubleOptIn: t.doubleOptIn, thanks: t.thanks, redirectUrl: t.redirect },
  allowedOrigins: t.origins,
  ...Object.fromEntries(fields.map(({ key, label }) => [`ask.${key}`, label])),
  ...Object.fromEntries(tags.map(({ id, name }) => [`topic.${id}`, `${t.topics}: ${name}`])),
  ...Object.fromEntries(tags.map(({ id, name }) => [`tag.${id}`, `${t.tags}: ${name}`])),
});

function Tick({ state, name, label, hint }: { state: FormState; name: string; label: string; hint?: string }) {
  const id = `f-${name}`;
  return (
    <div class="form-check">
      <input
        class="form-check-input"
        type="checkbox"
        id={id}
        name={name}
        value="on"
        checked={state.values[name] !== undefined}
        aria-describedby={hint && `${id}-hint`}
      />
      <label class="form-check-label text-break" for={id}>
        {label}
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TicksProps {
  state: FormState;
  name: 'topic' | 'tag';
  legend: string;
  hint?: string;
  tags: FormGround['tags'];
  none: string;
}

function Ticks({ state, name, legend, hint, tags, none }: TicksProps) {
  const problem = state.problems[`${name}s`];
  return (
    <fieldset class="field">
      <legend class="form-label">{legend}</legend>
      {tags.length === 0 && <p class="hint">{none}</p>}
      {tags.map((tag) => (
        <Tick key={tag.id} state={state} name={`${name}.${tag.id}`} label={tag.name} />
      ))}
      {tags.length > 0 && hint && <p class="hint">{hint}</p>}
      {problem && <p class="field-problem">{problem}</p>}
    </fieldset>
  );
}
