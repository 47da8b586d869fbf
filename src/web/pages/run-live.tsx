import { isLive } from '../../domain/outcome';
import type { Outcome } from '../../features/runs/outcomes.service';
import type { RunView } from '../../features/runs/runs.service';
import { countedEvents, OutcomeLine, Progress } from '../components/states';
import { reasonText } from '../codes';
import { useReader } from '../reader';

/** The speed of a run; `done` and `atMs` are for the next refresh. */
export interface Pace {
  /** Letters a second since the last refresh, or since the run began. */
  rate: number | null;
  done: number;
  atMs: number;
}

/** `before` is the query of a live part, with the values of the last refresh. */
export function paceOf(run: RunView, before: Record<string, string> = {}): Pace {
  const { sent, failed, unknown } = run.counts;
  const done = sent + failed + unknown;
  const atMs = Date.now();
  const known = before.run === String(run.id) && Number(before.at) > 0 && Number(before.done) >= 0;
  const sinceMs = atMs - (known ? Number(before.at) : (run.startedAt?.getTime() ?? NaN));
  const rate = sinceMs > 200 ? Math.max(0, ((done - (known ? Number(before.done) : 0)) / sinceMs) * 1000) : null;
  return { rate, done, atMs };
}

/** The time that identifies a run for people: when it was due, or, for a run on demand, when it was requested. */
export const timeOf = (run: RunView): Date =>
  run.trigger === 'schedule' && run.occurrenceAt ? run.occurrenceAt : run.createdAt;

export const isGoing = (run: RunView): boolean => isLive(run.status);

/** Whether the rest of the page is outdated, too; `before` as for `paceOf`. */
export const isOutdated = (run: RunView, before: Record<string, string>): boolean =>
  !isGoing(run) || before.run !== String(run.id) || before.stage !== run.status;

interface Props {
  run: RunView;
  pace: Pace;
  /** What became of the people, if the run is one of several to them. */
  outcome?: Outcome | undefined;
  /** The path that returns only this part; `keep` is sent with every refresh. */
  from: string;
  keep: Record<string, string>;
}

/** A sending's outcome in one sentence, its bar and its numbers, refreshed every second and a half until it is over. */
export function RunLive({ run, pace, outcome, from, keep }: Props) {
  const { t, format } = useReader();
  const { rate } = pace;
  const going = isGoing(run);
  const people = outcome?.repeated ? outcome : undefined;
  const shown = people ?? { status: run.status, paused: run.pausedAt !== null, counts: run.counts };
  // Those who will be tried again wait for a time, and not for others: how long is not known from the speed.
  const open = run.counts.pending + run.counts.sending;
  const goes = going && !shown.paused && open > 0 && rate !== null && rate > 0 ? rate : null;
  const seen = { run: `${run.id}`, stage: run.status, done: `${pace.done}`, at: `${pace.atMs}` };
  const next = new URLSearchParams({ ...keep, ...seen });
  return (
    <section
      id="run-live"
      class="card-box"
      aria-labelledby="live-title"
      {...(going
        ? {
            'data-live': true,
            'hx-get': `${from}?${next.toString()}`,
            'hx-trigger': 'every 1500ms, wake',
            'hx-swap': 'outerHTML',
          }
        : {})}
    >
      <h2 id="live-title" class="outcome-line">
        <OutcomeLine of={shown} left={goes === null ? null : format.roughly((open / goes) * 1000)} />
      </h2>
      <Progress of={shown} label={t.run.progressOf('')} />
      <p class="hint">
        {t.runTrigger[run.trigger]}
        {run.startedAt && <> · {t.run.began(format.time(run.startedAt))}</>}
        {run.finishedAt && <> · {t.run.ended(format.time(run.finishedAt))}</>}
        {goes && <> · {t.run.rate(format.number(goes < 10 ? Math.round(goes * 10) / 10 : Math.round(goes)))}</>}
        {people && <> · {t.line.repeated}</>}
      </p>
      {!people && (
        <>
          <Counts run={run} />
          <SkippedBy run={run} />
          <After run={run} />
        </>
      )}
    </section>
  );
}

/** The number of deliveries in each state, with links to them. */
function Counts({ run }: { run: RunView }) {
  const { t, format, query } = useReader();
  const { total, ...states } = run.counts;
  const chosen = query.get('status');
  return (
    <ul class="counts">
      <li>
        <a href={`/runs/${run.id}`}>
          {t.list.all} <b>{format.number(total)}</b>
        </a>
      </li>
      {(Object.entries(states) as [keyof typeof states, number][])
        .filter(([, n]) => n !== 0)
        .map(([status, n]) => (
          <li key={status}>
            <a
              href={`/runs/${run.id}?status=${status}`}
              class={`count-${status}`}
              aria-current={chosen === status ? 'true' : undefined}
            >
              {t.deliveryStatus[status]} <b>{format.number(n)}</b>
            </a>
          </li>
        ))}
    </ul>
  );
}

/** Why how many were skipped, those of the most frequent reason first. */
function SkippedBy({ run: { skippedBy = {} } }: { run: RunView }) {
  const { t, format } = useReader();
  const reasons = Object.entries(skippedBy).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  const words = reasons.map(([reason, n]) => `${reasonText(reason, t)} (${format.number(n)})`);
  return <p class="hint">{t.run.skippedBy(words.join(', '))}</p>;
}

/** What became known after letters were sent: beside the states, which stay as they are. */
function After({ run }: { run: RunView }) {
  const { t, format, query } = useReader();
  const known = countedEvents(run.after);
  const chosen = query.get('event');
  if (known.length === 0) return null;
  return (
    <div class="counts-after">
      <span class="hint" id="after-title">
        {t.run.after}
      </span>
      <ul class="counts" aria-labelledby="after-title">
        {known.map(([kind, n]) => (
          <li key={kind}>
            <a
              href={`/runs/${run.id}?event=${kind}`}
              class={`count-${kind}`}
              aria-current={chosen === kind ? 'true' : undefined}
            >
              {t.eventCount[kind]} <b>{format.number(n)}</b>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
