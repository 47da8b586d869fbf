import fc from 'fast-check';
import { type ChartData, chartGeometry } from '../../src/domain/chart';

const series = (['sent', 'failed', 'unknown'] as const).map((colour) => ({ name: colour, colour }));
const chartOf = (points: ChartData['points']) => chartGeometry({ series, points });
const days = (n: number, value = (i: number) => [i, 1, 0]) =>
  Array.from({ length: n }, (_, i) => ({ label: `${i + 1} Mar`, values: value(i) }));

/** The value that a height stands for. */
const valueOf = ({ ticks }: ReturnType<typeof chartOf>, height: number) => {
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  return (height / (low.y - high.y)) * (high.value - low.value);
};

test('the parts of a bar stand on each other, from the axis, and are as high as their numbers', () => {
  const geometry = chartOf(days(3, () => [6, 3, 1]));
  for (const { parts } of geometry.bars) {
    expect(parts.map((part) => Math.round(valueOf(geometry, part.height)))).toEqual([6, 3, 1]);
    expect(parts[0]!.y + parts[0]!.height).toBeCloseTo(1);
    expect(parts[1]!.y + parts[1]!.height).toBeCloseTo(parts[0]!.y);
    expect(parts[2]!.y + parts[2]!.height).toBeCloseTo(parts[1]!.y);
  }
});

test('of nothing but zeros nothing is drawn but the axis', () => {
  const { bars, ticks } = chartOf(days(30, () => [0, 0, 0]));
  expect(bars.flatMap(({ parts }) => parts)).toEqual([]);
  expect(ticks.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4]);
  expect(chartOf([]).bars).toEqual([]);
});

test('one point alone is one bar for each series, each at its own place', () => {
  const geometry = chartOf([{ label: '14 Mar', values: [40, 2, 0] }]);
  expect(geometry.bars.map(({ label }) => label)).toEqual(['sent', 'failed', 'unknown']);
  expect(geometry.bars.map(({ parts }) => parts.map(({ height }) => Math.round(valueOf(geometry, height))))).toEqual([
    [40],
    [2],
    [],
  ]);
  expect(new Set(geometry.bars.map(({ x }) => x)).size).toBe(3);
});

test('labels leave each other room, those of a phone are fewer', () => {
  const { labels } = chartOf(days(30));
  expect(labels.length).toBeLessThanOrEqual(15);
  expect(labels.filter(({ narrow }) => narrow).length).toBeLessThanOrEqual(5);
  expect(labels[0]).toMatchObject({ text: '1 Mar', anchor: 'middle', narrow: true });
});

test('very many points are taken together, and nothing is lost', () => {
  const points = days(1_500);
  const { bars, perBar } = chartOf(points);
  expect(perBar).toBe(13);
  expect(bars.length).toBeLessThanOrEqual(120);
  expect(bars[0]).toMatchObject({ label: '1 Mar – 13 Mar', values: [78, 13, 0] });
  const sum = (values: readonly (readonly number[])[]) => values.reduce((all, [first = 0]) => all + first, 0);
  expect(sum(bars.map(({ values }) => values))).toBe(sum(points.map(({ values }) => values)));
});

test('whatever the numbers are, everything stands inside, in order, and the highest bar fits', () => {
  const point = fc.record({ label: fc.string(), values: fc.array(fc.nat(10_000_000), { minLength: 3, maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 400 }), (points) => {
      const { bars, ticks, labels } = chartOf(points);
      const inside = (share: number) => share >= -1e-9 && share <= 1 + 1e-9;
      for (const [i, bar] of bars.entries()) {
        expect(inside(bar.x) && inside(bar.x + bar.width)).toBe(true);
        if (i > 0) expect(bar.x).toBeGreaterThanOrEqual(bars[i - 1]!.x + bars[i - 1]!.width);
        for (const { y, height } of bar.parts) expect(inside(y) && inside(y + height) && height > 0).toBe(true);
      }
      expect(ticks.every(({ value, y }) => Number.isInteger(value) && inside(y))).toBe(true);
      expect(ticks[0]).toEqual({ value: 0, y: 1 });
      expect(labels.every(({ x }) => inside(x))).toBe(true);
    }),
  );
});
