import { Database, type Sql, sqlState, type Transaction } from './database';

const CANCELLED = '57014';

/**
 * Reads something whose cost nobody knows before, each statement for at most so many milliseconds. @returns null if
 * that was too short. It may have to wait for others before (see Shares). `work` must only read: what it does is rolled back, and with it the time limit, so that a
 * transaction goes on as before.
 */
export async function within<T>(
  sql: Database | Transaction,
  ms: number,
  work: (sql: Sql) => Promise<T>,
): Promise<{ value: T } | null> {
  if (sql instanceof Database) return sql.shares.take(() => sql.transaction((tx) => within(tx, ms, work)));
  await sql.affected('SAVEPOINT bounded');
  try {
    await limitStatements(sql, ms);
    return { value: await work(sql) };
  } catch (error) {
    if (!tookTooLong(error)) throw error;
    return null;
  } finally {
    await sql.affected('ROLLBACK TO SAVEPOINT bounded').catch(() => undefined);
  }
}

/** From now until the transaction, or the savepoint, is over. */
export const limitStatements = (tx: Sql, ms: number) =>
  tx.rows(`SELECT set_config('statement_timeout', $1, true)`, [String(ms)]);

export const tookTooLong = (error: unknown): boolean => sqlState(error) === CANCELLED;
