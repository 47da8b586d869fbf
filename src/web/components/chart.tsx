import { useReader } from '../reader';

export interface ChartProps {
  title: string;
  x: string;
  series: { name: string; colour: 'sent' | 'failed' | 'unknown' | 'skipped' }[];
  points: { label: string; values: number[] }[];
  tall?: boolean;
}

/** A chart, drawn in the browser from the table under it, which can be opened. */
export function Chart({ title, x, series, points, tall }: ChartProps) {
  const { t, format } = useReader();
  return (
    <figure class="chart">
      <div data-chart="bars" class={`chart-box ${tall ? 'chart-15' : ''}`} aria-hidden="true"></div>
      <details>
        <summary>{t.chart.asTable}</summary>
        <div class="chart-table" tabindex={0} role="region" aria-label={title}>
          <table class="table table-sm">
            <caption class="visually-hidden">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{x}</th>
                {series.map(({ name, colour }) => (
                  <th scope="col" class="num" key={name} data-colour={colour}>
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
                    <td class="num" key={i} data-value={value}>
                      {format.number(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
