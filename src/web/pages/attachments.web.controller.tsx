import { Get, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { ATTACHMENTS_BYTES, ATTACHMENTS_MAX } from '../../domain/attachment';
import { mayChangeOf, type Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { AttachmentsService } from '../../features/messages/attachments.service';
import { MessagesService } from '../../features/messages/messages.service';
import { takeFiles } from '../../http/files';
import { Id } from '../../http/id.pipe';
import { UploadPlaces } from '../../http/upload-places';
import { CurrentViewer, TakesUpload } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { AttachmentsPage } from './attachments.page';

/** The files of a message: a page of their own, so that they are added and removed without sending the message's form. */
@WebController('messages/:id/attachments')
export class AttachmentsWebController {
  constructor(
    private readonly messages: MessagesService,
    private readonly attachments: AttachmentsService,
    private readonly places: UploadPlaces,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  list(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return this.all(viewer, id, emptyForm());
  }

  @Post()
  @TakesUpload()
  upload(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Req() request: Request,
  ): Promise<WebAnswer> {
    let refused = '';
    const began = (name: string) => void (refused = name);
    const tooLarge = problem('attachments_too_large', { max: ATTACHMENTS_BYTES });
    const limits = {
      files: ATTACHMENTS_MAX,
      bytes: ATTACHMENTS_BYTES,
      tooLarge,
      idleMs: this.config.bodyIdleMs,
      began,
    };
    return submit(
      reader,
      {},
      () =>
        this.places.take(viewer.userId, async () => {
          await takeFiles(request, limits, async (file) => void (await this.attachments.add(viewer, id, file)));
          return redirect(`/messages/${id}/attachments`, 'saved');
        }),
      (state) => this.all(viewer, id, { ...state, values: { refused } }),
    );
  }

  @Post('remove')
  async remove(@CurrentViewer() viewer: Viewer, @Id() id: number, @Form() form: FormValues): Promise<WebAnswer> {
    await this.attachments.delete(viewer, wholeNumber(form.attachment) ?? 0);
    return redirect(`/messages/${id}/attachments`, 'deleted');
  }

  private async all(viewer: Viewer, id: number, form: FormState): Promise<WebAnswer> {
    const message = await this.messages.get(viewer, id);
    const attachments = await this.attachments.list(viewer, id);
    return page(
      (t) => t.media.attachments,
      <AttachmentsPage
        message={message}
        attachments={attachments}
        form={form}
        mayChange={mayChangeOf(viewer, message.ownerId)}
      />,
    );
  }
}
