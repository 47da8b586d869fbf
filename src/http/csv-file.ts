import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';

/**
 * A file that is written while it is read. Its first piece is there before the answer begins, so that what goes wrong at
 * once is an error and no file; what goes wrong later breaks the connection off, so that half a file is never taken for one.
 */
export async function csvFile(pieces: AsyncIterable<string>, fileName: string): Promise<StreamableFile> {
  const rest = pieces[Symbol.asyncIterator]();
  const first = await rest.next();
  const all = async function* () {
    for (let piece = first; !piece.done; piece = await rest.next()) yield piece.value;
  };
  return new StreamableFile(Readable.from(all()), {
    disposition: `attachment; filename="${fileName}"`,
    type: 'text/csv; charset=utf-8',
  });
}
