import { languages } from '../../domain/language';
import { worded } from '../../domain/problems';
import { PERIODS } from '../../domain/recurrence';
import { mailingKinds } from '../../domain/suppression';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Choice, Field, FormProblem, PostForm } from '../components/form';
import { languageNames } from '../components/language';
import { PageHead } from '../components/list';
import { ZoneField } from '../components/zone-field';
import type { Occurrences } from '../mailing-form';
import { useReader } from '../reader';
import { Recipients, type RecipientsProps } from './mailing-recipients';

interface Props extends Omit<RecipientsProps, 'mailing'> {
  messages: { id: number; subject: string }[];
  occurrences: Occurrences;
  mailing?: MailingView;
}

export function MailingFormPage({ form, messages, occurrences, totalClients, segments, recipients, mailing }: Props) {
  const { t } = useReader();
  return (
    <>
      <PageHead
        title={mailing ? t.mailings.edit : t.mailings.new}
        back={
          mailing
            ? { to: `/mailings/${mailing.id}`, text: t.mailings.back }
            : { to: '/mailings', text: t.mailings.title }
        }
      />
      <PostForm action={mailing ? `/mailings/${mailing.id}/edit` : '/mailings/new'} class="form-grid" id="mailing-form">
        <div class="card-box">
          <FormProblem form={form} />
          <h2>{t.mailings.what}</h2>
          <Field form={form} name="name" label={t.field.name} hint={t.mailings.nameHint} />
          {messages.length === 0 ? (
            <p class="field">
              {t.mailings.noMessages} <a href="/messages/new">{t.messages.new}</a>
            </p>
          ) : (
            <Field
              form={form}
              name="messageId"
              label={t.field.message}
              required
              options={messages.map((m) => ({ value: String(m.id), text: m.subject }))}
            />
          )}
          <Recipients {...{ form, totalClients, segments, recipients, mailing }} />
          <Consent form={form} />
        </div>
        <div class="card-box">
          <When form={form} occurrences={occurrences} />
          <Choice
            form={form}
            name="onUnknown"
            legend={t.mailings.onUnknown}
            options={[
              { value: 'resend', text: t.mailings.onUnknownResend, hint: t.mailings.onUnknownResendHint },
              { value: 'hold', text: t.mailings.onUnknownHold, hint: t.mailings.onUnknownHoldHint },
            ]}
          />
        </div>
        <div class="actions">
          <button class="btn btn-primary">{t.form.save}</button>
          <a class="btn btn-secondary" href={mailing ? `/mailings/${mailing.id}` : '/mailings'}>
            {t.form.cancel}
          </a>
        </div>
      </PostForm>
    </>
  );
}

/** Which kind of mail it is. Without a script the reason is always shown; its hint says when it is wanted. */
function Consent({ form }: Pick<Props, 'form'>) {
  const { t } = useReader();
  const isTransactional = form.values.kind === 'transactional';
  return (
    <>
      <h2>{t.mailings.consent}</h2>
      <Choice
        form={form}
        name="kind"
        legend={t.field.kind}
        options={mailingKinds.map((value) => ({
          value,
          text: t.mailings.kind[value].name,
          hint: t.mailings.kind[value].hint,
        }))}
      />
      <div data-shows="kind=transactional">
        <Field
          form={form}
          name="transactionalReason"
          label={t.mailings.transactionalReason}
          hint={t.mailings.transactionalReasonHint}
          required
          attributes={{ required: isTransactional }}
        />
      </div>
      <Field
        form={form}
        name="language"
        label={t.mailings.language}
        hint={t.mailings.languageHint}
        required
        options={languages.map((value) => ({ value, text: languageNames[value] }))}
      />
    </>
  );
}

function When({ form, occurrences }: Pick<Props, 'form' | 'occurrences'>) {
  const { t } = useReader();
  return (
    <>
      <h2>{t.mailings.when}</h2>
      <div
        hx-get="/mailings/schedule"
        hx-include="#mailing-form"
        hx-trigger="input delay:200ms"
        hx-target="#occurrences"
        hx-swap="outerHTML"
        hx-sync="this:replace"
      >
        <Field
          form={form}
          name="period"
          label={t.field.period}
          required
          options={PERIODS.map((value) => ({ value, text: t.period[value] }))}
        />
        <Field form={form} name="startAt" label={t.field.startAt} type="datetime-local" required />
        <Field form={form} name="endAt" label={t.field.endAt} type="datetime-local" hint={t.mailings.endHint} />
        <ZoneField form={form} />
      </div>
      <OccurrenceList {...occurrences} />
    </>
  );
}

/** The next five occurrences by the form's present values. */
export function OccurrenceList({ at, timeZone, problem, warning }: Occurrences) {
  const { t, format, timeZone: own } = useReader();
  return (
    <div id="occurrences" class="occurrences" aria-live="polite">
      <h3>{t.mailings.occurrences}</h3>
      {problem ? (
        <p class="hint">{worded(t.problems, problem)}</p>
      ) : at.length === 0 ? (
        <p class="hint">{t.mailings.noOccurrences}</p>
      ) : (
        <ol>
          {at.map((time) => (
            <li key={time.toISOString()}>{format.due(time)}</li>
          ))}
        </ol>
      )}
      {at.length > 0 && timeZone !== own && <p class="hint">{t.shell.inOwnZone(own, timeZone)}</p>}
      {warning && <p class="hint">{worded(t.problems, warning)}</p>}
    </div>
  );
}
