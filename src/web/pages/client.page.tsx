import type { FieldDefinition } from '../../domain/client-fields';
import type { Page } from '../../domain/paging';
import type { ClientView } from '../../features/clients/client-view';
import { Facts } from '../components/facts';
import { Confirm } from '../components/form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';
import { Tags, valueWords } from './client-columns';
import { Suppressed, Timeline, type TimelineEntry } from './client-timeline';
import { Unconfirmed } from './consents';
import { PersonRights } from './person-rights';

interface Props {
  client: ClientView;
  fields: readonly FieldDefinition[];
  timeline: Page<TimelineEntry>;
  mayChange: boolean;
}

/** A client, and all that happened: letters, attempts and the server's answers, what became known, and consents. */
export function ClientPage({ client, fields, timeline, mayChange }: Props) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={client.fullName || client.email} back={{ to: '/clients', text: t.clients.title }}>
        {mayChange && (
          <>
            <a class="btn btn-secondary" href={`/clients/${client.id}/edit`}>
              {t.form.edit}
            </a>
            <Confirm
              id="delete"
              action={`/clients/${client.id}/delete`}
              text={t.form.delete}
              question={t.clients.deleteQuestion(client.email)}
              kind="btn-outline-danger"
            >
              <p>{t.clients.deleteText}</p>
            </Confirm>
          </>
        )}
      </PageHead>
      <Unconfirmed client={client} mayChange={mayChange} />
      {client.suppression && <Suppressed email={client.email} by={client.suppression} />}
      <Facts
        of={[
          [t.field.email, client.email],
          ...fields
            .filter(({ key }) => client.fields[key] !== undefined)
            .map(
              ({ key, label, type }) => [label, valueWords(client.fields[key], type, t, format), 'prewrap'] as const,
            ),
          ...(client.tags.length > 0 ? [[t.tags.title, <Tags key="tags" names={client.tags} />] as const] : []),
          [t.field.addedAt, format.time(client.createdAt)],
          ...(client.comment ? [[t.field.comment, client.comment, 'prewrap wide'] as const] : []),
        ]}
      />
      <Timeline page={timeline} />
      <p>
        <a href={`/attempts?clientId=${client.id}`}>{t.clients.allAttempts}</a>
      </p>
      {mayChange && <PersonRights client={client} />}
    </>
  );
}
