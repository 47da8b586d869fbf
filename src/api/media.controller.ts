import { Body, Delete, Get, HttpCode, Inject, Patch, Post, Query, Req } from '@nestjs/common';
import { IsString } from 'class-validator';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { PICTURE_BYTES, pictureTypes } from '../domain/media';
import type { Viewer } from '../domain/permissions';
import { problem } from '../domain/problems';
import { PicturesService } from '../features/messages/pictures.service';
import { takeFile } from '../http/files';
import { Id } from '../http/id.pipe';
import { UploadPlaces } from '../http/upload-places';
import { CurrentViewer, TakesUpload } from '../http/viewer';
import { SearchDto } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { fileUpload, Operation } from './openapi/operation';
import { count, id, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class PictureDto {
  @Optional()
  @IsString()
  @Said({ description: 'What stands in its place where pictures are not shown, in one line.' })
  alt?: string;
}

class PictureAnswer extends Shape({
  id,
  ownerId: id,
  hash: said('What documents name it by: `media:HASH`.', text),
  url: said('Where letters find it; public.', text),
  type: oneOf(pictureTypes),
  width: count,
  height: count,
  bytes: count,
  alt: text,
  name: said('The name of its file.', text),
  createdAt: time,
}) {}

const UPLOAD = fileUpload('JPEG, PNG, GIF or WebP, at most 10 MB.', {
  alt: { type: 'string', description: 'Before the file.' },
});

@ApiController('media')
export class MediaController {
  constructor(
    private readonly pictures: PicturesService,
    private readonly places: UploadPlaces,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Operation('Pictures for letters, newest first', pageOf(PictureAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: SearchDto) {
    const page = await this.pictures.list(viewer, query);
    return { ...page, items: page.items.map((picture) => PictureAnswer.of(picture)) };
  }

  @Post()
  @Operation('Add a picture; the same one again is the one that is there', PictureAnswer, {
    upload: UPLOAD,
    conflicts: ['MEDIA_FULL'],
    problems: [503],
  })
  @TakesUpload()
  create(@CurrentViewer() viewer: Viewer, @Req() request: Request): Promise<PictureAnswer> {
    return this.places.take(viewer.userId, async () => {
      const tooLarge = problem('picture_too_large', { max: PICTURE_BYTES });
      const file = await takeFile(request, { bytes: PICTURE_BYTES, tooLarge, idleMs: this.config.bodyIdleMs });
      return PictureAnswer.of(await this.pictures.add(viewer, { ...file, alt: file.fields.get('alt') ?? '' }));
    });
  }

  @Get(':id')
  @Operation('A picture', PictureAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return PictureAnswer.of(await this.pictures.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Change what stands in its place; messages keep what they have', PictureAnswer)
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() body: PictureDto) {
    return PictureAnswer.of(await this.pictures.change(viewer, id, body));
  }

  @Delete(':id')
  @Operation('Delete a picture that no message shows', null, { conflicts: ['MEDIA_IN_USE'] })
  @HttpCode(204)
  delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.pictures.delete(viewer, id);
  }
}
