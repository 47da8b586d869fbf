import type { Page } from '../../domain/paging';
import { auditActions, type AuditObject } from '../../features/audit/audit';
import type { AuditEntry } from '../../features/audit/audit.service';
import { Cell, Empty, PageHead, Pager, Pick, Row, Search, Table } from '../components/list';
import { useReader } from '../reader';

export function AuditPage({ entries }: { entries: Page<AuditEntry> }) {
  const { t, format } = useReader();
  return (
    <>
      <PageHead title={t.audit.title} />
      <Search>
        <Pick
          name="action"
          label={t.field.what}
          all={t.list.all}
          options={auditActions.map((value) => ({ value, text: t.audit.action[value] }))}
        />
      </Search>
      <div id="results">
        {entries.items.length === 0 ? (
          <Empty text={t.audit.empty} />
        ) : (
          <Table
            caption={t.audit.title}
            heads={[t.field.time, t.field.who, t.field.what, t.field.object, t.field.detail]}
          >
            {entries.items.map((entry) => (
              <Row key={entry.id}>
                <Cell label={t.field.time} class="text-nowrap">
                  {format.exact(entry.createdAt)}
                </Cell>
                <Cell label={t.field.who} class="main-cell">
                  {entry.actorEmail ?? t.audit.nobody}
                  <span class="hint d-block">
                    {t.audit.via[entry.via]} {entry.ip}
                  </span>
                </Cell>
                <Cell label={t.field.what}>{t.audit.action[entry.action]}</Cell>
                <Cell label={t.field.object}>
                  {entry.objectType && <ObjectLink type={entry.objectType} id={entry.objectId} />}
                </Cell>
                <Cell label={t.field.detail}>
                  {Object.keys(entry.detail).length > 0 && <code class="reply">{JSON.stringify(entry.detail)}</code>}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={entries.nextCursor} />
      </div>
    </>
  );
}

type ObjectType = AuditObject['type'];

const PLACES: Partial<Record<ObjectType, string>> = {
  user: '/users',
  mailing: '/mailings',
  message: '/messages',
  client: '/clients',
  run: '/runs',
  import: '/clients/import',
};

function ObjectLink({ type, id }: { type: ObjectType; id: number | null }) {
  const { t } = useReader();
  const place = PLACES[type];
  const text = `${t.audit.objectType[type]} ${id ?? ''}`;
  return place && id !== null ? <a href={`${place}/${id}`}>{text}</a> : <>{text}</>;
}
