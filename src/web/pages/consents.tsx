import type { ClientView } from '../../features/clients/client-view';
import { Confirm } from '../components/form';
import type { ComponentChildren } from 'preact';
import type { SignupRecord } from '../../features/signups/signup-records.service';
import { Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';

/** Whether a sign-up counts. */
export function RecordChip({ record }: { record: Pick<SignupRecord, 'confirmedAt' | 'expiresAt'> }): ComponentChildren {
  const { t } = useReader();
  if (record.confirmedAt !== null) return <Chip tone="good">{t.forms.confirmed}</Chip>;
  return record.expiresAt.getTime() > Date.now() ? (
    <Chip tone="quiet">{t.forms.waiting}</Chip>
  ) : (
    <Chip tone="quiet">{t.forms.expired}</Chip>
  );
}

/** On a client's page: what the person agreed to, when, from where, and by which form. */
export function Consents({ records }: { records: SignupRecord[] }) {
  const { t, format } = useReader();
  if (records.length === 0) return null;
  return (
    <section aria-labelledby="consents">
      <h2 id="consents">{t.forms.history}</h2>
      <Table
        caption={t.forms.history}
        rows={records}
        columns={[
          {
            head: t.forms.when,
            class: 'text-nowrap',
            cell: ({ createdAt, confirmedAt }) => format.time(confirmedAt ?? createdAt),
          },
          { head: t.forms.state, cell: (record) => <RecordChip record={record} /> },
          {
            head: t.forms.form,
            class: 'text-cell',
            cell: ({ formId, formName }) => <a href={`/forms/${formId}`}>{formName}</a>,
          },
          {
            head: t.forms.from,
            class: 'text-cell muted',
            cell: ({ ip, confirmedIp, origin }) => [origin, confirmedIp ?? ip].filter(Boolean).join(' · '),
          },
          {
            head: t.forms.agreed,
            class: 'text-cell',
            cell: ({ consentText, topics }) => (
              <>
                <span class="prewrap">{consentText}</span>
                {topics.length > 0 && <span class="hint d-block">{topics.join(', ')}</span>}
              </>
            ),
          },
        ]}
      />
    </section>
  );
}

/** That nobody has confirmed the client's address, and how the owner vouches for it. */
export function Unconfirmed({ client, mayChange }: { client: ClientView; mayChange: boolean }) {
  const { t, format } = useReader();
  if (!client.unconfirmedSince) return null;
  return (
    <div class="alert alert-info">
      <p>{t.forms.unconfirmed(format.day(client.unconfirmedSince))}</p>
      {mayChange && (
        <Confirm
          id="confirm"
          action={`/clients/${client.id}/confirm`}
          text={t.forms.confirm}
          question={t.forms.confirmQuestion(client.email)}
        >
          <p>{t.forms.confirmText}</p>
        </Confirm>
      )}
    </div>
  );
}
