import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { ReportPart } from '../features/statistics/reports.service';

/**
 * A file that is generated while it is sent. Its first chunk is made before the answer begins, so that an early failure
 * is an error answer; a later one breaks the connection, so that an incomplete file is never taken for a complete one.
 */
export async function csvFile(pieces: AsyncIterable<string>, fileName: string): Promise<StreamableFile> {
  const rest = pieces[Symbol.asyncIterator]();
  // Later pieces are asked for by the stream, which does not know for whom.
  const asTheRequest = AsyncLocalStorage.snapshot();
  const first = await rest.next();
  const all = async function* () {
    for (let piece = first; !piece.done; piece = await asTheRequest(() => rest.next())) yield piece.value;
  };
  return new StreamableFile(Readable.from(all()), headers(fileName));
}

/** A part of a report. */
export const reportFile = (csv: string, part: ReportPart | 'providers'): StreamableFile =>
  new StreamableFile(Buffer.from(csv), headers(`report-${part}.csv`));

const headers = (fileName: string) => ({
  disposition: `attachment; filename="${fileName}"`,
  type: 'text/csv; charset=utf-8',
});
