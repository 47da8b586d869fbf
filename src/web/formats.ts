import type { Language } from './texts/texts';

const LOCALES: Record<Language, string> = { en: 'en-GB', ru: 'ru-RU' };

/** Formats numbers and times in the reader's language and time zone. */
export interface Formats {
  number(n: number): string;
  /** `12K`, `1.5M`: for axes. */
  compact(n: number): string;
  /** A number that people entered: in full, and a year without a gap. */
  amount(n: number): string;
  /** A share from 0 to 1 as a percentage, with one decimal below 10 %. */
  percent(share: number): string;
  /** The same with up to two decimals below 1 %: of complaints a tenth of a percent matters. */
  rate(share: number): string;
  /** Day and time in the reader's zone. */
  time(at: Date | string): string;
  /** The same with seconds. */
  exact(at: Date | string): string;
  /** The same with the day of the week, for what is to come. */
  due(at: Date | string): string;
  day(at: Date | string): string;
  /** `14 Mar` from `2027-03-14`. */
  shortDay(day: string): string;
  longDay(day: string): string;
  /** `14 Mar 2027`, the day that the text names in whatever time zone. */
  plainDay(day: string): string;
  month(day: string): string;
  /** How long ago, roughly: `3 min`, `2 h`. */
  ago(at: Date | string, now: Date): string;
  duration(ms: number): string;
  /** How long something will take: whole seconds, minutes, hours or days. */
  roughly(ms: number): string;
}

const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
] as const;

const cache = new Map<string, (at: Date) => string>();

function dates(locale: string, timeZone: string, style: string, options: Intl.DateTimeFormatOptions) {
  const key = `${locale}|${timeZone}|${style}`;
  let format = cache.get(key);
  if (!format) {
    if (cache.size > 2_000) cache.clear();
    const full = new Intl.DateTimeFormat(locale, { ...options, timeZone });
    // Russian puts "г." after the year, whose dot would double that of a sentence.
    format = (at) => full.format(at).replace(/\sг\.$|\sг\.(?=,)/, '');
    cache.set(key, format);
  }
  return format;
}

const DAY = { day: 'numeric', month: 'short', year: 'numeric' } as const;
const TIME = { ...DAY, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const numbers = new Map<
  string,
  Record<'whole' | 'compact' | 'amount' | 'fine' | 'finest' | 'percent', Intl.NumberFormat>
>();

export function formatsOf(language: Language, zone: string): Formats {
  const locale = LOCALES[language];
  let n = numbers.get(locale);
  if (!n) {
    n = {
      whole: new Intl.NumberFormat(locale),
      compact: new Intl.NumberFormat(locale, { notation: 'compact' }),
      amount: new Intl.NumberFormat(locale, { useGrouping: 'min2', maximumFractionDigits: 20 }),
      fine: new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }),
      finest: new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 }),
      percent: new Intl.NumberFormat(locale, { style: 'percent' }),
    };
    numbers.set(locale, n);
  }
  const { whole, compact, amount, fine, finest, percent } = n;
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: 1 }).format(
      value,
    );
  const plain = (day: string) => new Date(`${day}T00:00:00Z`);
  return {
    number: (value) => whole.format(value),
    compact: (value) => compact.format(value),
    amount: (value) => amount.format(value),
    rate: (share) => (share < 0.01 ? finest : fine).format(share),
    percent: (share) => (share > 0 && share < 0.1 ? fine : share > 0.99 && share < 1 ? fine : percent).format(share),
    time: (at) => dates(locale, zone, 'time', TIME)(new Date(at)),
    exact: (at) => dates(locale, zone, 'exact', { ...TIME, second: '2-digit' })(new Date(at)),
    due: (at) => dates(locale, zone, 'due', { ...TIME, weekday: 'short' })(new Date(at)),
    day: (at) => dates(locale, zone, 'day', DAY)(new Date(at)),
    shortDay: (day) => dates(locale, 'UTC', 'short', { day: 'numeric', month: 'short' })(plain(day)),
    longDay: (day) => dates(locale, 'UTC', 'long', { ...DAY, weekday: 'short' })(plain(day)),
    plainDay: (day) => dates(locale, 'UTC', 'day', DAY)(plain(day)),
    month: (day) => dates(locale, 'UTC', 'month', { month: 'long', year: 'numeric' })(plain(day)),
    ago: (at, now) => {
      const seconds = (new Date(at).getTime() - now.getTime()) / 1000;
      const size = Math.abs(seconds);
      if (size < 90) return relative.format(Math.round(seconds), 'second');
      if (size < 5_400) return relative.format(Math.round(seconds / 60), 'minute');
      if (size < 129_600) return relative.format(Math.round(seconds / 3600), 'hour');
      return relative.format(Math.round(seconds / 86_400), 'day');
    },
    duration: (ms) =>
      ms < 1_000
        ? unit(Math.round(ms), 'millisecond')
        : ms < 90_000
          ? unit(ms / 1000, 'second')
          : unit(ms / 60_000, 'minute'),
    roughly: (ms) => {
      const [size, name] = UNITS.find(([size]) => ms >= 2 * size) ?? [1_000, 'second'];
      return unit(Math.max(1, Math.round(ms / size)), name);
    },
  };
}
