import type { ClientHistoryEntry, PastSuppression } from '../../features/clients/client-history.service';
import type { ClientSuppression } from '../../features/clients/client-view';
import type { EventView } from '../../features/ledger/events.service';
import type { LetterEntry } from '../../features/runs/client-letters.service';
import type { DeliveryView } from '../../features/runs/deliveries.service';
import type { SignupRecord } from '../../features/signups/signup-records.service';
import type { Page } from '../../domain/paging';
import { named, reasonText } from '../codes';
import { Icon } from '../components/icon';
import { Reply, Table } from '../components/list';
import { Pager } from '../components/pager';
import { AttemptChip, Chip, DeliveryChip, EventChip, MessageId } from '../components/states';
import { LetterLink } from '../components/letter-link';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';
import { AttemptResponse } from './attempts.page';
import { RecordChip } from './consents';

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

/** Something that happened to a client, as the page tells it. */
export type TimelineEntry =
  | ClientHistoryEntry
  | LetterEntry
  | { what: 'joined'; at: Date }
  /** `signed_up`: a form came in; `agreed`: the person confirmed it. */
  | { what: 'signed_up' | 'agreed'; at: Date; record: SignupRecord };

/** All that happened to a client, newest first. */
export function Timeline({ page }: { page: Page<TimelineEntry> }) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="history">
      <h2 id="history">{t.clients.history}</h2>
      <Table
        caption={t.clients.history}
        rows={page.items}
        columns={[
          { head: t.field.time, class: 'text-nowrap', cell: ({ at }) => format.time(at) },
          { head: t.field.what, cell: (entry) => <What entry={entry} /> },
          { head: t.finding.about, class: 'text-cell', cell: (entry) => <About entry={entry} /> },
          { head: t.field.detail, class: 'response-cell', cell: (entry) => <Detail entry={entry} /> },
        ]}
      />
      <Pager {...page} />
    </section>
  );
}

function What({ entry }: { entry: TimelineEntry }) {
  const { t } = useReader();
  switch (entry.what) {
    case 'letter':
      return <DeliveryChip status={entry.delivery.status} />;
    case 'attempt':
      return <AttemptChip of={entry.attempt} />;
    case 'joined':
      return <Chip tone="quiet">{t.finding.joined}</Chip>;
    case 'signed_up':
      return <Chip tone="quiet">{t.finding.signedUp}</Chip>;
    case 'agreed':
      return <Chip tone="good">{t.finding.agreed}</Chip>;
    case 'known':
    case 'suppressed':
    case 'lifted':
    case 'expired':
      return <HistoryWhat entry={entry} />;
  }
}

function HistoryWhat({ entry }: { entry: ClientHistoryEntry }) {
  const { t } = useReader();
  if (entry.event) return <EventChip kind={entry.event.kind} />;
  if (entry.what === 'suppressed') return <Chip tone="warn">{t.clients.excluded}</Chip>;
  return entry.what === 'lifted' ? (
    <Chip tone="good">{t.clients.included}</Chip>
  ) : (
    <Chip tone="quiet">{t.clients.expired}</Chip>
  );
}

function About({ entry }: { entry: TimelineEntry }) {
  const { t } = useReader();
  switch (entry.what) {
    case 'joined':
      return null;
    case 'letter':
      return (
        <>
          <RunLink {...entry.delivery} />
          <span class="hint d-block">{t.runTrigger[entry.delivery.trigger]}</span>
        </>
      );
    case 'attempt':
      return <RunLink {...entry.attempt} />;
    case 'signed_up':
    case 'agreed':
      return <a href={`/forms/${entry.record.formId}`}>{entry.record.formName}</a>;
    case 'known':
    case 'suppressed':
    case 'lifted':
    case 'expired':
      return entry.event && <RunLink {...entry.event} />;
  }
}

function RunLink({ runId, mailingId, mailingName }: { runId: number; mailingId: number; mailingName: string }) {
  const { t } = useReader();
  return (
    <a class="clip" href={`/runs/${runId}`}>
      {mailingTitle({ id: mailingId, name: mailingName }, t)}
    </a>
  );
}

function Detail({ entry }: { entry: TimelineEntry }) {
  switch (entry.what) {
    case 'joined':
      return null;
    case 'letter':
      return <LetterDetail delivery={entry.delivery} />;
    case 'attempt':
      return <AttemptResponse attempt={entry.attempt} />;
    case 'signed_up':
    case 'agreed':
      return <Consent record={entry.record} confirmed={entry.what === 'agreed'} />;
    case 'known':
    case 'suppressed':
    case 'lifted':
    case 'expired':
      return <HistoryDetail entry={entry} />;
  }
}

function LetterDetail({ delivery }: { delivery: DeliveryView }) {
  const { t, format } = useReader();
  const { id, reason, lastResponse, nextAttemptAt, attempts, messageIdHeader } = delivery;
  return (
    <>
      <LetterLink of={delivery} />
      {reason && <span class="d-block">{reasonText(reason, t)}</span>}
      {lastResponse && <Reply text={lastResponse} />}
      {nextAttemptAt && <span class="hint d-block">{t.run.nextTry(format.time(nextAttemptAt))}</span>}
      {attempts > 0 && (
        <a class="hint d-block" href={`/attempts?deliveryId=${id}`}>
          {t.finding.tries(format.number(attempts))}
        </a>
      )}
      <MessageId id={messageIdHeader} />
    </>
  );
}

/** What a person agreed to, and from where. */
function Consent({ record, confirmed }: { record: SignupRecord; confirmed: boolean }) {
  const { consentText, topics, origin, ip, confirmedIp } = record;
  return (
    <>
      <span class="prewrap">{consentText}</span>
      {topics.length > 0 && <span class="hint d-block">{topics.join(', ')}</span>}
      <span class="hint d-block">{[origin, confirmed ? (confirmedIp ?? ip) : ip].filter(Boolean).join(' · ')}</span>
      {!confirmed && <RecordChip record={record} />}
    </>
  );
}

function HistoryDetail({ entry }: { entry: ClientHistoryEntry }) {
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
