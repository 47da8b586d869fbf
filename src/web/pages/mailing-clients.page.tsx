import type { Page } from '../../domain/paging';
import type { MailingView } from '../../features/mailings/mailings.service';
import { PostForm } from '../components/form';
import { Empty, PageHead, Table } from '../components/list';
import { Pager } from '../components/pager';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';

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
      <PageHead title={t.field.recipients} back={{ to: `/mailings/${mailing.id}`, text: mailingTitle(mailing, t) }}>
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
        <Table
          caption={t.field.recipients}
          rows={clients.items}
          columns={[
            {
              head: t.field.email,
              class: 'main-cell',
              cell: ({ id, email }) => <a href={`/clients/${id}`}>{email}</a>,
            },
            { head: t.field.fullName, class: 'text-cell', cell: ({ fullName }) => fullName },
            {
              head: t.form.actions,
              cell: ({ id, email }) =>
                mayChange && (
                  <PostForm action={`/mailings/${mailing.id}/clients/remove`}>
                    <input type="hidden" name="clientId" value={id} />
                    <button class="btn btn-sm btn-secondary" aria-label={t.mailings.removeOne(email)}>
                      {t.mailings.remove}
                    </button>
                  </PostForm>
                ),
            },
          ]}
        />
      )}
      <Pager {...clients} />
    </>
  );
}
