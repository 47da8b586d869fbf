import { finished, type Readable } from 'node:stream';
import busboy from 'busboy';
import type { Request } from 'express';
import { DomainError, invalid } from '../domain/errors';
import { type CodedProblem, problem } from '../domain/problems';
import { failIfIdle, unsupported } from './body';

/** A file of a form, in memory. */
export interface TakenFile {
  name: string;
  /** The form's fields before the file. */
  fields: ReadonlyMap<string, string>;
  bytes: Buffer;
}

interface FileLimits {
  files: number;
  /** Of each file. */
  bytes: number;
  /** What is wrong with a larger one. */
  tooLarge: CodedProblem;
  idleMs: number;
  /** Called when the next file comes in. */
  began?: (name: string) => void;
}

const FIELDS = 10;
/** What a form adds to its files. */
const AROUND = 64 * 1024;

/**
 * Takes the files of a multipart form one after another, each whole; the next is read when `take` is done with the one
 * before. The first problem ends it: files before it stay taken.
 * @returns how many there were, at least one
 * @throws DomainError 415 for other bodies, 413, 400 for a form without a file or a broken one
 */
export async function takeFiles(
  request: Request,
  { files, bytes, tooLarge, idleMs, began }: FileLimits,
  take: (file: TakenFile) => Promise<void>,
): Promise<number> {
  if (!request.is('multipart/form-data')) throw unsupported('Send files as fields of multipart/form-data.');
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw unsupported('Send files without Content-Encoding.');
  if (Number(request.headers['content-length'] ?? 0) > files * bytes + AROUND)
    throw files === 1 ? invalid('file', tooLarge) : invalid('file', problem('too_many_files', { max: files }));
  failIfIdle(request, idleMs);
  const form = formOf(request, files, bytes);
  return new Promise<number>((resolve, reject) => {
    const fields = new Map<string, string>();
    let [taken, over] = [0, false];
    let work = Promise.resolve();
    const fail = (error: unknown) => {
      over = true;
      request.unpipe(form);
      // What nobody wants is read all the same: a browser shows an answer only when it has sent everything.
      request.resume();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const one = async (name: string, stream: Readable) => {
      if (over) return void stream.resume();
      began?.(name);
      const content = await contentOf(stream, bytes + 1);
      if (content.length > bytes) throw invalid('file', tooLarge);
      await take({ name, fields, bytes: content });
      taken++;
    };
    form.on('field', (name, value) => fields.set(name, value));
    form.on('file', (_field, stream, { filename }) => {
      // Without a listener the error of a form that ends too early would end the process.
      stream.on('error', () => undefined);
      if (!filename) stream.resume();
      else work = work.then(() => one(filename, stream)).catch(fail);
    });
    form.on('filesLimit', () => fail(invalid('file', problem('too_many_files', { max: files }))));
    form.on('error', () => fail(broken()));
    form.on('close', () => {
      void work.then(() => (taken === 0 ? fail(invalid('file', problem('file_missing'))) : resolve(taken)));
    });
    finished(request, { writable: false }, (error) => {
      if (error) form.destroy(error);
    });
    request.pipe(form);
  });
}

/** The only file of a form. */
export async function takeFile(request: Request, limits: Omit<FileLimits, 'files'>): Promise<TakenFile> {
  const found: TakenFile[] = [];
  await takeFiles(request, { ...limits, files: 1 }, (file) => {
    found.push(file);
    return Promise.resolve();
  });
  return found[0]!;
}

function formOf(request: Request, files: number, bytes: number): busboy.Busboy {
  const limits = {
    files,
    fields: FIELDS,
    parts: files + FIELDS,
    // One more: busboy says of a file that just fits that it was cut, too.
    fileSize: bytes + 1,
    fieldSize: 2_000,
    fieldNameSize: 100,
  };
  try {
    return busboy({ headers: request.headers, defParamCharset: 'utf8', limits });
  } catch {
    throw broken();
  }
}

const broken = () => new DomainError('invalid', 'BAD_REQUEST', 'The body is not a complete multipart form.');

/** In one growing buffer: very many small chunks would each cost more than their bytes. */
function contentOf(stream: Readable, max: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let all = Buffer.allocUnsafe(64 * 1024);
    let size = 0;
    stream.on('data', (piece: Buffer) => {
      if (size + piece.length > all.length) {
        const larger = Buffer.allocUnsafe(Math.min(max, 2 * (size + piece.length)));
        all.copy(larger, 0, 0, size);
        all = larger;
      }
      size += piece.copy(all, size);
    });
    stream.on('end', () => resolve(all.subarray(0, size)));
    stream.on('error', () => reject(broken()));
    stream.on('close', () => reject(broken()));
  });
}
