import { languages } from '../../domain/language';
import { worded } from '../../domain/problems';
import { PERIODS } from '../../domain/recurrence';
import { mailingKinds } from '../../domain/suppression';
import type { MailingView } from '../../features/mailings/mailings.service';
import { Choice, Field, FormProblem } from '../components/form';
import { FirstSave, KeptForm } from '../components/kept-form';
import { languageNames } from '../components/language';
import { PageHead } from '../components/list';
import { ZoneField } from '../components/zone-field';
import type { Occurrences } from '../mailing-form';
import type { MessageChoice } from './mailing-form-parts.service';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';
import { messageTitle } from '../message-title';
import { LetterLook, MessagePick } from './message-pick';
import { FormFindings, Recipients, type RecipientsProps } from './mailing-recipients';

interface Props extends Omit<RecipientsProps, 'mailing'> {
  messages: MessageChoice[];
  occurrences: Occurrences;
  mailing?: MailingView;
}

/** The way to a mailing on one page: the letter, to whom, when, and what would keep it from going out. */
export function MailingFormPage({ form, messages, occurrences, totalClients, segments, check, mailing }: Props) {
  const { t } = useReader();
  const isDraft = !mailing || mailing.status === 'created';
  const at = mailing ? `/mailings/${mailing.id}/edit` : '/mailings/new';
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
        action={at}
        labels={labelsOf(t)}
        words={(name, values) => wordsOf(t, { messages, segments })(name, values[name] ?? '')}
        class="steps"
        id="mailing-form"
        first={<FirstSave />}
      >
        <FormProblem form={form} />
        <section class="card-box" aria-labelledby="step-letter">
          <Step n={1} id="step-letter" text={t.steps.letter} />
          <MessagePick form={form} messages={messages} mailing={mailing} />
          <Field form={form} name="name" label={t.field.name} hint={t.mailings.nameHint} />
          <Consent form={form} />
        </section>
        <section class="card-box" aria-labelledby="step-who">
          <Step n={2} id="step-who" text={t.mailings.who} />
          <Recipients {...{ form, totalClients, segments, check, mailing }} />
        </section>
        <section class="card-box" aria-labelledby="step-when">
          <Step n={3} id="step-when" text={t.mailings.when} />
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
        </section>
        <section class="card-box" aria-labelledby="step-check">
          <Step n={4} id="step-check" text={t.steps.check} />
          <FormFindings check={check} occurrences={occurrences} ownerId={mailing?.ownerId} />
          <LetterLook message={messages.find(({ id }) => String(id) === form.values.messageId)} at={at} />
          <p class="hint">{isDraft ? t.steps.checkHint : t.steps.editHint}</p>
        </section>
        <div class="actions">
          <button class={`btn ${isDraft ? 'btn-secondary' : 'btn-primary'}`}>{t.form.save}</button>
          {isDraft && (
            <button class="btn btn-primary" name="then" value="schedule">
              {t.steps.schedule}
            </button>
          )}
          <a class="btn btn-quiet" href={mailing ? `/mailings/${mailing.id}` : '/mailings'}>
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
    if (name === 'messageId') {
      const message = messages.find(({ id }) => String(id) === value);
      return message && messageTitle(message, t);
    }
    if (name.endsWith('egmentId')) return segments.find(({ id }) => String(id) === value)?.name;
    if (name === 'period') return t.period[value as keyof Texts['period']];
    if (name === 'kind') return t.mailings.kind[value as 'marketing']?.name;
    if (name === 'language') return languageNames[value as 'en'];
    return undefined;
  };
function Step({ n, id, text }: { n: number; id: string; text: string }) {
  return (
    <h2 id={id}>
      <span class="step-number">{n}</span> {text}
    </h2>
  );
}

/** Which kind of mail it is. Without a script the reason is always shown; its hint says when it is wanted. */
function Consent({ form }: Pick<Props, 'form'>) {
  const { t } = useReader();
  const isTransactional = form.values.kind === 'transactional';
  return (
    <>
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
