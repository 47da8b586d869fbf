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
  share: 'Share sent',
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
    `Found: ${countEn(n, 'mailing', 'mailings')}. Until you choose one, the numbers are those of all your mailings:`,
  whichFirst: (n: number) =>
    `The newest ${n} of those found. Until you choose one, the numbers are those of all your mailings:`,
  noMailing: 'No such mailing was found; the numbers are those of all your mailings.',
  most: (n: number) => `Only the ${n} with the most letters are shown; the CSV file has the others.`,
  notPrinted: (n: number) => `${countEn(n, 'more mailing is', 'more mailings are')} in the CSV file.`,
};

export const reportsRu: Widened<typeof reportsEn> = {
  title: 'Отчёты',
  by: 'По',
  steps: { day: 'Дням', week: 'Неделям', month: 'Месяцам' },
  period: { day: 'День', week: 'Неделя', month: 'Месяц' },
  overTime: 'По времени',
  ofSent: (share: string) => `${share} от отправленных`,
  byMailing: 'По рассылкам',
  share: 'Доля отправленных',
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
    `Найдено: ${countRu(n, 'рассылка', 'рассылки', 'рассылок')}. Пока не выбрана одна, числа показаны по всем вашим рассылкам:`,
  whichFirst: (n) => `Самые новые из найденных: ${n}. Пока не выбрана одна, числа показаны по всем вашим рассылкам:`,
  noMailing: 'Такой рассылки не нашлось; числа показаны по всем вашим рассылкам.',
  most: (n) => `Показаны ${n} с наибольшим числом писем; остальные есть в файле CSV.`,
  notPrinted: (n) => `Ещё ${countRu(n, 'рассылка', 'рассылки', 'рассылок')} — в файле CSV.`,
};
