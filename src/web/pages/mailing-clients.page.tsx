import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import { PostForm } from '../components/form';
import { Cell, Empty, PageHead, Pager, Row, Table } from '../components/list';
import { useReader } from '../reader';
import { nameOf } from './mailings.page';

interface Props {
  mailing: MailingView;
  clients: Page<{ id: number; email: string; fullName: string }>;
  mayChange: boolean;
}

/** Who was selected for a mailing. */
export function MailingClientsPage({ mailing, clients, mayChange }: Props) {
  const { t } = useReader();
  return (
    <>
      <PageHead
        title={t.field.recipients}
        back={{ to: `/mailings/${mailing.id}`, text: nameOf(mailing, t.mailings.nameless) }}
      >
        {mayChange && (
          <a class="btn btn-primary" href={`/mailings/${mailing.id}/edit`}>
            {t.mailings.addAddresses}
          </a>
        )}
      </PageHead>
      {clients.items.length === 0 ? (
        <Empty
          text={t.mailings.nobody}
          action={{ to: `/mailings/${mailing.id}/edit`, text: t.mailings.addAddresses }}
        />
      ) : (
        <Table caption={t.field.recipients} heads={[t.field.email, t.field.fullName, t.form.actions]}>
          {clients.items.map((client) => (
            <Row key={client.id}>
              <Cell label={t.field.email} class="main-cell">
                <a href={`/clients/${client.id}`}>{client.email}</a>
              </Cell>
              <Cell label={t.field.fullName} class="text-cell">
                {client.fullName}
              </Cell>
              <Cell label={t.form.actions}>
                {mayChange && (
                  <PostForm action={`/mailings/${mailing.id}/clients/remove`}>
                    <input type="hidden" name="clientId" value={client.id} />
                    <button class="btn btn-sm btn-secondary" aria-label={t.mailings.removeOne(client.email)}>
                      {t.mailings.remove}
                    </button>
                  </PostForm>
                )}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <Pager nextCursor={clients.nextCursor} />
    </>
  );
}
