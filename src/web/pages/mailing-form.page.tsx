import { languages } from '../../domain/language';
import { type CodedProblem, worded } from '../../domain/problems';
import { PERIODS } from '../../domain/recurrence';
import { mailingKinds } from '../../domain/suppression';
import { zonesWith } from '../../domain/time-zone';
import { audiences, takes } from '../../features/audiences/audiences';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { FormState } from '../answers';
import { Choice, Field, FormProblem, PostForm } from '../components/form';
import { languageNames } from '../components/language';
import { PageHead } from '../components/list';
import { useReader } from '../reader';

interface Props {
  form: FormState;
  messages: { id: number; subject: string }[];
  occurrences: Occurrences;
  totalClients: number;
  mailing?: MailingView;
}

export function MailingFormPage({ form, messages, occurrences, totalClients, mailing }: Props) {
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
          <Recipients form={form} totalClients={totalClients} mailing={mailing} />
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

function Recipients({ form, totalClients, mailing }: Pick<Props, 'form' | 'totalClients' | 'mailing'>) {
  const { t } = useReader();
  const started = mailing !== undefined && mailing.status !== 'created';
  return (
    <>
      <h2>{t.mailings.who}</h2>
      <Choice
        form={form}
        name="audience"
        legend={t.field.audience}
        options={audiences
          .filter((kind) => !started || kind === mailing.audience)
          .map((value) => {
            const { name, hint } = t.mailings.audience[value];
            return { value, text: name, hint: hint(totalClients) };
          })}
      />
      <div data-shows={`audience=${audiences.find((kind) => takes(kind, 'clientIds'))}`}>
        <div class="field">
          <label class="form-label" for="client-search">
            {t.mailings.findClients}
          </label>
          <input
            class="form-control"
            type="search"
            id="client-search"
            name="findClient"
            hx-get="/mailings/clients"
            hx-trigger="input changed delay:250ms"
            hx-target="#client-found"
            hx-swap="innerHTML"
            autocomplete="off"
          />
          <div id="client-found" class="found" aria-live="polite"></div>
        </div>
        <Field
          form={form}
          name="clientIds"
          label={mailing ? t.mailings.addAddresses : t.mailings.addresses}
          rows={5}
          hint={
            mailing && takes(mailing.audience, 'clientIds') ? (
              <a href={`/mailings/${mailing.id}/clients`}>{t.mailings.seeSelected(mailing.recipientCount)}</a>
            ) : (
              t.mailings.addressesHint
            )
          }
        />
      </div>
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

export interface Occurrences {
  at: Date[];
  timeZone: string;
  problem?: CodedProblem | undefined;
  warning?: CodedProblem | undefined;
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

/** Clients that a search found; a click adds the address to the text area. */
export function FoundClients({ clients }: { clients: { id: number; email: string; fullName: string }[] }) {
  const { t } = useReader();
  if (clients.length === 0) return <p class="hint">{t.list.nothingFound}</p>;
  return (
    <ul class="plain">
      {clients.map((client) => (
        <li key={client.id}>
          <button type="button" class="btn btn-quiet btn-sm" data-add={client.email}>
            + {client.fullName ? `${client.fullName} <${client.email}>` : client.email}
          </button>
        </li>
      ))}
    </ul>
  );
}
