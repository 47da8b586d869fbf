import { type AttemptFate, attemptFate, type TriedAttempt } from '../../domain/attempt-fate';
import type { CountedEvent, DeliveryEvent, EventCounts } from '../../domain/suppression';
import type { DeliveryCounts, DeliveryStatus, MailingStatus, RunStatus } from '../../domain/states';
import { statusText } from '../codes';
import { useReader } from '../reader';
import { Reply } from './list';

type Tone = 'quiet' | 'going' | 'good' | 'bad' | 'warn';

export function Chip({ tone, children }: { tone: Tone; children: string }) {
  return <span class={`chip chip-${tone}`}>{children}</span>;
}

const MAILING: Record<MailingStatus, Tone> = { created: 'quiet', started: 'going', paused: 'warn', done: 'good' };
export function MailingChip({ status }: { status: MailingStatus }) {
  return <Chip tone={MAILING[status]}>{useReader().t.mailingStatus[status]}</Chip>;
}

const RUN: Record<RunStatus, Tone> = {
  planning: 'going',
  sending: 'going',
  done: 'good',
  cancelled: 'quiet',
  missed: 'warn',
};
export function RunChip({ status }: { status: RunStatus }) {
  return <Chip tone={RUN[status]}>{useReader().t.runStatus[status]}</Chip>;
}

const DELIVERY: Record<DeliveryStatus, Tone> = {
  pending: 'quiet',
  sending: 'going',
  deferred: 'warn',
  sent: 'good',
  failed: 'bad',
  unknown: 'warn',
  skipped: 'quiet',
  cancelled: 'quiet',
};
export function DeliveryChip({ status }: { status: DeliveryStatus }) {
  return <Chip tone={DELIVERY[status]}>{useReader().t.deliveryStatus[status]}</Chip>;
}

const EVENT: Record<DeliveryEvent, Tone> = {
  bounced: 'bad',
  soft_bounced: 'warn',
  delayed: 'warn',
  complained: 'bad',
  unsubscribed: 'warn',
  resubscribed: 'good',
  auto_replied: 'quiet',
};
export function EventChip({ kind }: { kind: DeliveryEvent }) {
  return <Chip tone={EVENT[kind]}>{useReader().t.deliveryEvent[kind]}</Chip>;
}

/** A delivery's status and, beside it, what became known after it was sent. */
export function DeliveryState({ status, events }: { status: DeliveryStatus; events: readonly DeliveryEvent[] }) {
  return (
    <div class="chips">
      <DeliveryChip status={status} />
      {events.map((kind) => (
        <EventChip kind={kind} key={kind} />
      ))}
    </div>
  );
}

/** The kinds of events that are counted, in the order of their counts. */
const COUNTED: Record<keyof EventCounts, CountedEvent> = {
  bounced: 'bounced',
  softBounced: 'soft_bounced',
  complained: 'complained',
  unsubscribed: 'unsubscribed',
};

/** Of which kinds there are events, and how many. */
export const countedEvents = (counts: Partial<EventCounts>): [CountedEvent, number][] =>
  (Object.keys(COUNTED) as (keyof EventCounts)[])
    .map((name): [CountedEvent, number] => [COUNTED[name], counts[name] ?? 0])
    .filter(([, n]) => n > 0);

/** The same in one line: `Bounced 3 · Unsubscribed 12`; nothing if there are none. */
export function EventNumbers({ counts, class: look }: { counts: Partial<EventCounts>; class?: string }) {
  const { t, format } = useReader();
  const numbers = countedEvents(counts).map(([kind, n]) => `${t.eventCount[kind]}\u00a0${format.number(n)}`);
  return numbers.length > 0 ? <span class={look}>{numbers.join(' · ')}</span> : null;
}

/** Red is only what a person has to handle: nothing is tried any more. */
const ATTEMPT: Record<AttemptFate, Tone> = {
  ok: 'good',
  unknown: 'warn',
  failed: 'bad',
  retry: 'warn',
  retried: 'warn',
  open: 'warn',
};
export function AttemptChip({ of }: { of: TriedAttempt }) {
  const { t } = useReader();
  const fate = attemptFate(of);
  return <Chip tone={ATTEMPT[fate]}>{t.finding.fate[fate]}</Chip>;
}

/** A letter's Message-ID, to find it in a mail server's log. */
export function MessageId({ id }: { id: string }) {
  return (
    <details>
      <summary class="hint">Message-ID</summary>
      <code class="reply">{id}</code>
    </details>
  );
}

/** Why a mailing is in its status, since when, and the mail server's words if those were the cause. */
export function StatusReason({ code, text, since }: { code: string; text: string | null; since: Date }) {
  const { t, format } = useReader();
  const own = Object.hasOwn(t.statusCode, code);
  return (
    <>
      {statusText(code, t)} <span class="text-nowrap">{format.time(since)}</span>
      {text && !own && <Reply text={text} />}
    </>
  );
}

/** How far a run is, in words. During planning the total is not known yet. */
export function SentOf({ status, counts }: { status: RunStatus; counts: Pick<DeliveryCounts, 'total' | 'sent'> }) {
  const { format, t } = useReader();
  const total = format.number(counts.total);
  return <>{status === 'planning' ? t.run.prepared(total) : t.run.done(format.number(counts.sent), total)}</>;
}

/**
 * The progress of a run: sent, failed, unknown and the rest, as parts of one bar. SVG, so that no inline style is
 * needed.
 */
export function Progress({
  status,
  counts,
  label,
}: {
  status: RunStatus;
  counts: Pick<DeliveryCounts, 'total' | 'sent' | 'failed'> & {
    unknown?: number;
    skipped?: number;
    cancelled?: number;
  };
  label: string;
}) {
  const { format, t } = useReader();
  const { total, sent, failed } = counts;
  const unknown = counts.unknown ?? 0;
  const other = (counts.skipped ?? 0) + (counts.cancelled ?? 0);
  const done = total > 0 ? (sent + failed + unknown + other) / total : 0;
  const parts: [string, number][] = [
    ['good', sent],
    ['bad', failed],
    ['warn', unknown],
    ['quiet', other],
  ];
  let x = 0;
  return (
    <div
      class="progress-bar-box"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(done * 100)}
      aria-valuetext={
        status === 'planning'
          ? t.run.prepared(format.number(total))
          : t.run.progress(format.percent(done), format.number(sent), format.number(total))
      }
    >
      <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        {total > 0 &&
          parts.map(([name, n]) => {
            const width = (n / total) * 100;
            const left = x;
            x += width;
            return width > 0 ? (
              <rect key={name} x={left.toFixed(3)} y="0" width={width.toFixed(3)} height="1" class={`part-${name}`} />
            ) : null;
          })}
      </svg>
    </div>
  );
}
