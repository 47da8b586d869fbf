/**
 * Draws the page's charts from the table beside each: the numbers are in the page for everybody, the picture is a help.
 * Bars are stacked; the table's first column names them.
 */
import uPlot from 'uplot';

interface Shape {
  labels: string[];
  colours: string[];
  data: number[][];
  ticks: string[];
}

function read(table: HTMLTableElement): Shape {
  const heads = [...table.querySelectorAll('thead th')].slice(1);
  const rows = [...table.querySelectorAll<HTMLTableRowElement>('tbody tr')];
  const data: number[][] = [rows.map((_, i) => i), ...heads.map(() => [] as number[])];
  for (const row of rows) {
    [...row.querySelectorAll<HTMLElement>('td')].forEach((cell, i) =>
      data[i + 1]?.push(Number(cell.dataset.value ?? 0)),
    );
  }
  return {
    labels: heads.map((head) => head.textContent ?? ''),
    colours: heads.map((head) => head.getAttribute('data-colour') ?? 'sent'),
    data,
    ticks: rows.map((row) => row.querySelector('th')?.textContent ?? ''),
  };
}

const css = (name: string) => {
  const probe = document.createElement('span');
  probe.className = `chart-colour chart-${name}`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};

const sum = (values: number[] = []) => values.reduce((all, n) => all + n, 0);

function draw(box: HTMLElement): uPlot | null {
  const table = box.parentElement?.querySelector('table');
  if (!table) return null;
  const { labels, colours, data, ticks } = read(table);
  if (ticks.length === 0) return null;
  const stacked = data.map((column) => [...column]);
  for (let s = stacked.length - 2; s >= 1; s--)
    stacked[s] = (stacked[s] ?? []).map((value, i) => value + (stacked[s + 1]?.[i] ?? 0));
  const text = css('text');
  const grid = css('grid');
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const longest = Math.max(...ticks.map(({ length }) => length));
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: `${rem * 0.75}px system-ui`,
  };
  const bars = uPlot.paths.bars?.({ size: [0.7, 48], radius: 0.15 });
  const number = new Intl.NumberFormat(document.documentElement.lang, { notation: 'compact' });
  const full = new Intl.NumberFormat(document.documentElement.lang);
  return new uPlot(
    {
      width: box.clientWidth,
      height: box.clientHeight,
      cursor: { points: { show: false }, drag: { x: false, y: false } },
      legend: { show: true, live: true },
      scales: {
        x: { time: false, range: [-0.6, ticks.length - 0.4] },
        y: { range: (_, __, max) => [0, Math.max(4, max * 1.1)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          values: (_, splits) => splits.map((i) => ticks[i] ?? ''),
          space: longest * rem * 0.45,
          incrs: [1, 2, 5, 7, 10, 14, 20, 30, 50, 100],
        },
        {
          ...axis,
          size: rem * 4.25,
          values: (_, splits) => splits.map((v) => number.format(v)),
          incrs: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7,
            5e7, 1e8,
          ],
        },
      ],
      series: [
        // Whose numbers the legend shows: those of the bar pointed at, else of all.
        { label: '', value: (_, i) => (i === null ? '' : (ticks[i] ?? '')) },
        ...labels.map((label, s) => ({
          label,
          fill: css(colours[s] ?? 'sent'),
          stroke: css(colours[s] ?? 'sent'),
          width: 0,
          paths: bars,
          points: { show: false },
          value: (_: uPlot, __: number, ___: number, i: number | null) =>
            full.format(i === null ? sum(data[s + 1]) : (data[s + 1]?.[i] ?? 0)),
        })),
      ],
    },
    stacked as uPlot.AlignedData,
    box,
  );
}

const charts = new Map<HTMLElement, uPlot>();
const watched = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = charts.get(target as HTMLElement);
    if (chart && chart.width !== target.clientWidth) chart.setSize({ width: target.clientWidth, height: chart.height });
  }
});

function drawAll(): void {
  for (const [box, chart] of charts) {
    chart.destroy();
    watched.unobserve(box);
  }
  charts.clear();
  for (const box of document.querySelectorAll<HTMLElement>('[data-chart]')) {
    const chart = draw(box);
    if (!chart) continue;
    charts.set(box, chart);
    watched.observe(box);
  }
}
drawAll();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
document.addEventListener('htmx:after:swap', drawAll);
