import { Injectable } from '@nestjs/common';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { databaseTrouble, type DatabaseTrouble } from '../domain/database-trouble';
import type { Sessions } from './sessions';
import { Shares } from './shares';

/** Runs SQL with parameters; column names come back in camelCase, bigints as numbers, timestamps as Dates. */
export interface Sql {
  rows<T>(sql: string, params?: unknown[]): Promise<T[]>;
  /** The first row, or undefined. */
  first<T>(sql: string, params?: unknown[]): Promise<T | undefined>;
  /** The number of rows that an INSERT, UPDATE or DELETE touched. */
  affected(sql: string, params?: unknown[]): Promise<number>;
}

/** A transaction under way; `manager` is TypeORM's view of it. */
export interface Transaction extends Sql {
  manager: EntityManager;
}

const RETRIED = new Set(['40001', '40P01']);

/**
 * Plain SQL on TypeORM's connections, for what an ORM can't say: claims, planning, counting. All of a process's
 * statements share one pool.
 */
@Injectable()
export class Database implements Sql {
  /** For reads of unknown cost. */
  readonly shares: Shares;

  constructor(readonly dataSource: DataSource) {
    this.shares = new Shares(this.pool.options.max);
  }

  async rows<T>(sql: string, params?: unknown[]): Promise<T[]> {
    return records<T>((await this.run(sql, params)).rows);
  }

  async first<T>(sql: string, params?: unknown[]): Promise<T | undefined> {
    return (await this.rows<T>(sql, params))[0];
  }

  async affected(sql: string, params?: unknown[]): Promise<number> {
    return (await this.run(sql, params)).rowCount ?? 0;
  }

  /**
   * For a statement that runs many times a second and that letters wait for. Each connection prepares it once under its
   * name, unless a pooler is in between; an answer that was lost on the way is not waited for long. Committed when this
   * resolves. Repeated up to three times after a deadlock.
   */
  async prepared<T>(name: string, text: string, values: unknown[]): Promise<T[]> {
    const { shared, frozenMs } = this.sessions;
    const statement = { text, values, ...(frozenMs && { query_timeout: 2 * frozenMs }) };
    const result = await retried(() =>
      this.pool.query<Record<string, unknown>>(shared ? statement : { ...statement, name }),
    );
    return records<T>(result.rows);
  }

  /**
   * Runs `work` in one transaction; commits when it resolves, else rolls back. Repeated up to three times after a
   * deadlock or serialization failure, so `work` must do nothing outside the database.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return retried(() => this.transactionOnce(work));
  }

  private async transactionOnce<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const { shared, frozenMs } = this.sessions;
      if (shared) await runner.query(`SET LOCAL idle_in_transaction_session_timeout = ${frozenMs}`);
      const result = await work(inTransaction(runner));
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // The first error matters, not whether the rollback succeeds.
      await (isUnavailable(error) ? abandon(runner) : runner.rollbackTransaction()).catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  /** The server's present time (clock_timestamp()): not the transaction's, and not changed by tests. */
  async clock(): Promise<Date> {
    const row = await this.first<{ now: Date }>('SELECT clock_timestamp() AS now');
    if (!row) throw new Error('no time');
    return row.now;
  }

  async serverVersion(): Promise<string> {
    const row = await this.first<{ version: string }>(`SELECT current_setting('server_version') AS version`);
    return row?.version ?? '–';
  }

  /** Uses pg-pool directly, not TypeORM's query runner, so that the pool drops a connection whose statement failed. */
  private run(text: string, values: unknown[] = []): Promise<QueryResult<Record<string, unknown>>> {
    const { frozenMs } = this.sessions;
    return this.pool.query({ text, values, ...(frozenMs && { query_timeout: 4 * frozenMs }) });
  }

  private get pool(): Pool & { options: { sessions?: Sessions } } {
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }

  /** Set by DatabaseModule; other pools (of tests) know no pooler and no time limits. */
  private get sessions(): Partial<Sessions> {
    return this.pool.options.sessions ?? {};
  }
}

/**
 * Closes the transaction's connection, which ends the transaction: the server behind it may be another one by now, or
 * may still be executing the statement that we no longer wait for.
 */
async function abandon(runner: QueryRunner): Promise<void> {
  const client = (await runner.connect()) as PoolClient;
  // The pool does not reuse a connection that is ending. The end is not awaited: the server may never answer.
  void client.end().catch(() => undefined);
}

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 3 || !RETRIED.has(sqlState(error) ?? '')) throw error;
    }
  }
}

function inTransaction(runner: QueryRunner): Transaction {
  const run = (sql: string, params?: unknown[]) => runner.query(sql, params, true);
  const rows = async <T>(sql: string, params?: unknown[]) =>
    records<T>((await run(sql, params)).records as Record<string, unknown>[]);
  return {
    manager: runner.manager,
    rows,
    first: async <T>(sql: string, params?: unknown[]) => (await rows<T>(sql, params))[0],
    affected: async (sql, params) => (await run(sql, params)).affected ?? 0,
  };
}

const camelNames = new Map<string, string>();

function camel(name: string): string {
  let known = camelNames.get(name);
  if (known === undefined) {
    known = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    camelNames.set(name, known);
  }
  return known;
}

function records<T>(rows: Record<string, unknown>[]): T[] {
  return rows.map((record) => {
    const out: Record<string, unknown> = {};
    for (const key in record) out[camel(key)] = record[key];
    return out as T;
  });
}

/** The SQLSTATE of a failed statement, undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: { code?: unknown } };
  const state = driverError?.code ?? code;
  return typeof state === 'string' ? state : undefined;
}

/** Whether the statement broke this named constraint. */
export function violates(error: unknown, constraint: string): boolean {
  const { constraint: own, driverError } = (error ?? {}) as {
    constraint?: string;
    driverError?: { constraint?: string };
  };
  return (driverError?.constraint ?? own) === constraint;
}

/** How the statement failed (see domain/database-trouble.ts); null if Postgres answered it. */
export function troubleOf(error: unknown): DatabaseTrouble | null {
  if (!(error instanceof Error)) return null;
  const { driverError, cause } = error as { driverError?: { severity?: string }; cause?: unknown };
  const { severity } = driverError ?? (error as { severity?: string });
  return databaseTrouble({ code: sqlState(error), severity, message: error.message }) ?? troubleOf(cause);
}

/**
 * Whether the same statement may succeed later, because Postgres can't be reached or refuses work for a while. A
 * statement that failed this way may or may not have been committed.
 */
export function isUnavailable(error: unknown): boolean {
  return troubleOf(error) !== null;
}
