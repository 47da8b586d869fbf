import type { PoolClient } from 'pg';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import type { Transaction } from './database';

/** One value in the text format of COPY; null is a NULL. */
export function copyValue(value: string | number | null): string {
  if (value === null) return '\\N';
  return typeof value === 'number' ? String(value) : value.replace(/[\\\n\r\t]/g, (c) => ESCAPES[c] as string);
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A row in the text format of COPY. */
export function copyRow(values: (string | number | null)[]): string {
  return `${values.map(copyValue).join('\t')}\n`;
}

/**
 * Copies rows (of `copyRow`) into a table within the transaction: the fastest way in, by an order of magnitude.
 * @param target the table and its columns, `clients (owner_id, email)`; never from outside
 */
export async function copyIn(tx: Transaction, target: string, rows: string): Promise<void> {
  if (rows === '') return;
  const client = (await tx.manager.queryRunner?.connect()) as PoolClient;
  await pipeline([rows], client.query(from(`COPY ${target} FROM STDIN`)));
}
