import type { ClientView } from '../../features/clients/client-view';
import { Confirm } from '../components/form';
import { Icon } from '../components/icon';
import type { ComponentChildren } from 'preact';
import type { SignupRecord } from '../../features/signups/signup-records.service';
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

/** That nobody has confirmed the client's address, and how the owner vouches for it. */
export function Unconfirmed({ client, mayChange }: { client: ClientView; mayChange: boolean }) {
  const { t, format } = useReader();
  if (!client.unconfirmedSince) return null;
  return (
    <div class="alert alert-info stage-line">
      <Icon name="warning" />
      <div>
        <p>{t.forms.unconfirmed(format.day(client.unconfirmedSince))}</p>
      </div>
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
