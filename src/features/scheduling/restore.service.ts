import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database, type Sql, type Transaction } from '../../database/database';
import type { Viewer } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { stopAllWorkers } from '../ledger/worker-registry.service';
import { withdrawTestNotices } from '../notices/notice-tokens';
import { pauseRestored } from '../mailings/mailing-moves';
import { pauseAllRuns } from '../runs/run-moves';

/**
 * What was stopped. `mailings` counts those that were started, `runs` all that were under way, also of mailings that
 * are done.
 */
export interface Paused {
  mailings: number;
  runs: number;
  testLetters: number;
}

/** By at least so much identity sequences are advanced, so that no id that was used after the backup is used again. */
const JUMP = 1_000_000;

/** The service itself found out, nobody asked. */
const BY_ITSELF: Pick<Viewer, 'userId' | 'via'> = { userId: 0, via: 'cli' };

/**
 * A database that was restored from a backup does not know what was sent since: continuing would send it again. So
 * everything is paused until somebody who has looked resumes it, mailing by mailing. Whether the database was restored
 * is checked when a process starts, before it claims anything, and at every tick.
 */
@Injectable()
export class RestoreService implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly logger: PinoLogger,
  ) {}

  onModuleInit(): Promise<void> {
    return this.check();
  }

  /** Pauses everything if the database is not the one whose identity is stored in it. */
  async check(): Promise<void> {
    if ((await identity(this.database)) === 'same') return;
    const paused = await this.database.transaction(async (tx) => {
      await tx.affected('LOCK TABLE database_identity IN SHARE ROW EXCLUSIVE MODE');
      const found = await identity(tx);
      if (found === 'same') return null;
      const inUse = await tx.first(
        `SELECT FROM (SELECT FROM runs LIMIT 1) r
          UNION ALL SELECT FROM (SELECT FROM mailings WHERE status = 'started' LIMIT 1) m`,
      );
      const all = found === 'other' && inUse ? await pauseAll(tx, BY_ITSELF) : null;
      await writeIdentity(tx);
      return all;
    });
    if (paused) this.tell(paused);
  }

  /** The same by hand, after a restore of the server's files, which can't be recognised. */
  async pauseByHand(viewer: Viewer): Promise<Paused> {
    const paused = await this.database.transaction(async (tx) => {
      const all = await pauseAll(tx, viewer);
      await writeIdentity(tx);
      return all;
    });
    this.tell(paused);
    return paused;
  }

  private tell(paused: Paused): void {
    this.logger.warn(
      { event: 'database.restored', ...paused },
      'The database was restored from a backup: everything is paused until it is resumed, mailing by mailing',
    );
  }
}

/** Whether the database is the one whose identity is stored in it, another one, or has none stored yet. */
async function identity(sql: Sql): Promise<'same' | 'other' | 'none'> {
  const row = await sql.first<{ same: boolean }>(
    `SELECT k.database_oid = p.database_oid AND k.table_oid = p.table_oid
            AND coalesce(k.system_identifier = p.system_identifier, true) AS same
              FROM database_identity k, present_identity() p`,
  );
  return row ? (row.same ? 'same' : 'other') : 'none';
}

async function writeIdentity(tx: Transaction): Promise<void> {
  await tx.affected(
    `INSERT INTO database_identity (system_identifier, database_oid, table_oid)
     SELECT p.system_identifier, p.database_oid, p.table_oid FROM present_identity() p
     ON CONFLICT (one) DO UPDATE SET system_identifier = excluded.system_identifier,
       database_oid = excluded.database_oid,
       table_oid = excluded.table_oid`,
  );
}

/**
 * Locks mailings before their runs, as everybody does. A live run of a mailing that is done is paused too, and its
 * mailing is marked. Workers listed in the backup are gone. Test notices that waited are withdrawn; other notices may
 * go out twice.
 */
async function pauseAll(tx: Transaction, by: Pick<Viewer, 'userId' | 'via'>): Promise<Paused> {
  await tx.rows(`SELECT id FROM mailings WHERE status IN ('started', 'done') ORDER BY id FOR NO KEY UPDATE`);
  await tx.rows(`SELECT id FROM runs WHERE status IN ('planning', 'sending') ORDER BY id FOR UPDATE`);
  const runs = await pauseAllRuns(tx);
  const mailings = await pauseRestored(tx);
  await stopAllWorkers(tx);
  const testLetters = await withdrawTestNotices(tx);
  await jumpAhead(tx);
  await audit(tx, by, 'database.hold', undefined, { pausedMailings: mailings });
  return { mailings, runs, testLetters };
}

/** Doubles the last id of each identity sequence, or adds a million if that is more, rounded up. */
async function jumpAhead(tx: Transaction): Promise<void> {
  await tx.rows(
    `SELECT setval(s.seq, (last.n + greatest(${JUMP}, last.n) + ${JUMP} - 1) / ${JUMP} * ${JUMP}) FROM (
       SELECT pg_get_serial_sequence(c.oid::regclass::text, a.attname)::regclass AS seq
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attidentity <> ''
          AND a.atttypid = 'bigint'::regtype) s,
       LATERAL (SELECT coalesce(pg_sequence_last_value(s.seq), 0) AS n) last`,
  );
}
