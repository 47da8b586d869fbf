import { copyIn } from '../../database/copy';
import type { Transaction } from '../../database/database';
import type { ClientHeader } from '../../domain/csv-clients';
import { GRAVEST_FIRST } from '../consent/suppression-sql';
import type { Batch } from './import-batch';
import { layoutOf, recordOf, type StagedRow } from './import-layout';
import { KEPT_ERRORS } from './import.entity';

/** Memory for sorting a file's addresses, in the one statement that finds repeated ones. */
const SORT_MEMORY = '64MB';

/**
 * Of the lines of one address, in SQL, the first that is imported; if none is, the first of which only the exclusion
 * counts.
 */
const FIRST = 'first_value(line) OVER (PARTITION BY lower(email) ORDER BY rejected, line) AS first';

/** Gives the first line of each address the gravest reason of all its lines, before the others are left out. */
const gatherReasons = (tx: Transaction, importId: number) =>
  tx.affected(
    `UPDATE import_rows r SET reason = g.reason, detail = g.detail
       FROM (SELECT DISTINCT ON (first) s.* FROM (
               SELECT line, reason, detail, ${FIRST} FROM import_rows WHERE import_id = $1) s
              WHERE reason IS NOT NULL ORDER BY first, ${GRAVEST_FIRST}, line) g
      WHERE r.import_id = $1 AND r.line = g.first AND g.line <> g.first`,
    [importId],
  );

/** Rejects lines whose address an earlier line has. @returns how many */
export async function rejectRepeated(
  tx: Transaction,
  importId: number,
  batch: Batch,
  header: ClientHeader | null,
): Promise<number> {
  // Postgres may have no statistics of these rows yet. It would assume few and choose a nested loop.
  await tx.rows(`SET LOCAL work_mem = '${SORT_MEMORY}'; SET LOCAL enable_nestloop = off`);
  if (header && header.status.length > 0) await gatherReasons(tx, importId);
  // Sorting finds repeated addresses without any estimate of the number of rows.
  const repeated = await tx.first<{ lines: number; kept: StagedRow[] | null }>(
    `WITH
     -- Lines whose address an earlier line has, with that line.
     later AS (
       SELECT line, first, rejected FROM (
         SELECT line, rejected, ${FIRST} FROM import_rows WHERE import_id = $1) r WHERE line <> first),
     -- They are not imported,
     gone AS (
       DELETE FROM import_rows r USING later WHERE r.import_id = $1 AND r.line = later.line
       RETURNING r.line, r.email, r.full_name, r.comment, r.fields),
     kept AS (SELECT line, first FROM later WHERE NOT rejected ORDER BY line LIMIT $2),
     -- but reported as errors, unless they were rejected before.
     told AS (
       INSERT INTO import_errors (import_id, line, field, message)
       SELECT $1, line, 'email', json_build_object('code', 'repeated', 'values', json_build_object('line', first))
         FROM kept)
     SELECT (SELECT count(*) FROM later WHERE NOT rejected) AS lines,
            (SELECT json_agg(json_build_object('line', g.line, 'email', g.email, 'fullName', g.full_name,
                                               'comment', g.comment, 'fields', g.fields) ORDER BY g.line)
               FROM gone g JOIN kept USING (line)) AS kept`,
    [importId, KEPT_ERRORS - batch.kept],
  );
  if (header && repeated?.kept) {
    const layout = layoutOf(header);
    const lines = repeated.kept.map((row) => ({ line: row.line, record: recordOf(layout, row) }));
    await copyIn(tx, 'import_rejected (import_id, line, record)', batch.moreRecords(lines));
  }
  return repeated?.lines ?? 0;
}
