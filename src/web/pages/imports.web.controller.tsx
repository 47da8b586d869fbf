import { Get, Inject, Post, Req, StreamableFile } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import type { Viewer } from '../../domain/permissions';
import { worded } from '../../domain/problems';
import { ImportsService } from '../../features/clients/imports.service';
import { Id } from '../../http/id.pipe';
import { csvFile } from '../../http/csv-file';
import { takeUpload } from '../../http/upload';
import { CurrentViewer, TakesUpload } from '../../http/viewer';
import { emptyForm, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { WebController } from '../web-controller';
import { ImportFormPage, ImportLive, ImportPage } from './imports.page';

@WebController('clients/import')
export class ImportsWebController {
  constructor(
    private readonly imports: ImportsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async blank(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    const { items } = await this.imports.list(viewer, { limit: 10 });
    return page((t) => t.imports.title, <ImportFormPage form={emptyForm()} imports={items} />);
  }

  /** The check box comes before the file in the form, so that it is known when the file begins. */
  @Post()
  @TakesUpload()
  begin(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Req() request: Request): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        const { fileName, fields, stream } = await takeUpload(request, [], this.config.bodyIdleMs);
        const dryRun = fields.get('check') === '1';
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
  async errors(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() { t }: Reader,
    @Id() id: number,
  ): Promise<StreamableFile> {
    const lines = await this.imports.errorsCsv(viewer, id, (found) => worded(t.problems, found));
    return csvFile(lines, `import-${id}-errors.csv`);
  }
}
