import { StreamableFile } from '@nestjs/common';
import { renderToString } from 'preact-render-to-string';
import { type ChartColour, type ChartData, chartGeometry } from '../domain/chart';
import { totalOf } from './components/chart';
import type { Reader } from './reader';

/** The drawing's size in pixels; a PNG has twice as many in both directions. */
const WIDTH = 960;
const HEIGHT = 460;
const PLOT = { left: 76, right: 24, top: 118, bottom: 44 };
const FONT = 'Inter';
/** A renderer that knows no fonts of the system: the same picture on every machine. */
const FONT_FILES = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map((file) =>
  require.resolve(`@expo-google-fonts/inter/${file}`),
);

/** The light colours of the pages (`browser/charts.css`): a file stands on its own, also on paper. */
const FILLS: Record<ChartColour, string> = {
  sent: '#1d9163',
  failed: '#c23a46',
  unknown: '#d99a1b',
  skipped: '#a6adb0',
  cancelled: '#5d6b73',
};
const INK = '#1b2124';
const MUTED = '#596166';

/** What XML can't contain, and what the font has no glyphs for. */
const drawable = (text: string) =>
  text.replace(/[^\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}\p{P}\p{Sc}\p{Sm}\p{Zs}]/gu, '');

/**
 * A chart as a picture of its own, with its title, time and legend.
 * @param subtitle what it is about: its time, a mailing's name
 */
export async function chartFile(
  data: ChartData,
  subtitle: string,
  ending: 'svg' | 'png',
  reader: Reader,
): Promise<StreamableFile> {
  const svg = renderToString(<Picture data={data} subtitle={subtitle} reader={reader} />);
  const disposition = `attachment; filename="chart.${ending}"`;
  if (ending === 'svg') return new StreamableFile(Buffer.from(svg), { type: 'image/svg+xml', disposition });
  const font = { loadSystemFonts: false, fontFiles: FONT_FILES, defaultFontFamily: FONT };
  // Few charts are kept as pictures; the library is loaded with the first one.
  const { renderAsync } = await import('@resvg/resvg-js');
  const image = await renderAsync(svg, { font, fitTo: { mode: 'zoom', value: 2 } });
  return new StreamableFile(image.asPng(), { type: 'image/png', disposition });
}

interface PictureProps {
  data: ChartData;
  subtitle: string;
  reader: Reader;
}

/** With presentation attributes only: no style sheet goes with a file. */
function Picture({ data, subtitle, reader: { format } }: PictureProps) {
  const { bars, ticks, labels } = chartGeometry(data);
  const px = (share: number) => PLOT.left + share * (WIDTH - PLOT.left - PLOT.right);
  const wide = (share: number) => share * (WIDTH - PLOT.left - PLOT.right);
  const high = (share: number) => share * (HEIGHT - PLOT.top - PLOT.bottom);
  const py = (share: number) => PLOT.top + high(share);
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      font-family={`${FONT}, system-ui, sans-serif`}
      font-size="13"
      fill={MUTED}
    >
      <title>{`${data.title}, ${drawable(subtitle)}`}</title>
      <rect width={WIDTH} height={HEIGHT} fill="#ffffff" />
      <text x="24" y="40" font-size="20" font-weight="600" fill={INK}>
        {data.title}
      </text>
      <text x="24" y="64">
        {drawable(subtitle)}
      </text>
      <Legend data={data} format={format} />
      {ticks.map(({ value, y }) => (
        <g key={value}>
          <path d={`M${PLOT.left} ${py(y)}H${WIDTH - PLOT.right}`} stroke={value === 0 ? '#83898a' : '#e0e1db'} />
          <text x={PLOT.left - 8} y={py(y)} dy="0.32em" text-anchor="end">
            {format.compact(value)}
          </text>
        </g>
      ))}
      {bars.flatMap(({ x, width, parts }, i) =>
        parts.map(({ series, y, height }) => (
          <rect
            key={`${i}-${series}`}
            x={px(x)}
            width={wide(width)}
            y={py(y)}
            height={high(height)}
            fill={FILLS[data.series[series]!.colour]}
            stroke="#ffffff"
            stroke-width="0.5"
          />
        )),
      )}
      {labels.map(({ x, text, anchor }) => (
        <text key={x} x={px(x)} y={HEIGHT - PLOT.bottom + 22} text-anchor={anchor}>
          {text}
        </text>
      ))}
    </svg>
  );
}

/** The width of a letter, on average, at this size. */
const LETTER = 7.4;

function Legend({ data, format }: { data: ChartData } & Pick<Reader, 'format'>) {
  const texts = data.series.map(({ name }, s) => `${name} ${format.number(totalOf(data, s))}`);
  const column = Math.max(...texts.map(({ length }) => length)) * LETTER + 36;
  return (
    <>
      {data.series.map(({ name, colour }, s) => (
        <g key={name}>
          <rect x={24 + s * column} y="84" width="12" height="12" rx="2" fill={FILLS[colour]} />
          <text x={42 + s * column} y="95" fill={INK}>
            {texts[s]}
          </text>
        </g>
      ))}
    </>
  );
}
