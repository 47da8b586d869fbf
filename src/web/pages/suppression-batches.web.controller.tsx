import { Get, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import type { Viewer } from '../../domain/permissions';
import { suppressionReasons } from '../../domain/suppression';
import { SuppressionBatches } from '../../features/consent/batches.service';
import { SuppressionImports } from '../../features/consent/suppression-imports.service';
import { Id } from '../../http/id.pipe';
import { takeUpload } from '../../http/upload';
import { Allows, CurrentViewer, TakesUpload } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import type { Reader } from '../reader';
import { CurrentReader } from '../readers.service';
import { Ask, type FormValues, oneOf, WebController } from '../web-controller';
import { SuppressionBatchPage, SuppressionBatchesPage } from './suppression-batches.page';

@WebController('suppressions/batches')
export class SuppressionBatchesWebController {
  constructor(
    private readonly imports: SuppressionImports,
    private readonly batches: SuppressionBatches,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  list(@CurrentViewer() viewer: Viewer, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    return this.answer(viewer, emptyForm(), cursor);
  }

  /** The reason comes before the file in the form, so that it is known when the file begins. */
  @Post()
  @TakesUpload()
  upload(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Req() request: Request,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        const { fileName, fields, stream } = await takeUpload(request, [], this.config.bodyIdleMs);
        const reason = oneOf(suppressionReasons, fields.get('reason'));
        const { id } = await this.imports.take(viewer, { fileName, ...(reason && { reason }) }, stream);
        return redirect(`/suppressions/batches/${id}`);
      },
      (state) => this.answer(viewer, state),
    );
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const batch = await this.batches.get(viewer, id);
    return page((t) => t.batches.title, <SuppressionBatchPage batch={batch} />);
  }

  @Post(':id/undo')
  async undo(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.batches.undo(viewer, { batchId: id });
    const { inForce } = await this.batches.get(viewer, id);
    return redirect(`/suppressions/batches/${id}`, inForce > 0 ? 'batchPartlyUndone' : 'batchUndone');
  }

  @Post(':id/suppress')
  @Allows('outages.decide')
  async suppress(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.batches.suppressAll(viewer, id);
    return redirect(`/suppressions/batches/${id}`, 'batchSuppressed');
  }

  private async answer(viewer: Viewer, form: FormState, cursor?: string): Promise<WebAnswer> {
    const found = await this.batches.list(viewer, { limit: 50, ...(cursor && { cursor }) });
    return page((t) => t.batches.title, <SuppressionBatchesPage page={found} form={form} />);
  }
}
