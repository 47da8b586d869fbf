import { scaleBand, scaleLinear } from 'd3-scale';

/** Numbers over periods: one value of each series for each point. */
export interface ChartData {
  title: string;
  /** What the points are: days, months. */
  x: string;
  series: readonly ChartSeries[];
  points: readonly ChartPoint[];
}

export type ChartColour = 'sent' | 'failed' | 'unknown' | 'skipped' | 'cancelled';

export interface ChartSeries {
  name: string;
  colour: ChartColour;
}

export interface ChartPoint {
  label: string;
  values: readonly number[];
}

/** One stacked bar; places and sizes are shares of the drawing's width and height, from its upper left corner. */
export interface ChartBar {
  x: number;
  width: number;
  label: string;
  values: readonly number[];
  /** From the axis upwards, without what is zero; `series` is its number. */
  parts: { series: number; y: number; height: number }[];
}

export interface ChartLabel {
  x: number;
  text: string;
  /** Which part of the text is at `x`. */
  anchor: 'middle' | 'end';
  /** Shown also where there is little room. */
  narrow: boolean;
}

export interface ChartGeometry {
  bars: ChartBar[];
  /** Values of the axis, from 0 upwards, in whole numbers. */
  ticks: { value: number; y: number }[];
  labels: ChartLabel[];
  /** How many points a bar stands for; 1 unless there are very many. */
  perBar: number;
}

const MAX_BARS = 120;
/** The widest bar, as a share: a few periods do not become blocks. */
const MAX_WIDTH = 0.06;
/** So many letters stand side by side under a chart in a page, and on a phone. */
const ROOM = { wide: 110, narrow: 34 };

/**
 * Where the bars, the lines and the words of a chart stand. Of more than 120 points neighbours are taken together. A
 * single point would be a lone bar that says nothing: it becomes one bar for each series, which can be compared.
 */
export function chartGeometry({ series, points: all }: Pick<ChartData, 'series' | 'points'>): ChartGeometry {
  const perBar = Math.max(1, Math.ceil(all.length / MAX_BARS));
  const points = all.length === 1 ? bySeries(series, all[0]!) : together(all, perBar);
  const top = Math.max(4, ...points.map(({ values }) => values.reduce((sum, value) => sum + value, 0)));
  const y = scaleLinear().domain([0, top]).range([1, 0]).nice(4);
  const band = scaleBand<number>()
    .domain(points.map((_, i) => i))
    .paddingInner(0.28)
    .paddingOuter(0.2);
  const width = Math.min(MAX_WIDTH, band.bandwidth());
  const middle = (i: number) => (band(i) ?? 0) + band.bandwidth() / 2;
  const bars = points.map(({ label, values }, i) => ({
    x: middle(i) - width / 2,
    width,
    label,
    values,
    parts: stacked(values).flatMap(([from, to], s) =>
      to > from ? [{ series: s, y: y(to), height: y(from) - y(to) }] : [],
    ),
  }));
  const ticks = y
    .ticks(4)
    .filter(Number.isInteger)
    .map((value) => ({ value, y: y(value) }));
  return { bars, ticks, labels: labelsOf(points, middle), perBar };
}

/** Each value from where the one before ends. */
function stacked(values: readonly number[]): [from: number, to: number][] {
  let top = 0;
  return values.map((value) => [top, (top += value)]);
}

/** The same point once for each series, with only that value. */
const bySeries = (series: readonly ChartSeries[], { values }: ChartPoint): ChartPoint[] =>
  series.map(({ name }, s) => ({ label: name, values: values.map((value, i) => (i === s ? value : 0)) }));

function together(points: readonly ChartPoint[], size: number): readonly ChartPoint[] {
  if (size === 1) return points;
  const groups: ChartPoint[] = [];
  for (let i = 0; i < points.length; i += size) {
    const group = points.slice(i, i + size);
    const [first, last] = [group[0]!, group.at(-1)!];
    groups.push({
      label: group.length > 1 ? `${first.label} – ${last.label}` : first.label,
      values: first.values.map((_, s) => group.reduce((sum, { values }) => sum + (values[s] ?? 0), 0)),
    });
  }
  return groups;
}

/** Some labels, at even distances, so that they do not touch; those of a phone are some of the same. */
function labelsOf(points: readonly ChartPoint[], middle: (i: number) => number): ChartLabel[] {
  const longest = Math.max(1, ...points.map(({ label }) => label.length)) + 2;
  const every = (room: number) => Math.ceil(points.length / Math.max(1, Math.floor(room / longest)));
  const wide = every(ROOM.wide);
  const narrow = Math.ceil(every(ROOM.narrow) / wide) * wide;
  return points.flatMap(({ label: text }, i) => {
    if (i % wide !== 0) return [];
    const x = middle(i);
    // The axis leaves room at the left, the margin some at the right.
    const over = x + (text.length / 2 - 4) / ROOM.narrow > 1;
    const anchor = over ? 'end' : 'middle';
    return [{ x, text, anchor, narrow: i % narrow === 0 }];
  });
}
