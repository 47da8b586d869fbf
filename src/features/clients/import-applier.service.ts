import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Transaction } from '../../database/database';
import type { Import } from './import.entity';
import { recogniseErased } from '../consent/suppressions';
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

type Chunk = Pick<Import, 'ownerId' | 'dryRun' | 'hasComment'> & {
  importId: number;
  firstLine: number;
  lastLine: number;
};

interface Applied {
  rows: number;
  added: number;
  firstId: number | null;
}

/**
 * Applies staged imports to the clients, by chunks, several at once, each in one transaction that also deletes its
 * staged rows and the chunk itself. So a killed process loses only chunks that were not committed, and other processes,
 * later or at the same time, take the remaining chunks. No two staged rows have the same address, so chunks may be
 * applied in any order.
 */
@Injectable()
export class ImportApplier {
  private readonly lanes: number;
  private turn: Promise<unknown> = Promise.resolve();

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
    const mine = this.turn.then(() => this.runLanes(importId, maxMs, onProgress));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async runLanes(importId: number, maxMs: number, onProgress: (progress: Import) => void): Promise<boolean> {
    const until = performance.now() + maxMs;
    const chunks = await this.cut(importId);
    if (chunks === 0) return true;
    let told = 0;
    // The answers may arrive in another order than the chunks were committed.
    const tell = (progress: Import) => {
      const applied = progress.added + progress.updated;
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

  /** Staged imports that are not done, the oldest first. */
  async pending(): Promise<number[]> {
    const rows = await this.database.rows<{ id: number }>(
      `SELECT id FROM imports WHERE status = 'running' AND staged_at IS NOT NULL ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  /**
   * Divides a staged import into chunks if that was not done yet; an empty import has one chunk, too, with which it
   * ends. The import's row is locked, so no chunk is being committed; the last chunk ends the status `running`, so a
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
         SELECT $1, line, line + ${CHUNK - 1}
           FROM (SELECT coalesce(min(line), 0) AS first, coalesce(max(line), 0) AS last FROM import_rows
             WHERE import_id = $1) r,
                generate_series(first, last, ${CHUNK}) line
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
    const { rows, added, firstId } = chunk.dryRun ? await this.count(tx, chunk) : await this.put(tx, chunk);
    if (firstId !== null) {
      await recogniseErased(tx, chunk.ownerId, firstId);
      await this.newClients.announce(tx, chunk.ownerId, firstId);
    }
    await tx.affected('DELETE FROM import_chunks WHERE import_id = $1 AND first_line = $2', [
      importId,
      chunk.firstLine,
    ]);
    const after = await tx.first<Import>(
      `UPDATE imports SET added = added + $2, updated = updated + $3, suppressed = suppressed + $4
        WHERE id = $1 RETURNING *`,
      [importId, added, rows - added, suppressed],
    );
    // A separate statement, so that it sees the chunks committed by whoever had locked the import's row before.
    const done = await tx.first<Import>(
      `UPDATE imports SET status = 'done', finished_at = app_now()
        WHERE id = $1 AND NOT EXISTS (SELECT FROM import_chunks WHERE import_id = $1) RETURNING *`,
      [importId],
    );
    return done ?? after ?? null;
  }

  /** How many of the chunk's addresses get no mail of the owner; erased ones are known by their hash. */
  private async countSuppressed(tx: Transaction, { importId, ownerId, firstLine, lastLine }: Chunk): Promise<number> {
    const row = await tx.first<{ n: number }>(
      `SELECT count(DISTINCT r.email) AS n FROM (
         SELECT lower(email) AS email FROM import_rows WHERE import_id = $1 AND line BETWEEN $3 AND $4) r
        WHERE EXISTS (SELECT FROM suppressions s
          WHERE s.email_key = r.email AND s.lifted_at IS NULL AND s.mailing_id IS NULL
                         AND (s.owner_id = $2 OR s.owner_id IS NULL))
           OR (EXISTS (SELECT FROM suppressions e WHERE e.email_key IS NULL AND e.lifted_at IS NULL)
               AND EXISTS (SELECT FROM suppressions s
                 WHERE s.email_key IS NULL AND s.lifted_at IS NULL AND s.mailing_id IS NULL
                              AND s.address_hash = address_hash(r.email) AND (s.owner_id = $2 OR s.owner_id IS NULL)))`,
      [importId, ownerId, firstLine, lastLine],
    );
    return row?.n ?? 0;
  }

  /** Locks a free chunk; if all are locked, waits for one whose process dies or fails. */
  private async claim(tx: Transaction, importId: number): Promise<Chunk | undefined> {
    const sql = `SELECT c.*, i.owner_id, i.dry_run, i.has_comment FROM import_chunks c
      JOIN imports i ON i.id = c.import_id
                  WHERE import_id = $1 ORDER BY first_line LIMIT 1 FOR UPDATE OF c`;
    return (await tx.first<Chunk>(`${sql} SKIP LOCKED`, [importId])) ?? (await tx.first<Chunk>(sql, [importId]));
  }

  /**
   * Ids are in the order of lines, but rows are inserted in the order of addresses, which is that of the largest
   * indexes: each of their pages is visited once. xmax = 0 distinguishes a row that was inserted from an existing one
   * that ON CONFLICT locked.
   */
  private async put(tx: Transaction, { importId, firstLine, lastLine, ownerId, hasComment }: Chunk): Promise<Applied> {
    return one(
      await tx.first<Applied>(
        `WITH
         -- The chunk's staged rows, which are deleted.
         page AS (${PAGE}),
         -- New ids in the order of lines.
         numbered AS MATERIALIZED (
           SELECT nextval((SELECT pg_get_serial_sequence('clients', 'id')::regclass)) AS id, page.*
             FROM (SELECT * FROM page ORDER BY line) page),
         -- Clients inserted, or updated where something differs.
         put AS (
           INSERT INTO clients AS c (id, owner_id, email, full_name, comment) OVERRIDING SYSTEM VALUE
           SELECT id, $4, email, full_name, comment FROM numbered ORDER BY lower(email)
           ON CONFLICT (owner_id, lower(email)) DO UPDATE
             SET full_name = excluded.full_name, comment = CASE WHEN $5 THEN excluded.comment ELSE c.comment END,
               updated_at = app_now()
             WHERE c.full_name <> excluded.full_name OR ($5 AND c.comment <> excluded.comment)
           RETURNING id, xmax = 0 AS is_new)
         SELECT page.*, put.* FROM (SELECT count(*) AS rows FROM page) page,
                (SELECT count(*) AS added, min(id) AS first_id FROM put WHERE is_new) put`,
        [importId, firstLine, lastLine, ownerId, hasComment],
      ),
    );
  }

  /**
   * Each address is looked up by itself, whatever the statistics say about clients that have just come: the owner's
   * other indexes, or a sequential scan, would go through all clients for each line.
   */
  private async count(tx: Transaction, { importId, firstLine, lastLine, ownerId }: Chunk): Promise<Applied> {
    await tx.rows('SET LOCAL enable_seqscan = off');
    return one(
      await tx.first<Applied>(
        `WITH page AS (${PAGE})
         SELECT count(*) AS rows, NULL::bigint AS first_id,
                count(*) FILTER (WHERE NOT EXISTS (
                  SELECT FROM clients c WHERE c.owner_id + 0 = $4 AND lower(c.email) = lower(page.email))) AS added
           FROM page`,
        [importId, firstLine, lastLine, ownerId],
      ),
    );
  }
}

const PAGE =
  'DELETE FROM import_rows WHERE import_id = $1 AND line BETWEEN $2 AND $3 RETURNING line, email, full_name, comment';

function one(row: Applied | undefined): Applied {
  if (!row) throw new Error('an aggregate returned no row');
  return row;
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
