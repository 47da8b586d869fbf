import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CsvTable, RejectedLine, TableHeader } from '../domain/csv-table';
import { type CodedProblem, problem } from '../domain/problems';

/** About so many bytes are collected before they are written in one short transaction. */
const BATCH_BYTES = 512 * 1024;
const TURN_ROWS = 500;
const TURN_BYTES = 64 * 1024;

/** The file can't be used as it is. */
export class UnusableUpload extends Error {
  constructor(readonly problem: CodedProblem) {
    super(problem.code);
  }
}

/** Where the lines of a file go. */
export interface TableSink<Row> {
  add(row: Row | RejectedLine): void;
  /** How many bytes wait to be written. */
  readonly bytes: number;
  write(): Promise<void>;
}

/**
 * Reads an uploaded table while it comes in, with bounded memory and without keeping a connection to the database while
 * the sender is slow. What is left for the sink to write at the end is left to the caller. After an error the rest of
 * the upload is read and dropped: if the connection were closed, the sender would not see the answer.
 * @throws UnusableUpload
 */
export async function readTable<Header extends TableHeader, Row extends { kind: string }>(
  table: CsvTable<Header, Row>,
  upload: Readable,
  maxBytes: number,
  sink: TableSink<Row>,
): Promise<void> {
  let [rows, bytes, turnAt] = [0, 0, TURN_BYTES];
  const take = async (items: ReturnType<typeof table.push>) => {
    for (const item of items) {
      if (isUnusable(item)) throw new UnusableUpload(item.problem);
      sink.add(item);
      // Gives other work of this process its turn after some milliseconds, however short the lines are.
      if (++rows % TURN_ROWS === 0) await nextTurn();
      if (sink.bytes > BATCH_BYTES) await sink.write();
    }
  };
  try {
    for await (const chunk of sent(upload)) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new UnusableUpload(problem('file_too_large', { max: maxBytes }));
      await take(table.push(chunk));
      // Lines may be skipped without a row.
      if (bytes < turnAt) continue;
      turnAt = bytes + TURN_BYTES;
      await nextTurn();
    }
    await take(table.end());
  } catch (error) {
    drain(upload);
    throw error;
  }
}

/** Reads the rest of an upload and drops it. It may end with an error, which without a listener would end the process. */
export const drain = (upload: Readable): unknown => upload.on('error', () => undefined).resume();

const isUnusable = (item: { kind: string }): item is { kind: 'unusable'; problem: CodedProblem } =>
  item.kind === 'unusable';

/** The chunks of the upload. @throws UnusableUpload if the sender disconnects before the end */
export async function* sent(upload: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of upload.iterator({ destroyOnReturn: false }))
      yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
  } catch {
    throw new UnusableUpload(problem('upload_ended'));
  }
}
