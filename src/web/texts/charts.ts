import { countEn, countRu } from './plural';
import type { Widened } from './widened';

/** What stands beside charts, and what screen readers say of them. */

export const chartEn = {
  asTable: 'The numbers as a table',
  save: 'Save the chart as',
  says: (points: number, first: string, last: string, totals: string) =>
    points > 1 ? `Stacked bars, ${countEn(points, 'bar', 'bars')} from ${first} to ${last}. ${totals}.` : `${totals}.`,
  perBar: (n: number) => `Each bar is the sum of ${countEn(n, 'period', 'periods')} in a row.`,
};

export const chartRu: Widened<typeof chartEn> = {
  asTable: 'Числа таблицей',
  save: 'Сохранить диаграмму:',
  says: (points, first, last, totals) =>
    points > 1
      ? `Столбцы с накоплением, ${countRu(points, 'столбец', 'столбца', 'столбцов')}, от ${first} до ${last}. ${totals}.`
      : `${totals}.`,
  perBar: (n) => `Каждый столбец — сумма за ${countRu(n, 'период', 'периода', 'периодов')} подряд.`,
};
