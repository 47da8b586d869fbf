import { Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource, type EntityManager, type QueryResult, type QueryRunner } from 'typeorm';

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
  constructor(readonly dataSource: DataSource) {}

  async rows<T>(sql: string, params?: unknown[]): Promise<T[]> {
    return records<T>(rowsOf(await this.run(sql, params)));
  }

  async first<T>(sql: string, params?: unknown[]): Promise<T | undefined> {
    return (await this.rows<T>(sql, params))[0];
  }

  async affected(sql: string, params?: unknown[]): Promise<number> {
    return (await this.run(sql, params)).affected ?? 0;
  }

  /**
   * One statement that runs many times a second: each connection prepares it once under its name, and it goes past
   * TypeORM's query runner to the same pool. Committed when this resolves. Deadlocks are tried again (three times).
   */
  async prepared<T>(name: string, sql: string, params: unknown[]): Promise<T[]> {
    const pool = (this.dataSource.driver as unknown as { master: Pool }).master;
    const result = await retried(() => pool.query<Record<string, unknown>>({ name, text: sql, values: params }));
    return records<T>(result.rows);
  }

  /**
   * Runs `work` in one transaction; commits when it resolves, else rolls back. Deadlocks and serialization failures
   * are tried again (three times), so `work` must do nothing outside the database.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return retried(() => this.dataSource.transaction((manager) => work(inTransaction(manager))));
  }

  private async run(sql: string, params?: unknown[]): Promise<QueryResult> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await runner.query(sql, params, true);
    } finally {
      await runner.release();
    }
  }
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

function inTransaction(manager: EntityManager): Transaction {
  const runner = manager.queryRunner as QueryRunner;
  const run = (sql: string, params?: unknown[]) => runner.query(sql, params, true);
  return {
    manager,
    rows: async <T>(sql: string, params?: unknown[]) => records<T>(rowsOf(await run(sql, params))),
    first: async <T>(sql: string, params?: unknown[]) => records<T>(rowsOf(await run(sql, params)))[0],
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

const rowsOf = (result: QueryResult) => result.records as Record<string, unknown>[];

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

/**
 * Whether Postgres can't be reached or is going down, so that the same statement may succeed later. A statement that
 * failed this way may or may not have been committed.
 */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error) ?? '';
  if (/^(08|57P0|53|25P03)/.test(state)) return true;
  if (
    ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'].includes(
      state,
    )
  ) {
    return true;
  }
  const message = error instanceof Error ? error.message : '';
  // The fifth is TypeORM's, for a connection that was lost between two statements of a transaction.
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Query runner already released|the database system is/i.test(
    message,
  );
}
