import { Readable } from 'node:stream';
import { type Database, type Transaction } from '../../database/database';
import { drain, sent, UnusableUpload } from '../../database/read-table';
import { problem } from '../../domain/problems';

/** How ZIP archives, which workbooks are, begin. */
const ZIP = 0x04034b50;
/** The length of all parts but the last. */
export const PART_BYTES = 256 * 1024;

/**
 * Cuts an upload into parts of one length, with bounded memory.
 * @returns its length
 * @throws UnusableUpload
 */
export async function takeParts(
  upload: Readable,
  maxBytes: number,
  write: (part: number, bytes: Buffer) => Promise<void>,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(PART_BYTES);
  let [filled, part, total] = [0, 0, 0];
  try {
    for await (const chunk of sent(upload)) {
      total += chunk.length;
      if (total > maxBytes) throw new UnusableUpload(problem('file_too_large', { max: maxBytes }));
      for (let at = 0; at < chunk.length;) {
        const copied = chunk.copy(buffer, filled, at);
        at += copied;
        filled += copied;
        if (filled < PART_BYTES) continue;
        await write(part++, buffer);
        filled = 0;
      }
    }
    if (filled > 0) await write(part, buffer.subarray(0, filled));
    return total;
  } catch (error) {
    drain(upload);
    throw error;
  }
}

export const keepPart = (tx: Transaction, importId: number, part: number, bytes: Buffer) =>
  tx.affected('INSERT INTO import_files (import_id, part, bytes) VALUES ($1, $2, $3)', [importId, part, bytes]);

/**
 * Counts a part of an import's file.
 * @throws UnusableUpload if the owner's files that wait or come in have more bytes together than they may
 */
export async function checkKept(tx: Transaction, importId: number, bytes: number, max: number): Promise<void> {
  const own = await tx.first<{ ownerId: number }>(
    'UPDATE imports SET file_bytes = file_bytes + $2 WHERE id = $1 RETURNING owner_id',
    [importId, bytes],
  );
  const kept = await tx.first<{ bytes: number }>(
    `SELECT coalesce(sum(file_bytes), 0)::bigint AS bytes FROM (
       SELECT owner_id, file_bytes FROM imports WHERE kept_at IS NOT NULL AND (status <> 'done' OR dry_run)
       UNION ALL
       SELECT owner_id, file_bytes FROM imports WHERE status = 'running' AND kept_at IS NULL AND staged_at IS NULL) i
      WHERE owner_id = $1`,
    [own?.ownerId],
  );
  if ((kept?.bytes ?? 0) > max) throw new UnusableUpload(problem('files_kept', { max }));
}

/** The upload, and whether it begins like a workbook. An upload that ends early is an error of its reader. */
export async function beginning(upload: Readable): Promise<{ isWorkbook: boolean; whole: Readable }> {
  const chunks = sent(upload)[Symbol.asyncIterator]();
  let first: IteratorResult<Buffer> | null = null;
  let failed: unknown = null;
  try {
    first = await chunks.next();
  } catch (error) {
    failed = error;
  }
  const all = async function* () {
    if (failed !== null) throw failed as Error;
    for (let chunk = first as IteratorResult<Buffer>; !chunk.done; chunk = await chunks.next()) yield chunk.value;
  };
  const head: Buffer = first && !first.done ? first.value : Buffer.alloc(0);
  return { isWorkbook: head.length >= 4 && head.readUInt32LE(0) === ZIP, whole: Readable.from(all()) };
}

/** A kept file; any place of it can be read. */
export class KeptFile {
  private last: { part: number; bytes: Buffer } | null = null;

  constructor(
    private readonly database: Database,
    private readonly importId: number,
    readonly bytes: number,
  ) {}

  stream(): Readable {
    return Readable.from(this.parts());
  }

  /** @throws UnusableUpload if the file is gone */
  async part(part: number): Promise<Buffer> {
    if (this.last?.part === part) return this.last.bytes;
    const row = await this.database.first<{ bytes: Buffer }>(
      'SELECT bytes FROM import_files WHERE import_id = $1 AND part = $2',
      [this.importId, part],
    );
    if (!row) throw new UnusableUpload(problem('upload_ended'));
    this.last = { part, bytes: row.bytes };
    return row.bytes;
  }

  private async *parts(): AsyncGenerator<Buffer> {
    for (let part = 0; part * PART_BYTES < this.bytes; part++) yield await this.part(part);
  }
}
