import { type ChartBar, type ChartData, chartGeometry } from '../../domain/chart';
import { useReader } from '../reader';

export interface ChartProps extends ChartData {
  /** Unique on its page. */
  id: string;
  tall?: boolean;
  /** The address of the chart as a file, without the file's ending. */
  file?: { path: string; query: string };
}

const percent = (share: number) => `${Math.round(share * 1e5) / 1e3}%`;

/** The sum of one series over all points. */
export const totalOf = ({ points }: Pick<ChartData, 'points'>, series: number): number =>
  points.reduce((sum, { values }) => sum + (values[series] ?? 0), 0);

/**
 * Stacked bars with their legend, and the same numbers as a table. The drawing has no viewBox: shares are percentages,
 * so that it is as wide as its place while its words keep their size. The axis stands in the margin that the style
 * sheet leaves at the left.
 */
export function Chart({ id, tall, file, ...data }: ChartProps) {
  const { t, format } = useReader();
  const { title, series, points } = data;
  const { bars, ticks, labels, perBar } = chartGeometry(data);
  return (
    <figure class="chart">
      <ul class="chart-legend">
        {series.map(({ name, colour }, s) => (
          <li key={name}>
            <svg class="chart-mark" aria-hidden="true">
              <rect class={`chart-${colour}`} width="100%" height="100%" rx="2" />
            </svg>
            {name} <b>{format.number(totalOf(data, s))}</b>
          </li>
        ))}
      </ul>
      <svg
        class={`chart-drawing${tall ? ' chart-tall' : ''}`}
        role="img"
        aria-labelledby={`${id}-name`}
        aria-describedby={`${id}-says`}
      >
        <title id={`${id}-name`}>{title}</title>
        <desc id={`${id}-says`}>
          {t.chart.says(
            points.length,
            points[0]?.label ?? '',
            points.at(-1)?.label ?? '',
            series.map(({ name }, s) => `${name} ${format.number(totalOf(data, s))}`).join(', '),
          )}
        </desc>
        {ticks.map(({ value, y }) => (
          <g key={value}>
            <line class={value === 0 ? 'chart-axis' : 'chart-grid'} x1="0" x2="100%" y1={percent(y)} y2={percent(y)} />
            <text class="chart-tick" x="-8" y={percent(y)} dy="0.32em">
              {format.compact(value)}
            </text>
          </g>
        ))}
        {bars.map((bar, i) => (
          <Bar key={i} bar={bar} series={series} />
        ))}
        {labels.map(({ x, text, anchor, narrow }) => (
          <text
            class={`chart-label${narrow ? '' : ' chart-wide'}`}
            key={x}
            x={percent(x)}
            y="100%"
            dy="1.5em"
            text-anchor={anchor}
          >
            {text}
          </text>
        ))}
      </svg>
      {perBar > 1 && <p class="hint">{t.chart.perBar(perBar)}</p>}
      <div class="chart-more">
        {file && (
          <p class="chart-files">
            {t.chart.save}{' '}
            {(['svg', 'png'] as const).map((ending) => (
              <a key={ending} href={`${file.path}.${ending}${file.query}`} download>
                {ending.toUpperCase()}
              </a>
            ))}
          </p>
        )}
        <ChartTable {...data} />
      </div>
    </figure>
  );
}

/** Pointing anywhere over or under a bar tells its numbers. */
function Bar({ bar: { x, width, label, values, parts }, series }: { bar: ChartBar } & Pick<ChartData, 'series'>) {
  const { format } = useReader();
  const said = series.flatMap(({ name }, s) => (values[s] ? [`${name} ${format.number(values[s])}`] : []));
  return (
    <g class="chart-bar">
      <title>{[label, ...said].join('\n')}</title>
      <rect class="chart-hit" x={percent(x)} width={percent(width)} y="0" height="100%" />
      {parts.map(({ series: s, y, height }) => (
        <rect
          class={`chart-${series[s]!.colour}`}
          key={s}
          x={percent(x)}
          width={percent(width)}
          y={percent(y)}
          height={percent(height)}
        />
      ))}
    </g>
  );
}

function ChartTable({ title, x, series, points }: ChartData) {
  const { t, format } = useReader();
  return (
    <details>
      <summary>{t.chart.asTable}</summary>
      <div class="chart-table" tabindex={0} role="region" aria-label={title}>
        <table class="table table-sm">
          <caption class="visually-hidden">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{x}</th>
              {series.map(({ name }) => (
                <th scope="col" class="num" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map(({ label, values }) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {values.map((value, i) => (
                  <td class="num" key={i}>
                    {format.number(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
