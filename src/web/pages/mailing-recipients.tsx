import { audiences, takes } from '../../features/audiences/audiences';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { FormState } from '../answers';
import { Choice, Field } from '../components/form';
import { Icon } from '../components/icon';
import { ExcludedNumbers, Findings } from '../components/preflight';
import type { Occurrences } from '../mailing-form';
import { useReader } from '../reader';
import type { StepTexts } from '../texts/line';
import type { FormCheck } from './mailing-form-parts.service';

export interface RecipientsProps {
  form: FormState;
  totalClients: number;
  segments: { id: number; name: string }[];
  /** To whom it would go by the form's present values; null without an audience. */
  check: FormCheck | null;
  mailing: MailingView | undefined;
}

/** The part of a mailing's form that says to whom it goes. */
export function Recipients({ form, totalClients, segments, check, mailing }: RecipientsProps) {
  const { t } = useReader();
  const started = mailing !== undefined && mailing.status !== 'created';
  return (
    <div
      hx-post={`/mailings/check${mailing ? `?mailingId=${mailing.id}` : ''}`}
      hx-include="#mailing-form"
      hx-trigger="change from:#mailing-form, input delay:400ms from:#f-clientIds"
      hx-target="#recipients"
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
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
              <a href={`/mailings/${mailing.id}/clients`}>{t.mailings.seeSelected(mailing.selectedCount)}</a>
            ) : (
              t.mailings.addressesHint
            )
          }
        />
      </div>
      <Segments form={form} segments={segments} />
      <RecipientCheck check={check} />
    </div>
  );
}

/** To which segment it goes, and which one is left out. */
function Segments({ form, segments }: Pick<RecipientsProps, 'form' | 'segments'>) {
  const { t } = useReader();
  const options = segments.map(({ id, name }) => ({ value: String(id), text: name }));
  const none = (text: string) => [{ value: '', text }, ...options];
  return (
    <>
      <div data-shows={`audience=${audiences.find((kind) => takes(kind, 'segmentId'))}`}>
        {segments.length === 0 ? (
          <p class="field">
            {t.segments.noSegments} <a href="/segments/new">{t.segments.new}</a>
          </p>
        ) : (
          <Field
            form={form}
            name="segmentId"
            label={t.segments.one}
            required
            attributes={{ required: false }}
            options={none(t.segments.choose)}
          />
        )}
      </div>
      {segments.length > 0 && (
        <Field
          form={form}
          name="excludeSegmentId"
          label={t.segments.except}
          hint={t.segments.exceptHint}
          options={none(t.segments.exceptNobody)}
        />
      )}
    </>
  );
}

/** How many it goes to, the first of them, and who gets nothing and why. */
export function RecipientCheck({ check }: { check: FormCheck | null }) {
  const { t } = useReader();
  if (!check) return <div id="recipients" aria-live="polite"></div>;
  const { chosen, eligible, first, unknown } = check;
  const names = first.map(({ fullName, email }) => fullName || email).join(', ');
  return (
    <div id="recipients" class="occurrences" aria-live="polite">
      <p>{chosen === null ? t.steps.uncounted : t.segments.now(chosen)}</p>
      {names !== '' && <p>{t.steps.first(names, eligible === null || eligible > first.length)}</p>}
      <ExcludedNumbers of={check} />
      {unknown > 0 && <p class="field-problem">{t.steps.unknown(unknown)}</p>}
    </div>
  );
}

interface FormFindingsProps {
  check: FormCheck | null;
  occurrences: Occurrences;
  ownerId: number | undefined;
  apart?: boolean;
}

/** What would keep the mailing from being sent, and where it is put right. `apart`: in an answer about the recipients. */
export function FormFindings({ check, occurrences, ownerId, apart = false }: FormFindingsProps) {
  const { t, user } = useReader();
  const findings = check?.findings ?? [];
  const missing = missingIn(check, occurrences).map((part) => t.steps.missing[part]);
  if (check?.unknown) missing.push(t.steps.unknown(check.unknown));
  return (
    <div id="check" aria-live="polite" {...(apart && { 'hx-swap-oob': 'outerHTML' })}>
      {findings.length + missing.length === 0 ? (
        <p>{t.steps.nothingFound}</p>
      ) : (
        <div class="alert alert-warning">
          <Icon name="warning" />
          <div>
            {missing.map((text) => (
              <p key={text}>{text}</p>
            ))}
            <Findings findings={findings} of={{ ownerId: ownerId ?? user?.id ?? 0, messageId: null }} />
          </div>
        </div>
      )}
    </div>
  );
}

/** What the form does not say yet, without which it goes to nobody. */
function missingIn(check: FormCheck | null, { at, problem }: Occurrences): (keyof StepTexts['missing'])[] {
  return [
    ...(check === null ? (['audience'] as const) : []),
    ...(check && !check.hasMessage ? (['message'] as const) : []),
    ...(check && !check.hasSegment ? (['segment'] as const) : []),
    ...(problem || at.length === 0 ? (['time'] as const) : []),
  ];
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
