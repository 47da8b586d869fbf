import { finished, type Readable } from 'node:stream';
import busboy from 'busboy';
import type { Request } from 'express';
import { encodingNamed, type TextEncoding } from '../domain/csv-encoding';
import { DomainError, invalid } from '../domain/errors';
import { problem } from '../domain/problems';
import { failIfIdle, unsupported } from './body';

export interface Upload {
  fileName: string;
  /** The form's fields before the file. */
  fields: ReadonlyMap<string, string>;
  /**
   * Ends with an error if the sender disconnects or sends nothing for too long. If it is not read to the end, it must
   * be drained (`resume`).
   */
  stream: Readable;
}

const WORKBOOK_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
/** The types of files of clients. */
export const TABLE_TYPES = ['text/csv', WORKBOOK_TYPE];

/** What the sender declares of a table: its encoding, and whether it has a header (RFC 7111). */
export function declaredForm(request: Request): { charset: TextEncoding | null; hasHeader: boolean | null } {
  const type = request.is('multipart/form-data') ? '' : (request.headers['content-type'] ?? '');
  const parameter = (name: string) => new RegExp(`;\\s*${name}="?([^\\s;"]{1,40})`, 'i').exec(type)?.[1]?.toLowerCase();
  const header = parameter('header');
  return {
    charset: encodingNamed(parameter('charset') ?? ''),
    hasHeader: header === 'present' ? true : header === 'absent' ? false : null,
  };
}

/** Beside the file a form has one or two check boxes. */
const LIMITS = { files: 1, fields: 10, parts: 12, fieldSize: 1_000, fieldNameSize: 100 };

/**
 * The uploaded file of a request, while it comes in: its body if that is one of `types`, or the first file of a
 * multipart form.
 * @throws DomainError 415 for other bodies, 400 for a form without a file or a broken one
 */
export async function takeUpload(request: Request, types: string[], idleMs: number): Promise<Upload> {
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw unsupported('Send the file without Content-Encoding.');
  const isForm = request.is('multipart/form-data');
  if (!isForm && !request.is(types))
    throw unsupported(`Send the file as ${[...types, 'the field `file` of multipart/form-data'].join(', or as ')}.`);
  failIfIdle(request, idleMs);
  return isForm ? fileOf(request) : { fileName: '', fields: new Map(), stream: request };
}

function fileOf(request: Request): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const broken = () =>
      reject(new DomainError('invalid', 'BAD_REQUEST', 'The body is not a complete multipart form.'));
    let form: busboy.Busboy;
    try {
      form = busboy({ headers: request.headers, limits: LIMITS });
    } catch {
      broken();
      return;
    }
    const fields = new Map<string, string>();
    form.on('field', (name, value) => fields.set(name, value));
    form.on('file', (_field, stream, { filename }) => {
      // A form that ends too early is an error of its file, too; without a listener the error would end the process.
      stream.on('error', () => undefined);
      // A form that is sent without a file contains one without a name.
      if (!filename) stream.resume();
      else resolve({ fileName: filename, fields, stream });
    });
    form.on('error', broken);
    form.on('close', () => reject(invalid('file', problem('file_missing'))));
    // `pipe` does not report a lost connection to the form parser, which would wait for the rest of the file for ever.
    finished(request, { writable: false }, (error) => {
      if (error) form.destroy(error);
    });
    request.pipe(form);
  });
}
