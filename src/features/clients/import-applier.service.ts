import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { announceClients } from './clients.service';
import type { Import } from './import.entity';

const CHUNK = 20_000;
/**
 * The search index takes new rows in a list first, and sorts it in when it is full or at the end: a longer list, sorted in at
 * once, saves a quarter of the time. Until then a search reads the list, too.
 */
const BULK = `SET LOCAL gin_pending_list_limit = '32MB'; SET LOCAL work_mem = '64MB'`;
const SORT_IN = `SELECT gin_clean_pending_list(oid) FROM pg_class
                  WHERE oid = 'clients_search_idx'::regclass AND pg_has_role(relowner, 'USAGE')`;

interface Applied {
  last: number | null;
  rows: number;
  added: number;
  firstId: number | null;
}

/**
 * Applies staged imports to the clients, by chunks in line order, each in one transaction together with how far the import
 * is. So a killed process loses at most a chunk that was not committed, whoever comes next goes on behind it, and two at
 * once take turns at the import's row.
 */
@Injectable()
export class ImportApplier {
  constructor(private readonly database: Database) {}

  /**
   * Goes on with an import that is staged, for about `maxMs`.
   * @param onProgress is told the import after each chunk
   * @returns whether nothing is left to do: it is done, failed, not staged yet or not there
   */
  async resume(
    importId: number,
    maxMs = Infinity,
    onProgress: (progress: Import) => void = () => {},
  ): Promise<boolean> {
    const startedAt = performance.now();
    for (;;) {
      const progress = await this.database.transaction((tx) => this.applyChunk(tx, importId));
      if (progress === null) return true;
      onProgress(progress);
      if (progress.status === 'done') return true;
      if (performance.now() - startedAt > maxMs) return false;
    }
  }

  /** Staged imports that are not done, the oldest first. */
  async pending(): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>(
      `SELECT id FROM imports WHERE status = 'running' AND staged_at IS NOT NULL ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  private async applyChunk(tx: Transaction, importId: number): Promise<Import | null> {
    const own = await tx.first<Import>(
      `SELECT * FROM imports WHERE id = $1 AND status = 'running' AND staged_at IS NOT NULL FOR NO KEY UPDATE`,
      [importId],
    );
    if (!own) return null;
    await tx.rows(BULK);
    const { last, rows, added, firstId } = own.dryRun ? await this.count(tx, own) : await this.put(tx, own);
    if (firstId !== null) await announceClients(tx, own.ownerId, firstId);
    const done = rows < CHUNK;
    if (done) {
      await tx.affected('DELETE FROM import_rows WHERE import_id = $1', [importId]);
      if (!own.dryRun) await tx.rows(SORT_IN);
    }
    const after = await tx.first<Import>(
      `UPDATE imports SET applied_line = coalesce($2, applied_line), added = added + $3, updated = updated + $4,
              status = CASE WHEN $5 THEN 'done' ELSE status END, finished_at = CASE WHEN $5 THEN app_now() END
        WHERE id = $1 RETURNING *`,
      [importId, last, added, rows - added, done],
    );
    return after ?? null;
  }

  /**
   * Ids go by line, but rows go in by address: in the order of the largest indexes, so that each page of them is visited
   * once. xmax = 0 tells a row that was inserted from one that was there and locked by ON CONFLICT.
   */
  private async put(tx: Transaction, { id, appliedLine, ownerId, hasComment }: Import): Promise<Applied> {
    return one(
      await tx.first<Applied>(
        `WITH page AS MATERIALIZED (${PAGE}),
         numbered AS MATERIALIZED (SELECT nextval((SELECT pg_get_serial_sequence('clients', 'id')::regclass)) AS id, page.* FROM page),
         put AS (
           INSERT INTO clients AS c (id, owner_id, email, full_name, comment) OVERRIDING SYSTEM VALUE
           SELECT id, $3, email, full_name, comment FROM numbered ORDER BY lower(email) COLLATE "C"
           ON CONFLICT (owner_id, lower(email)) DO UPDATE
             SET full_name = excluded.full_name, comment = CASE WHEN $4 THEN excluded.comment ELSE c.comment END, updated_at = app_now()
             WHERE c.full_name <> excluded.full_name OR ($4 AND c.comment <> excluded.comment)
           RETURNING id, xmax = 0 AS is_new)
         SELECT page.*, put.* FROM (SELECT max(line) AS last, count(*) AS rows FROM page) page,
                (SELECT count(*) AS added, min(id) AS first_id FROM put WHERE is_new) put`,
        [id, appliedLine, ownerId, hasComment],
      ),
    );
  }

  private async count(tx: Transaction, { id, appliedLine, ownerId }: Import): Promise<Applied> {
    return one(
      await tx.first<Applied>(
        `WITH page AS MATERIALIZED (${PAGE})
         SELECT max(line) AS last, count(*) AS rows, NULL::bigint AS first_id,
                count(*) FILTER (WHERE NOT EXISTS (
                  SELECT FROM clients c WHERE c.owner_id = $3 AND lower(c.email) = lower(page.email))) AS added
           FROM page`,
        [id, appliedLine, ownerId],
      ),
    );
  }
}

const PAGE = `SELECT line, email, full_name, comment FROM import_rows WHERE import_id = $1 AND line > $2 ORDER BY line LIMIT ${CHUNK}`;

function one(row: Applied | undefined): Applied {
  if (!row) throw new Error('an aggregate returned no row');
  return row;
}
