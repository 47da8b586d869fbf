import type { Sql } from '../../database/database';
import { csvRow } from '../../domain/csv-records';
import type { CodedProblem } from '../../domain/problems';
import { type Import, type ImportError, readProblem } from './import.entity';

const EXPORT_PAGE = 5_000;
const REJECTED_PAGE = 200;

type Words = (found: CodedProblem) => string;

/** Errors in line order, after one of them. */
export async function importErrors(
  sql: Sql,
  id: number,
  after: [number, string],
  limit: number,
): Promise<ImportError[]> {
  const rows = await sql.rows<{ line: number; field: string; message: string }>(
    `SELECT line, field, message FROM import_errors
      WHERE import_id = $1 AND (line, field) > ($2, $3) ORDER BY line, field LIMIT ${limit}`,
    [id, ...after],
  );
  return rows.map(({ line, field, message }) => ({ line, field, ...readProblem(message) }));
}

/** `line,field,message` */
export async function* errorLines(sql: Sql, id: number, words: Words): AsyncGenerator<string> {
  yield `\uFEFF${csvRow(['line', 'field', 'message'])}`;
  for (let after: [number, string] = [0, '']; ;) {
    const page = await importErrors(sql, id, after, EXPORT_PAGE);
    const last = page.at(-1);
    if (!last) return;
    yield page.map((e) => csvRow([e.line, e.field, words(e)])).join('');
    after = [last.line, last.field];
  }
}

/**
 * The rejected lines with the columns of their file, and two more: their number and the reason. Mended, the file can be
 * imported as it is.
 */
export async function* rejectedLines(sql: Sql, { id, layout }: Import, words: Words): AsyncGenerator<string> {
  const names = layout?.names ?? [];
  yield `\uFEFF${csvRow([...names, 'line', 'reason'])}`;
  for (let after = 0; ;) {
    const page = await sql.rows<{ line: number; record: string | null; errors: { field: string; message: string }[] }>(
      `SELECT e.line, r.record, json_agg(json_build_object('field', e.field, 'message', e.message) ORDER BY e.field) AS errors
         FROM (SELECT line, field, message FROM import_errors WHERE import_id = $1 AND line IN (
                 SELECT DISTINCT line FROM import_errors WHERE import_id = $1 AND line > $2
                  ORDER BY line LIMIT ${REJECTED_PAGE})) e
         LEFT JOIN import_rejected r ON r.import_id = $1 AND r.line = e.line
        GROUP BY e.line, r.record ORDER BY e.line`,
      [id, after],
    );
    const last = page.at(-1);
    if (!last) return;
    yield page
      .map(({ line, record, errors }) => {
        const values = record === null ? [] : (JSON.parse(record) as string[]);
        const reason = errors.map((e) => `${e.field}: ${words(readProblem(e.message))}`).join('; ');
        return csvRow([...names.map((_, i) => values[i] ?? ''), ...values.slice(names.length), line, reason]);
      })
      .join('');
    after = last.line;
  }
}

/** A rejected line as a page shows it: the address, or the beginning of the line. */
export async function shownRecords(sql: Sql, id: number, lines: number[]): Promise<Map<number, string[]>> {
  const rows = await sql.rows<{ line: number; record: string }>(
    'SELECT line, record FROM import_rejected WHERE import_id = $1 AND line = ANY($2::bigint[])',
    [id, lines],
  );
  return new Map(rows.map(({ line, record }) => [line, JSON.parse(record) as string[]]));
}
