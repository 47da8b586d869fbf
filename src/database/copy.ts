import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from } from 'pg-copy-streams';
import type { Transaction } from './database';

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Rows in the text format of COPY, gathered in a buffer outside of the heap: millions of rows cause no garbage
 * collection.
 */
export class CopyBuffer {
  private buffer = Buffer.allocUnsafe(64 * 1024);
  /** In bytes. */
  length = 0;

  /** null is a NULL. */
  add(values: (string | number | null)[]): void {
    const row = `${values.map(copyValue).join('\t')}\n`;
    const most = this.length + 3 * row.length;
    if (most > this.buffer.length) {
      const larger = Buffer.allocUnsafe(2 * most);
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    this.length += this.buffer.write(row, this.length);
  }

  /** Valid until the next `add`. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}

function copyValue(value: string | number | null): string {
  if (value === null) return '\\N';
  return typeof value === 'number' ? String(value) : value.replace(/[\\\n\r\t]/g, (c) => ESCAPES[c] as string);
}

/**
 * Copies rows into a table within the transaction: ten times as fast as INSERT.
 * @param target the table and its columns, `clients (owner_id, email)`; never from outside
 */
export async function copyIn(tx: Transaction, target: string, rows: Buffer): Promise<void> {
  if (rows.length === 0) return;
  const client = (await tx.manager.queryRunner?.connect()) as PoolClient;
  await pipeline([rows], client.query(from(`COPY ${target} FROM STDIN`)));
}
