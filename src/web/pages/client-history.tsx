import type { ClientHistoryEntry, PastSuppression } from '../../features/clients/client-history.service';
import type { ClientSuppression } from '../../features/clients/client-view';
import type { EventView } from '../../features/ledger/events.service';
import { named, reasonText } from '../codes';
import { Icon } from '../components/icon';
import { Reply, Table } from '../components/list';
import { Chip, EventChip } from '../components/states';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';

/** Why the client gets no mail at present. */
export function Suppressed({ email, by }: { email: string; by: ClientSuppression }) {
  const { t, format } = useReader();
  const bound = t.clients.bound[by.scope](by.mailingName ?? '');
  return (
    <div class="alert alert-warning">
      <Icon name="warning" />
      <div>
        {t.clients.suppressed(bound, reasonText(by.reason, t), format.day(by.since))}{' '}
        <a href={`/suppressions?${new URLSearchParams({ search: email }).toString()}`}>{t.clients.seeSuppressions}</a>
      </div>
    </div>
  );
}

/** What became known about the client's letters, and when the address was excluded and included again. */
export function History({ entries }: { entries: ClientHistoryEntry[] }) {
  const { t, format } = useReader();
  if (entries.length === 0) return null;
  return (
    <section aria-labelledby="history">
      <h2 id="history">{t.clients.history}</h2>
      <Table
        caption={t.clients.history}
        rows={entries}
        columns={[
          { head: t.field.time, class: 'text-nowrap', cell: ({ at }) => format.time(at) },
          { head: t.field.what, cell: (entry) => <What entry={entry} /> },
          { head: t.field.mailing, class: 'text-cell', cell: ({ event }) => event && <Letter event={event} /> },
          { head: t.field.detail, class: 'response-cell', cell: (entry) => <Detail entry={entry} /> },
        ]}
      />
    </section>
  );
}

function What({ entry: { what, event } }: { entry: ClientHistoryEntry }) {
  const { t } = useReader();
  if (event) return <EventChip kind={event.kind} />;
  if (what === 'suppressed') return <Chip tone="warn">{t.clients.excluded}</Chip>;
  return what === 'lifted' ? (
    <Chip tone="good">{t.clients.included}</Chip>
  ) : (
    <Chip tone="quiet">{t.clients.expired}</Chip>
  );
}

function Letter({ event: { runId, mailingId, mailingName } }: { event: EventView }) {
  const { t } = useReader();
  return (
    <a class="clip" href={`/runs/${runId}`}>
      {mailingName || t.mailings.nameless(mailingId)}
    </a>
  );
}

function Detail({ entry }: { entry: ClientHistoryEntry }) {
  const { t } = useReader();
  if (entry.what === 'known') {
    const { source, reason, enhancedCode, reply } = entry.event;
    return (
      <>
        {wordsOf(named(t.source, source), reason && scopeOrReason(entry.event, reason, t), enhancedCode)}
        {reply && <Reply text={reply} />}
      </>
    );
  }
  const { suppression, event } = entry;
  if (entry.what === 'expired') return <>{reasonText(suppression.reason, t)}</>;
  if (entry.what === 'lifted')
    return (
      <>
        {suppression.isLiftedByPerson ? t.clients.byPerson : named(t.clients.liftReason, suppression.liftReason ?? '')}
      </>
    );
  return (
    <>
      {wordsOf(
        !event && reasonText(suppression.reason, t),
        boundOf(suppression, t),
        suppression.source !== 'user' && named(t.source, suppression.source),
        suppression.detail,
      )}
      {event?.reply && <Reply text={event.reply} />}
    </>
  );
}

const wordsOf = (...words: (string | false | null)[]): string => words.filter(Boolean).join('; ');

const boundOf = ({ scope, mailingName }: Pick<PastSuppression, 'scope' | 'mailingName'>, t: Texts): string =>
  t.clients.bound[scope](mailingName ?? '');

/** What somebody unsubscribed from stands in the event's reason. */
const scopeOrReason = ({ mailingName }: EventView, reason: string, t: Texts): string =>
  reason === 'owner' || reason === 'mailing' ? boundOf({ scope: reason, mailingName }, t) : reasonText(reason, t);
