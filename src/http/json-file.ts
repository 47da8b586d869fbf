import { StreamableFile } from '@nestjs/common';

/** A download of this value as JSON, for people to read. */
export const jsonFile = (value: object, fileName: string): StreamableFile =>
  new StreamableFile(Buffer.from(`${JSON.stringify(value, null, 2)}\n`), {
    disposition: `attachment; filename="${fileName}"`,
    type: 'application/json; charset=utf-8',
  });
