import type { ReportPart, ReportPeriod, ReportStep } from '../../features/statistics/reports.service';
import { countEn, countRu } from './plural';
import type { Widened } from './widened';

/** What the page of reports says beside its numbers. */

export const reportsEn = {
  title: 'Reports',
  by: 'By',
  steps: { day: 'Day', week: 'Week', month: 'Month' } satisfies Record<ReportStep, string>,
  period: { day: 'Day', week: 'Week', month: 'Month' } satisfies Record<ReportStep, string>,
  overTime: 'Over time',
  ofSent: (share: string) => `${share} of sent`,
  byMailing: 'By mailing',
  share: 'Success',
  reasons: 'Why letters failed',
  domains: 'Where they failed',
  noFailures: 'Nothing failed.',
  empty: 'Nothing was sent in this time.',
  presets: 'Time',
  preset: {
    this_month: 'This month',
    last_month: 'Last month',
    this_year: 'This year',
  } satisfies Record<ReportPeriod, string>,
  lastDays: 'Last 30 days',
  range: (from: string, to: string) => (from === to ? from : `${from} – ${to}`),
  csv: {
    periods: 'Periods',
    mailings: 'Mailings',
    reasons: 'Reasons',
    domains: 'Domains',
  } satisfies Record<ReportPart, string>,
  print: 'Print',
  mailing: 'Mailing: name or subject',
  allMailings: 'All mailings',
  which: (n: number) =>
    `${countEn(n, 'mailing', 'mailings')} match. Until you choose one, the numbers are those of all your mailings:`,
  whichFirst: (n: number) =>
    `The newest ${n} that match. Until you choose one, the numbers are those of all your mailings:`,
  noMailing: 'No mailing matches; the numbers are those of all.',
  most: (n: number) => `The ${n} with the most letters. The CSV has more.`,
  notPrinted: (n: number) => `${countEn(n, 'more mailing is', 'more mailings are')} in the CSV.`,
};

export const reportsRu: Widened<typeof reportsEn> = {
  title: 'Отчёты',
  by: 'По',
  steps: { day: 'Дням', week: 'Неделям', month: 'Месяцам' },
  period: { day: 'День', week: 'Неделя', month: 'Месяц' },
  overTime: 'По времени',
  ofSent: (share: string) => `${share} от отправленных`,
  byMailing: 'По рассылкам',
  share: 'Успешно',
  reasons: 'Почему не отправлено',
  domains: 'Где не отправлено',
  noFailures: 'Неудач нет.',
  empty: 'За это время ничего не отправлялось.',
  presets: 'Время',
  preset: { this_month: 'Этот месяц', last_month: 'Прошлый месяц', this_year: 'Этот год' },
  lastDays: 'Последние 30 дней',
  range: (from, to) => (from === to ? from : `${from} – ${to}`),
  csv: { periods: 'Периоды', mailings: 'Рассылки', reasons: 'Причины', domains: 'Домены' },
  print: 'Напечатать',
  mailing: 'Рассылка: название или тема',
  allMailings: 'Все рассылки',
  which: (n) =>
    `Подходит ${countRu(n, 'рассылка', 'рассылки', 'рассылок')}; пока не выбрана одна, числа показаны по всем:`,
  whichFirst: (n) => `Подходящие рассылки, новейшие ${n}; пока не выбрана одна, числа показаны по всем:`,
  noMailing: 'Подходящих рассылок нет; числа показаны по всем.',
  most: (n) => `${n} с наибольшим числом писем. В CSV их больше.`,
  notPrinted: (n) => `Ещё ${countRu(n, 'рассылка', 'рассылки', 'рассылок')} — в файле CSV.`,
};
