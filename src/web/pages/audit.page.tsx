import { type ComponentChildren, Fragment } from 'preact';
import type { Page } from '../../domain/paging';
import type { Role } from '../../domain/permissions';
import { auditActions, type AuditDetail, type AuditObject, auditObjects } from '../../features/audit/audit';
import type { AuditEntry } from '../../features/audit/audit.service';
import { Empty, PageHead, Pick, Search, Table } from '../components/list';
import { Pager } from '../components/pager';
import { named, scopesText } from '../codes';
import { type Reader, useReader } from '../reader';

export function AuditPage({ entries }: { entries: Page<AuditEntry> }) {
  const { t, format, query } = useReader();
  const isFiltered = [...query].some(([name, value]) => value && name !== 'cursor');
  return (
    <>
      <PageHead title={t.audit.title} />
      <Filters />
      <div id="results">
        {entries.items.length === 0 ? (
          <Empty text={isFiltered ? t.list.nothingFound : t.audit.empty} />
        ) : (
          <Table
            caption={t.audit.title}
            rows={entries.items}
            columns={[
              { head: t.field.time, class: 'text-nowrap', cell: (entry) => format.exact(entry.createdAt) },
              {
                head: t.field.who,
                class: 'main-cell',
                cell: (entry) => (
                  <>
                    {entry.actorEmail ? <a href={by(entry.actorEmail)}>{entry.actorEmail}</a> : t.audit.nobody}
                    <span class="hint d-block">
                      {t.audit.via[entry.via]} {entry.ip}
                    </span>
                  </>
                ),
              },
              { head: t.field.what, cell: (entry) => t.audit.action[entry.action] },
              { head: t.field.object, class: 'text-cell', cell: (entry) => <Subject entry={entry} /> },
              { head: t.field.detail, class: 'text-cell', cell: ({ detail }) => <Detail detail={detail} /> },
            ]}
          />
        )}
        <Pager {...entries} />
      </div>
    </>
  );
}

/** Everything that somebody did. */
const by = (email: string) => `/audit?${new URLSearchParams({ who: email }).toString()}`;

/** By person, deed, object and time; the number of an object stands in the address of its page. */
function Filters() {
  const { t, query } = useReader();
  return (
    <Search>
      <label class="pick">
        <span>{t.field.who}</span>
        <input
          class="form-control"
          type="search"
          name="who"
          value={query.get('who') ?? ''}
          placeholder={t.users.search}
          maxlength={200}
        />
      </label>
      <Pick
        name="action"
        label={t.field.what}
        all={t.list.all}
        options={auditActions.map((value) => ({ value, text: t.audit.action[value] }))}
      />
      <Pick
        name="objectType"
        label={t.field.object}
        all={t.list.all}
        options={auditObjects.map((value) => ({ value, text: t.audit.objectType[value] }))}
      />
      <label class="pick">
        <span>{t.auditFilter.objectId}</span>
        <input
          class="form-control"
          inputmode="numeric"
          name="objectId"
          value={query.get('objectId') ?? ''}
          maxlength={15}
        />
      </label>
      {(['from', 'to'] as const).map((name) => (
        <label class="pick" key={name}>
          <span>{t.list[name]}</span>
          <input class="form-control" type="date" name={name} value={query.get(name) ?? ''} />
        </label>
      ))}
    </Search>
  );
}

type ObjectType = AuditObject['type'];

/** The page that shows an object. */
const PLACES: Record<ObjectType, ((id: number) => string) | null> = {
  user: (id) => `/users/${id}`,
  token: null,
  mailing: (id) => `/mailings/${id}`,
  message: (id) => `/messages/${id}`,
  picture: null,
  segment: (id) => `/segments/${id}`,
  client: (id) => `/clients/${id}`,
  form: (id) => `/forms/${id}`,
  field: null,
  tag: (id) => `/clients/tags/${id}`,
  import: (id) => `/clients/import/${id}`,
  run: (id) => `/runs/${id}`,
  delivery: (id) => `/attempts?deliveryId=${id}`,
  account: null,
  suppression: null,
  suppression_batch: (id) => `/suppressions/batches/${id}`,
  inbound: (id) => `/inbound/${id}`,
  inbound_webhook: null,
  bulk_job: (id) => `/clients/jobs/${id}`,
};

/** The object of an entry by its name; a link if it still exists. */
function Subject({ entry: { objectType, objectId, objectName } }: { entry: AuditEntry }) {
  const { t } = useReader();
  if (!objectType) return null;
  const kind = t.audit.objectType[objectType];
  if (objectId === null) return <>{kind}</>;
  const place = objectName !== null && PLACES[objectType]?.(objectId);
  const text = objectName || `${kind} ${objectId}`;
  return (
    <div>
      {place ? (
        <a class="clip" href={place}>
          {text}
        </a>
      ) : (
        <span class="clip">{text}</span>
      )}
      <a class="hint d-block" href={`/audit?objectType=${objectType}&objectId=${objectId}`}>
        {objectName ? `${kind} ${objectId}` : t.auditFilter.about}
      </a>
    </div>
  );
}

type Say<T> = (value: T, reader: Reader) => ComponentChildren;
const whether: Say<boolean> = (yes, { t }) => (yes ? t.audit.yes : t.audit.no);
const role: Say<Role> = (value, { t }) => named(t.users.role, value);

const SAY: { [K in keyof AuditDetail]-?: Say<NonNullable<AuditDetail[K]>> } = {
  by: (value, { t }) => named(t.audit.by, value),
  recoveryCodesLeft: (n, { format }) => format.number(n),
  issuer: (text) => text,
  role,
  from: role,
  to: role,
  isNew: whether,
  status: (value, { t }) => named(t.users.status, value),
  pausedMailings: (n, { format }) => format.number(n),
  marked: (n, { format }) => format.number(n),
  reopened: (n, { format }) => format.number(n),
  endedTokens: (n, { format }) => format.number(n),
  endedLinks: (n, { format }) => format.number(n),
  endedSessions: (n, { format }) => format.number(n),
  userId: (id, { t }) => <a href={`/users/${id}`}>{`${t.audit.objectType.user} ${id}`}</a>,
  name: (text) => text,
  scopes: (scopes, { t }) => scopesText(scopes, t),
  expiresAt: (at, { format }) => format.time(at),
  reason: (code, { t }) => named(t.reasons, code),
  why: (text) => text,
  bulk: (action, { t }) => t.bulk.actions[action],
  dryRun: whether,
};

/** A value that this version does not know: times in the reader's zone, the rest as it is. */
const other: Say<unknown> = (value, reader) => {
  if (typeof value === 'boolean') return whether(value, reader);
  if (typeof value === 'number') return reader.format.number(value);
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? reader.format.exact(value) : value;
};

function Detail({ detail }: Pick<AuditEntry, 'detail'>) {
  const reader = useReader();
  // jsonb keeps no order of keys.
  const keys = [...new Set([...Object.keys(SAY), ...Object.keys(detail)])];
  const said = keys.filter((key) => (detail[key] ?? '') !== '');
  if (said.length === 0) return null;
  return (
    <dl class="tiny-facts">
      {said.map((key) => (
        <Fragment key={key}>
          <dt>{named(reader.t.audit.detail, key)}</dt>
          <dd>{((SAY as Record<string, Say<unknown>>)[key] ?? other)(detail[key], reader)}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
