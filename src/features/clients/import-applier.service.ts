import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { failpoint } from '../../config/failpoint';
import { Database, type Transaction } from '../../database/database';
import { VALUES_MAX_BYTES } from '../../domain/client-fields';
import { problem } from '../../domain/problems';
import { Semaphore } from '../../domain/semaphore';
import { type ListedAddress, recogniseErased, suppressListed } from '../consent/suppressions';
import { recordOf, type StagedRow } from './import-layout';
import { type Chunk, countChunk, putChunk, stillValidKeys } from './import-put';
import { type Import, KEPT_ERRORS, storedProblem } from './import.entity';
import { NewClients } from './new-clients';

/** The number of lines in a chunk. */
const CHUNK = 20_000;
/**
 * At most so many sessions of one process apply an import at once, if that leaves half of its connections to others.
 */
const LANES = 4;
/**
 * The search index collects new rows in a pending list and merges it when the list is full or at the end. A longer list
 * saves a quarter of the time. Until the merge a search reads the list, too.
 */
const BULK = `SET LOCAL gin_pending_list_limit = '32MB'; SET LOCAL work_mem = '64MB'`;
const SORT_IN = `SELECT gin_clean_pending_list(oid) FROM pg_class
                  WHERE oid = 'clients_search_idx'::regclass AND pg_has_role(relowner, 'USAGE')`;

/**
 * Applies staged imports to the clients, by chunks, several at once, each in one transaction that also deletes its
 * staged rows and the chunk itself. So a killed process loses only chunks that were not committed, and other processes,
 * later or at the same time, take the remaining chunks. No two staged rows have the same address, so chunks may be
 * applied in any order.
 */
@Injectable()
export class ImportApplier {
  private readonly lanes: number;
  private readonly one = new Semaphore(1);

  constructor(
    private readonly database: Database,
    private readonly newClients: NewClients,
    @Inject(CONFIG) { databaseConnections }: Config,
  ) {
    this.lanes = Math.min(LANES, databaseConnections >> 1);
  }

  /**
   * Continues a staged import, for about `maxMs`. A process applies one import at a time.
   * @param onProgress called with the import after each chunk; its numbers never decrease
   * @returns whether nothing is left to do: it is done, failed, not staged yet or not there
   * @throws the error of a session, unless the others did all the rest
   */
  async resume(
    importId: number,
    maxMs = Infinity,
    onProgress: (progress: Import) => void = () => {},
  ): Promise<boolean> {
    return this.one.run(() => this.runLanes(importId, maxMs, onProgress));
  }

  private async runLanes(importId: number, maxMs: number, onProgress: (progress: Import) => void): Promise<boolean> {
    const until = performance.now() + maxMs;
    const chunks = await this.cut(importId);
    if (chunks === 0) return true;
    let told = 0;
    // The answers may arrive in another order than the chunks were committed.
    const tell = (progress: Import) => {
      const applied = progress.added + progress.updated + progress.skipped;
      if (applied < told) return;
      told = applied;
      onProgress(progress);
    };
    const length = Math.min(chunks, this.lanes);
    const lanes = Array.from({ length }, () => this.runLane(importId, until, tell));
    const ends = await Promise.allSettled(lanes);
    const finished = ends.some((end) => end.status === 'fulfilled' && end.value);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed && !finished) throw failed.reason;
    return finished;
  }

  /** Imports that are staged, or whose kept file is to be read, and that are not done, the oldest first. */
  async pending(): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>(
      `SELECT id FROM imports WHERE status = 'running' AND (staged_at IS NOT NULL OR kept_at IS NOT NULL) ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  /**
   * Divides a staged import into chunks of the rows that are there, if that was not done yet; an empty import has one
   * chunk, too, with which it ends. The import's row is locked, so no chunk is being committed; the last chunk ends the status `running`, so a
   * running import without chunks was not divided yet.
   * @returns how many chunks are left
   */
  private async cut(importId: number): Promise<number> {
    return this.database.transaction(async (tx) => {
      const own = await tx.first(
        `SELECT FROM imports WHERE id = $1 AND status = 'running' AND staged_at IS NOT NULL FOR NO KEY UPDATE`,
        [importId],
      );
      if (!own) return 0;
      await tx.affected(
        `INSERT INTO import_chunks (import_id, first_line, last_line)
         SELECT $1, first + n * ${CHUNK}, first + (n + 1) * ${CHUNK} - 1
           FROM (SELECT coalesce(min(line), 0) AS first FROM import_rows WHERE import_id = $1) r,
                LATERAL (SELECT DISTINCT (coalesce(line, first) - first) / ${CHUNK} AS n
                           FROM (VALUES (0)) one LEFT JOIN import_rows ON import_id = $1) c
          WHERE NOT EXISTS (SELECT FROM import_chunks WHERE import_id = $1)`,
        [importId],
      );
      const left = await tx.first<{ chunks: number }>(
        'SELECT count(*) AS chunks FROM import_chunks WHERE import_id = $1',
        [importId],
      );
      return left?.chunks ?? 0;
    });
  }

  /** Applies one chunk after the other; false if time ran out. */
  private async runLane(importId: number, until: number, onProgress: (progress: Import) => void): Promise<boolean> {
    for (;;) {
      const progress = await this.database.transaction((tx) => this.applyChunk(tx, importId));
      if (progress === null) return true;
      onProgress(progress);
      if (progress.status === 'done') {
        if (!progress.dryRun) await this.database.rows(SORT_IN);
        return true;
      }
      if (performance.now() > until) return false;
    }
  }

  /** Null if none is left. */
  private async applyChunk(tx: Transaction, importId: number): Promise<Import | null> {
    const chunk = await this.claim(tx, importId);
    if (!chunk) return null;
    await tx.rows(BULK);
    const suppressed = await this.countSuppressed(tx, chunk);
    const excluded = await this.exclude(tx, chunk);
    const put = chunk.dryRun
      ? await countChunk(tx, chunk)
      : await putChunk(tx, { ...chunk, fieldKeys: await stillValidKeys(tx, chunk) });
    const { rows, added, skipped, firstId, lastId } = put;
    const tooLong = put.tooLong ?? [];
    if (tooLong.length > 0) await this.rejectTooLong(tx, chunk, tooLong);
    if (firstId !== null) {
      await recogniseErased(tx, chunk.ownerId, firstId);
      await this.newClients.announce(tx, chunk.ownerId, firstId);
    }
    await tx.affected('DELETE FROM import_chunks WHERE import_id = $1 AND first_line = $2', [
      importId,
      chunk.firstLine,
    ]);
    const after = await tx.first<Import>(
      `UPDATE imports SET added = added + $2, updated = updated + $3, skipped = skipped + $4, rejected = rejected + $5,
         suppressed = suppressed + $6, status_rows = status_rows + $7, newly_suppressed = newly_suppressed + $8,
         first_client_id = least(first_client_id, $9), last_client_id = greatest(last_client_id, $10)
        WHERE id = $1 RETURNING *`,
      [
        importId,
        added,
        rows - added - skipped - tooLong.length,
        skipped,
        tooLong.length,
        suppressed,
        excluded.rows,
        excluded.added,
        firstId,
        lastId,
      ],
    );
    // A separate statement, so that it sees the chunks committed by whoever had locked the import's row before.
    const done = await tx.first<Import>(
      `UPDATE imports SET status = 'done', finished_at = app_now()
        WHERE id = $1 AND NOT EXISTS (SELECT FROM import_chunks WHERE import_id = $1) RETURNING *`,
      [importId],
    );
    failpoint('import-chunk');
    return done ?? after ?? null;
  }

  /**
   * Excludes the addresses of which the file says that they get no mail, in the transaction that adds them, whatever the
   * mode leaves out; also those of rejected lines, which are not needed any more then.
   */
  private async exclude(tx: Transaction, chunk: Chunk): Promise<{ rows: number; added: number }> {
    const listed = await tx.rows<ListedAddress>(
      `SELECT lower(email) AS email_key, reason, coalesce(detail, '') AS detail FROM import_rows
        WHERE import_id = $1 AND line BETWEEN $2 AND $3 AND reason IS NOT NULL`,
      [chunk.importId, chunk.firstLine, chunk.lastLine],
    );
    if (listed.length > 0)
      await tx.affected('DELETE FROM import_rows WHERE import_id = $1 AND line BETWEEN $2 AND $3 AND rejected', [
        chunk.importId,
        chunk.firstLine,
        chunk.lastLine,
      ]);
    if (listed.length === 0 || chunk.dryRun) return { rows: listed.length, added: 0 };
    return { rows: listed.length, added: await suppressListed(tx, chunk.ownerId, listed) };
  }

  private async rejectTooLong(tx: Transaction, { importId, layout }: Chunk, rows: StagedRow[]): Promise<void> {
    const message = storedProblem(problem('fields_too_long', { max: VALUES_MAX_BYTES }));
    await tx.affected(
      `INSERT INTO import_errors (import_id, line, field, message)
       SELECT $1, line, 'fields', $3 FROM unnest($2::bigint[]) line
        WHERE (SELECT count(*) FROM import_errors WHERE import_id = $1) < ${KEPT_ERRORS}`,
      [importId, rows.map(({ line }) => line), message],
    );
    const records = rows.map((row) => JSON.stringify(layout ? recordOf(layout, row) : []));
    await tx.affected(
      `INSERT INTO import_rejected (import_id, line, record)
       SELECT $1, line, record FROM unnest($2::bigint[], $3::text[]) r (line, record)
        WHERE EXISTS (SELECT FROM import_errors e WHERE e.import_id = $1 AND e.line = r.line)`,
      [importId, rows.map(({ line }) => line), records],
    );
  }

  /** How many of the chunk's addresses get no mail of the owner; erased ones are known by their hash. */
  private async countSuppressed(tx: Transaction, { importId, ownerId, firstLine, lastLine }: Chunk): Promise<number> {
    const row = await tx.first<{ n: number }>(
      `SELECT count(DISTINCT r.email) AS n FROM (
         SELECT lower(email) AS email, reason FROM import_rows WHERE import_id = $1 AND line BETWEEN $3 AND $4) r
        WHERE r.reason IS NOT NULL
           OR EXISTS (SELECT FROM suppressions s
          WHERE s.email_key = r.email AND s.lifted_at IS NULL AND s.mailing_id IS NULL
                         AND (s.expires_at IS NULL OR s.expires_at > app_now())
                         AND (s.owner_id = $2 OR s.owner_id IS NULL))
           OR (EXISTS (SELECT FROM suppressions e WHERE e.email_key IS NULL AND e.lifted_at IS NULL)
               AND EXISTS (SELECT FROM suppressions s
                 WHERE s.email_key IS NULL AND s.lifted_at IS NULL AND s.mailing_id IS NULL
                              AND (s.expires_at IS NULL OR s.expires_at > app_now())
                              AND s.address_hash = address_hash(r.email) AND (s.owner_id = $2 OR s.owner_id IS NULL)))`,
      [importId, ownerId, firstLine, lastLine],
    );
    return row?.n ?? 0;
  }

  /** Locks a free chunk; if all are locked, waits for one whose process dies or fails. */
  private async claim(tx: Transaction, importId: number): Promise<Chunk | undefined> {
    const sql = `SELECT c.*, i.owner_id, i.dry_run, i.has_comment, i.clears_name, i.clears_fields, i.field_keys, i.mode,
        i.layout, cardinality(i.row_tags) + cardinality(i.all_tags) > 0 AS tagged FROM import_chunks c
      JOIN imports i ON i.id = c.import_id
                  WHERE import_id = $1 ORDER BY first_line LIMIT 1 FOR UPDATE OF c`;
    return (await tx.first<Chunk>(`${sql} SKIP LOCKED`, [importId])) ?? (await tx.first<Chunk>(sql, [importId]));
  }
}

/**
 * The database's clock was put back by so much: makes sure that an upload that died is not found later because of it.
 */
export const importsPutBack = (tx: Transaction, backMs: number) =>
  tx.affected(
    `UPDATE imports SET alive_at = alive_at - $1 * interval '1 millisecond'
      WHERE status = 'running' AND alive_at > clock_timestamp()`,
    [backMs],
  );
