import type { RunView } from '../../features/runs/runs.service';
import { countedEvents, Progress, RunChip, SentOf } from '../components/states';
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

export const isGoing = (run: RunView): boolean => run.status === 'planning' || run.status === 'sending';

/** Whether the rest of the page is outdated, too; `before` as for `paceOf`. */
export const isOutdated = (run: RunView, before: Record<string, string>): boolean =>
  !isGoing(run) || before.run !== String(run.id) || before.stage !== run.status;

interface Props {
  run: RunView;
  pace: Pace;
  /** The path that returns only this part; `keep` is sent with every refresh. */
  from: string;
  keep: Record<string, string>;
}

/** A run's progress, refreshed every second and a half until it is over. */
export function RunLive({ run, pace, from, keep }: Props) {
  const { t, format } = useReader();
  const { counts } = run;
  const { rate } = pace;
  const going = isGoing(run);
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
      <div class="line">
        <h2 id="live-title">{going ? t.run.going : t.run.outcome}</h2>
        <RunChip status={run.status} />
      </div>
      <Progress status={run.status} counts={counts} label={t.run.progressOf('')} />
      <p class="line">
        <span>
          <SentOf status={run.status} counts={counts} />
        </span>
        {going && rate !== null && rate > 0 && (
          <span class="hint">
            {t.run.rate(format.number(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate)))} ·{' '}
            {t.run.left(format.roughly(((counts.pending + counts.sending + counts.deferred) / rate) * 1000))}
          </span>
        )}
      </p>
      <p class="hint">
        {t.runTrigger[run.trigger]}
        {run.startedAt && <> · {t.run.began(format.time(run.startedAt))}</>}
        {run.finishedAt && <> · {t.run.ended(format.time(run.finishedAt))}</>}
      </p>
      <Counts run={run} />
      <SkippedBy run={run} />
      <After run={run} />
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
