import type { ChartColour, ChartData } from '../domain/chart';
import type { ProviderCounts } from '../domain/mail-providers';
import type { Deliverability } from '../features/statistics/deliverability.service';
import type { OverTime, ReportCounts } from '../features/statistics/reports.service';
import type { Overview } from '../features/statistics/statistics.service';
import type { Timeline } from '../features/statistics/timeline.service';
import type { Reader } from './reader';

/** The charts of the pages, which are also files: what each shows, in the reader's words. */

type Words = Pick<Reader, 't' | 'format'>;

export const REPORT_COUNTS = ['sent', 'failed', 'unknown', 'skipped', 'cancelled'] as const;
export const REPORT_EVENTS = ['bounced', 'complained', 'unsubscribed'] as const;
const EVENT_COLOURS = { bounced: 'failed', complained: 'unknown', unsubscribed: 'skipped' } as const;

/** The counts that a report has something of; what was sent and what failed is always said. */
export const countsIn = (total: ReportCounts) =>
  REPORT_COUNTS.filter((name) => name === 'sent' || name === 'failed' || total[name] > 0);

const periodOf =
  (report: OverTime, { format }: Words) =>
  (start: string) =>
    report.by === 'month' ? format.month(start) : format.shortDay(start);

/** What was sent, failed or left out, by periods. */
export function periodsChart(report: OverTime, words: Words): ChartData {
  const label = periodOf(report, words);
  const counts = countsIn(report.total);
  return {
    title: words.t.reports.overTime,
    x: words.t.reports.period[report.by],
    series: counts.map((colour) => ({ name: words.t.counts[colour], colour })),
    points: report.items.map((item) => ({ label: label(item.start), values: counts.map((name) => item[name]) })),
  };
}

/** What became known afterwards, by the periods in which it did. */
export function eventsChart(report: OverTime, words: Words): ChartData {
  const label = periodOf(report, words);
  return {
    title: words.t.run.after,
    x: words.t.reports.period[report.by],
    series: REPORT_EVENTS.map((kind) => ({ name: words.t.eventCount[kind], colour: EVENT_COLOURS[kind] })),
    points: report.items.map((item) => ({ label: label(item.start), values: REPORT_EVENTS.map((kind) => item[kind]) })),
  };
}

/** How letters were answered, by day. */
export function providerAnswersChart(report: Deliverability, words: Words): ChartData {
  return providersChart(report, words, 'byDay', { sent: 'sent', refused: 'failed', deferred: 'unknown' });
}

/** What became known afterwards, by the day on which it did. */
export function providerReturnsChart(report: Deliverability, words: Words): ChartData {
  return providersChart(report, words, 'afterByDay', {
    bounced: 'failed',
    softBounced: 'skipped',
    complained: 'unknown',
  });
}

function providersChart(
  { items }: Deliverability,
  { t, format }: Words,
  title: 'byDay' | 'afterByDay',
  series: Partial<Record<keyof ProviderCounts, ChartColour>>,
): ChartData {
  const shown = Object.entries(series) as [keyof ProviderCounts, ChartColour][];
  return {
    title: t.deliverability[title],
    x: t.deliverability.day,
    series: shown.map(([name, colour]) => ({ name: t.deliverability.counts[name], colour })),
    points: items.map((item) => ({ label: format.shortDay(item.day), values: shown.map(([name]) => item[name]) })),
  };
}

/** The last 30 days of the home page. */
export function daysChart({ days }: Overview, { t, format }: Words): ChartData {
  return {
    title: t.home.days,
    x: t.home.day,
    series: (['sent', 'failed', 'unknown'] as const).map((colour) => ({ name: t.counts[colour], colour })),
    points: days.map(({ day, sent, failed, unknown }) => ({
      label: format.shortDay(day),
      values: [sent, failed, unknown],
    })),
  };
}

/** A single step is drawn as one bar for each result: then nothing is over time. */
export const attemptsTitle = ({ points }: Pick<Timeline, 'points'>, t: Reader['t']): string =>
  points.length === 1 ? t.attempts.title : t.mailings.timeline;

/** Attempts of a mailing by their result. */
export function attemptsChart({ stepMs, points }: Timeline, { t, format }: Words): ChartData {
  return {
    title: attemptsTitle({ points }, t),
    x: t.field.time,
    series: [
      { name: t.attemptStatus.ok, colour: 'sent' },
      { name: t.attemptStatus.failed, colour: 'failed' },
      { name: t.attemptStatus.unknown, colour: 'unknown' },
    ],
    points: points.map(({ at, ok, failed, unknown }) => ({
      label: stepMs >= 86_400_000 ? format.day(at) : format.time(at),
      values: [ok, failed, unknown],
    })),
  };
}
