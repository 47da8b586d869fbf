import { Get, Post, type StreamableFile } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { suppressionReasons } from '../../domain/suppression';
import { SuppressionsService } from '../../features/consent/suppressions.service';
import { UnsubscribeService } from '../../features/runs/unsubscribe.service';
import { csvFile } from '../../http/csv-file';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController } from '../web-controller';
import { SuppressionsPage } from './suppressions.page';

@WebController('suppressions')
export class SuppressionsWebController {
  constructor(
    private readonly suppressions: SuppressionsService,
    private readonly unsubscribes: UnsubscribeService,
  ) {}

  @Get()
  list(@CurrentViewer() viewer: Viewer, @Ask() query: FormValues): Promise<WebAnswer> {
    return this.answer(viewer, query);
  }

  @Get('export.csv')
  async csv(@CurrentViewer() viewer: Viewer): Promise<StreamableFile> {
    return csvFile(this.suppressions.exportCsv(viewer), 'suppressions.csv');
  }

  @Post()
  add(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Form() form: FormValues): Promise<WebAnswer> {
    const { email = '', detail = '' } = form;
    return submit(
      reader,
      form,
      async () => {
        await this.unsubscribes.suppress(viewer, { email, detail }, 'user');
        return redirect('/suppressions', 'suppressed');
      },
      (state) => this.answer(viewer, {}, { add: state }),
    );
  }

  @Post(':id/lift')
  lift(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.suppressions.lift(viewer, id, form.reason ?? '');
        return redirect('/suppressions', 'lifted');
      },
      (state) => this.answer(viewer, {}, { lift: { id, state } }),
    );
  }

  private async answer(
    viewer: Viewer,
    { search, reason, lifted, cursor }: FormValues,
    { add = emptyForm(), lift }: { add?: FormState; lift?: { id: number; state: FormState } } = {},
  ): Promise<WebAnswer> {
    const chosen = oneOf(suppressionReasons, reason);
    const found = await this.suppressions.list(viewer, {
      limit: 50,
      lifted: lifted === 'true',
      ...(search && { search }),
      ...(chosen && { reason: chosen }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.suppressions.title, <SuppressionsPage viewer={viewer} page={found} add={add} lift={lift} />);
  }
}
