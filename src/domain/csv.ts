import { stringify } from 'csv-stringify/sync';

/** One CSV line (RFC 4180) whose cells no spreadsheet takes for a formula. */
export function csvRow(cells: string[]): string {
  return stringify([cells], { escape_formulas: true, record_delimiter: 'windows' });
}
