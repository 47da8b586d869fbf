import { Get, Post, Req, StreamableFile } from '@nestjs/common';
import busboy from 'busboy';
import type { Request } from 'express';
import { Readable } from 'node:stream';
import { ValidationError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { ImportsService } from '../../features/clients/imports.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { WebController } from '../web-controller';
import { ImportFormPage, ImportLive, ImportPage } from './imports.page';

@WebController('clients/import')
export class ImportsWebController {
  constructor(private readonly imports: ImportsService) {}

  @Get()
  async blank(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    const { items } = await this.imports.list(viewer, { limit: 10 });
    return page((t) => t.imports.title, <ImportFormPage form={emptyForm()} imports={items} />);
  }

  /** The tick box stands before the file, so that it is known when the file begins. */
  @Post()
  begin(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Req() request: Request): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        const { fileName, dryRun, stream } = await upload(request);
        const { importId } = await this.imports.begin(viewer, { fileName, dryRun }, stream);
        return redirect(`/clients/import/${importId}`);
      },
      (state) => page((t) => t.imports.title, <ImportFormPage form={state} imports={[]} />),
    );
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const found = await this.imports.get(viewer, id);
    return page((t) => t.imports.title, <ImportPage found={found} />);
  }

  @Get(':id/live')
  async live(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return fragment(<ImportLive found={await this.imports.get(viewer, id)} />);
  }

  @Get(':id/errors.csv')
  async errors(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    return new StreamableFile(Readable.from(await this.imports.errorsCsv(viewer, id)), {
      disposition: `attachment; filename="import-${id}-errors.csv"`,
      type: 'text/csv; charset=utf-8',
    });
  }
}

function upload(request: Request): Promise<{ fileName: string; dryRun: boolean; stream: Readable }> {
  return new Promise((resolve, reject) => {
    if (!request.is('multipart/form-data')) throw new ValidationError([{ field: 'file', message: 'is missing' }]);
    let dryRun = false;
    const form = busboy({ headers: request.headers, limits: { files: 1, fields: 10 } });
    form.on('field', (name, value) => {
      if (name === 'check') dryRun = value === '1';
    });
    form.once('file', (_field, stream, { filename }) => {
      if (filename) resolve({ fileName: filename, dryRun, stream });
      else stream.resume();
    });
    form.once('close', () => reject(new ValidationError([{ field: 'file', message: 'is missing' }])));
    form.once('error', (error) => reject(error instanceof Error ? error : new Error(String(error))));
    request.pipe(form);
  });
}
