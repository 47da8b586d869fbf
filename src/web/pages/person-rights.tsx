import { Confirm } from '../components/form';
import { useReader } from '../reader';

/** What a person may ask of whoever keeps their data: a copy of it, and that it is forgotten. */
export function PersonRights({ client }: { client: { id: number; email: string } }) {
  const { t } = useReader();
  return (
    <section aria-labelledby="rights">
      <h2 id="rights">{t.persons.title}</h2>
      <p class="hint">{t.persons.text}</p>
      <div class="actions">
        <a class="btn btn-secondary" href={`/clients/${client.id}/export.json`} download>
          {t.persons.export}
        </a>
        <Confirm
          id="erase"
          action={`/clients/${client.id}/erase`}
          text={t.persons.erase}
          question={t.persons.eraseQuestion(client.email)}
          kind="btn-outline-danger"
        >
          <p>{t.persons.eraseText}</p>
        </Confirm>
      </div>
    </section>
  );
}
