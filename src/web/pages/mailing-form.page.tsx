import { languages } from '../../domain/language';
import { worded } from '../../domain/problems';
import { PERIODS } from '../../domain/recurrence';
import { mailingKinds } from '../../domain/suppression';
import { zonesWith } from '../../domain/time-zone';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Choice, Field, FormProblem } from '../components/form';
import { KeptForm } from '../components/kept-form';
import { languageNames } from '../components/language';
import { PageHead } from '../components/list';
import type { Occurrences } from '../mailing-form';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';
import { Recipients, type RecipientsProps } from './mailing-recipients';

interface Props extends Omit<RecipientsProps, 'mailing'> {
  messages: { id: number; subject: string }[];
  occurrences: Occurrences;
  mailing?: MailingView;
}

export function MailingFormPage({ form, messages, occurrences, totalClients, segments, recipients, mailing }: Props) {
  const { t, user } = useReader();
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
      <KeptForm
        form={form}
        action={mailing ? `/mailings/${mailing.id}/edit` : '/mailings/new'}
        labels={labelsOf(t)}
        words={(name, values) => wordsOf(t, { messages, segments })(name, values[name] ?? '')}
        class="form-grid"
        id="mailing-form"
      >
        <div class="card-box">
          <FormProblem form={form} />
          <h2>{t.mailings.what}</h2>
          <Field form={form} name="name" label={t.field.name} hint={t.mailings.nameHint} />
          {messages.length === 0 ? (
            <p class="field">{t.mailings.noMessages}</p>
          ) : (
            <Field
              form={form}
              name="messageId"
              label={t.field.message}
              required
              options={messages.map((m) => ({ value: String(m.id), text: m.subject }))}
            />
          )}
          {(!mailing || mailing.ownerId === user?.id) && (
            <p>
              <button class="btn btn-sm btn-secondary" formaction="/drafts/new-message">
                {t.kept.writeMessage}
              </button>
            </p>
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
      </KeptForm>
    </>
  );
}

const labelsOf = (t: Texts): Record<string, string> => {
  const { name, message: messageId, audience, period, startAt, endAt, timeZone, kind } = t.field;
  const { onUnknown, transactionalReason, language } = t.mailings;
  return {
    ...{ name, messageId, audience, period, startAt, endAt, timeZone, kind, onUnknown, transactionalReason, language },
    ...{ segmentId: t.segments.one, excludeSegmentId: t.segments.except, clientIds: t.mailings.addresses },
  };
};

/** What a choice of the form means; undefined for what is typed. */
const wordsOf =
  (t: Texts, { messages, segments }: Pick<Props, 'messages' | 'segments'>) =>
  (name: string, value: string): string | undefined => {
    if (name === 'messageId') return messages.find(({ id }) => String(id) === value)?.subject;
    if (name.endsWith('egmentId')) return segments.find(({ id }) => String(id) === value)?.name;
    if (name === 'period') return t.period[value as keyof Texts['period']];
    if (name === 'kind') return t.mailings.kind[value as 'marketing']?.name;
    if (name === 'language') return languageNames[value as 'en'];
    return undefined;
  };

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
  const zones = zonesWith(form.values.timeZone ?? '').map((zone) => ({ value: zone, text: zone }));
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
        <Field form={form} name="timeZone" label={t.field.timeZone} required options={zones} />
      </div>
      <OccurrenceList {...occurrences} />
    </>
  );
}

/** The next five occurrences by the form's present values. */
export function OccurrenceList({ at, timeZone, problem, warning }: Occurrences) {
  const { t, format } = useReader();
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
            <li key={time.toISOString()}>{format.timeIn(time, timeZone)}</li>
          ))}
        </ol>
      )}
      {warning && <p class="hint">{worded(t.problems, warning)}</p>}
    </div>
  );
}
