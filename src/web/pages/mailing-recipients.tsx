import { audiences, takes } from '../../features/audiences/audiences';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { FormState } from '../answers';
import { Choice, Field } from '../components/form';
import { useReader } from '../reader';

export interface RecipientsProps {
  form: FormState;
  totalClients: number;
  segments: { id: number; name: string }[];
  /** How many it would go to, where a segment says so; null if that is not known. */
  recipients: number | null;
  mailing: MailingView | undefined;
}

/** The part of a mailing's form that says to whom it goes. */
export function Recipients({ form, totalClients, segments, recipients, mailing }: RecipientsProps) {
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
              <a href={`/mailings/${mailing.id}/clients`}>{t.mailings.seeSelected(mailing.selectedCount)}</a>
            ) : (
              t.mailings.addressesHint
            )
          }
        />
      </div>
      <Segments {...{ form, segments, recipients, mailing }} />
    </>
  );
}

/** To which segment it goes, and which one is left out; a script counts the recipients as they are chosen. */
function Segments({ form, segments, recipients, mailing }: Omit<RecipientsProps, 'totalClients'>) {
  const { t } = useReader();
  const options = segments.map(({ id, name }) => ({ value: String(id), text: name }));
  const none = (text: string) => [{ value: '', text }, ...options];
  return (
    <div
      hx-get={`/mailings/recipients${mailing ? `?mailingId=${mailing.id}` : ''}`}
      hx-include="#mailing-form [name=audience]:checked, #mailing-form [name=segmentId], #mailing-form [name=excludeSegmentId]"
      hx-trigger="change, change from:#mailing-form [name=audience]"
      hx-target="#recipients"
      hx-swap="outerHTML"
      hx-sync="this:replace"
    >
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
      <RecipientCount n={recipients} />
    </div>
  );
}

export function RecipientCount({ n }: { n: number | null }) {
  const { t } = useReader();
  return (
    <p id="recipients" class="hint" aria-live="polite">
      {n === null ? '' : t.segments.now(n)}
    </p>
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
