import { type AttemptFate, attemptFate, type TriedAttempt } from '../../domain/attempt-fate';
import type { CountedEvent, DeliveryEvent, EventCounts } from '../../domain/suppression';
import { type MailingStage, stageOf } from '../../domain/mailing-stage';
import { isCutOff, isLive, outcomeKind, waiting } from '../../domain/outcome';
import type { DeliveryCounts, DeliveryStatus, RunStatus } from '../../domain/states';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { Outcome } from '../../features/runs/outcomes.service';
import type { RunView } from '../../features/runs/runs.service';
import { statusText } from '../codes';
import { type Reader, useReader } from '../reader';
import { Reply } from './list';

type Tone = 'quiet' | 'going' | 'good' | 'bad' | 'warn';

export function Chip({ tone, children }: { tone: Tone; children: string }) {
  return <span class={`chip chip-${tone}`}>{children}</span>;
}

const STAGE: Record<MailingStage, Tone> = {
  draft: 'quiet',
  scheduled: 'going',
  sending: 'going',
  onHold: 'warn',
  sent: 'good',
  stopped: 'quiet',
};
/** Where a mailing stands. It is green only if it was sent, nothing was cut off and somebody has it. */
export function MailingChip({ mailing, outcome }: { mailing: MailingView; outcome: Outcome | undefined }) {
  const stage = stageOf({ ...mailing, run: outcome ?? null });
  const tone = stage === 'sent' && outcome?.counts.sent === 0 ? 'quiet' : STAGE[stage];
  return <Chip tone={tone}>{useReader().t.line.stage[stage]}</Chip>;
}

const RUN: Record<RunStatus, Tone> = {
  planning: 'going',
  sending: 'going',
  done: 'good',
  cancelled: 'quiet',
  missed: 'warn',
};
/** Where a run stands; what was stopped is not green. */
export function RunChip({ run: { status, pausedAt, counts } }: { run: RunView }) {
  const { t } = useReader();
  if (isLive(status) && pausedAt) return <Chip tone="warn">{t.line.stage.onHold}</Chip>;
  const shown = isCutOff(status, counts) ? 'cancelled' : status;
  return <Chip tone={RUN[shown]}>{t.runStatus[shown]}</Chip>;
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
  ended: 'warn',
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

type Counts = Pick<DeliveryCounts, 'total' | 'sent'> & Partial<DeliveryCounts>;

/** A sending as people see it. */
export interface Sending {
  status: RunStatus;
  paused: boolean;
  counts: Counts;
}

/**
 * How far a sending is, or what became of its people, in one sentence: `Going out: 291 of 1,196, about 9 s left`,
 * `Sent to 39 of 40; 1 failed`. `left` is how long the rest will take, if that is known.
 */
export function outcomeWords(
  { status, paused, counts }: Sending,
  { t: { line }, format }: Pick<Reader, 't' | 'format'>,
  left: string | null = null,
): string {
  const { total, sent } = counts;
  const n = (of: number) => format.number(of);
  switch (outcomeKind(status, paused)) {
    case 'preparing':
      return line.preparing(n(total));
    case 'going':
      return line.going(n(sent), n(total), left);
    case 'onHold':
      return line.onHold(n(sent), n(waiting({ pending: 0, sending: 0, deferred: 0, ...counts })));
    case 'over': {
      if (total === 0) return line.nobody;
      const head =
        sent === total
          ? line.all(total, n(total))
          : sent > 0
            ? line.some(n(sent), n(total))
            : line.none(total, n(total));
      const rest = (['failed', 'unknown', 'skipped', 'cancelled'] as const).filter((name) => counts[name]);
      return [head, ...rest.map((name) => line.rest[name](n(counts[name] ?? 0)))].join('; ');
    }
  }
}

/** The same as a text of a page. */
export function OutcomeLine({ of, left = null }: { of: Sending; left?: string | null }) {
  return <>{outcomeWords(of, useReader(), left)}</>;
}

/**
 * The progress of a sending: sent, failed, unknown and skipped, as parts of one bar; those who were not sent to, because
 * it was stopped, stay empty. SVG, so that no inline style is needed.
 */
export function Progress({ of, label }: { of: Sending; label: string }) {
  const reader = useReader();
  const { total, sent, failed = 0, unknown = 0, skipped = 0 } = of.counts;
  const done = total > 0 ? (sent + failed + unknown + skipped) / total : 0;
  const words = outcomeWords(of, reader);
  const isShare = ['going', 'onHold'].includes(outcomeKind(of.status, of.paused));
  const parts: [string, number][] = [
    ['good', sent],
    ['bad', failed],
    ['warn', unknown],
    ['quiet', skipped],
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
      aria-valuetext={isShare ? `${words}; ${reader.t.line.through(reader.format.percent(done))}` : words}
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
