import { Delete, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { ATTACHMENTS_BYTES } from '../domain/attachment';
import type { Viewer } from '../domain/permissions';
import { problem } from '../domain/problems';
import { AttachmentsService } from '../features/messages/attachments.service';
import { takeFile } from '../http/files';
import { Id } from '../http/id.pipe';
import { UploadPlaces } from '../http/upload-places';
import { CurrentViewer, TakesUpload } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { fileUpload, Operation } from './openapi/operation';
import { count, id, listOf, part, said, Shape, text, time } from './openapi/shape';

class AttachmentAnswer extends Shape({
  id,
  name: said('As recipients see it.', text),
  type: text,
  bytes: count,
  createdAt: time,
}) {}

const UPLOAD = fileUpload('At most 10 MB with the others of the message; no programs, which mail servers refuse.');

@ApiController('', 'attachments')
export class AttachmentsController {
  constructor(
    private readonly attachments: AttachmentsService,
    private readonly places: UploadPlaces,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('messages/:id/attachments')
  @Operation("The files that a message's letters carry", listOf(part(AttachmentAnswer)))
  async list(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return (await this.attachments.list(viewer, id)).map((attachment) => AttachmentAnswer.of(attachment));
  }

  @Post('messages/:id/attachments')
  @Operation('Attach a file to a message, from the next run on', AttachmentAnswer, {
    upload: UPLOAD,
    conflicts: ['MEDIA_FULL'],
    problems: [503],
  })
  @TakesUpload()
  create(@CurrentViewer() viewer: Viewer, @Id() id: number, @Req() request: Request): Promise<AttachmentAnswer> {
    return this.places.take(viewer.userId, async () => {
      const tooLarge = problem('attachments_too_large', { max: ATTACHMENTS_BYTES });
      const file = await takeFile(request, { bytes: ATTACHMENTS_BYTES, tooLarge, idleMs: this.config.bodyIdleMs });
      return AttachmentAnswer.of(await this.attachments.add(viewer, id, file));
    });
  }

  @Delete('attachments/:id')
  @Operation('Remove an attachment, from the next run on', null)
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.attachments.delete(viewer, id);
  }
}
