import { Get, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { PICTURE_BYTES } from '../../domain/media';
import { mayChangeOf, type Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { PicturesService } from '../../features/messages/pictures.service';
import { takeFiles } from '../../http/files';
import { Id } from '../../http/id.pipe';
import { UploadPlaces } from '../../http/upload-places';
import { CurrentViewer, TakesUpload } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { PicturePage, PicturesPage } from './pictures.page';

const LIST = '/messages/pictures';
const FILES_AT_ONCE = 20;

@WebController('messages/pictures')
export class PicturesWebController {
  constructor(
    private readonly pictures: PicturesService,
    private readonly places: UploadPlaces,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  list(@CurrentViewer() viewer: Viewer, @Ask() query: FormValues): Promise<WebAnswer> {
    return this.all(viewer, query, emptyForm());
  }

  @Post()
  @TakesUpload()
  upload(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Req() request: Request,
  ): Promise<WebAnswer> {
    let refused = '';
    const began = (name: string) => void (refused = name);
    const tooLarge = problem('picture_too_large', { max: PICTURE_BYTES });
    const limits = { files: FILES_AT_ONCE, bytes: PICTURE_BYTES, tooLarge, idleMs: this.config.bodyIdleMs, began };
    return submit(
      reader,
      {},
      () =>
        this.places.take(viewer.userId, async () => {
          await takeFiles(request, limits, async (file) => void (await this.pictures.add(viewer, file)));
          return redirect(LIST, 'saved');
        }),
      (state) => this.all(viewer, {}, { ...state, values: { refused } }),
    );
  }

  @Get(':id')
  show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return this.one(viewer, id);
  }

  @Post(':id')
  change(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.pictures.change(viewer, id, { alt: form.alt ?? '' });
        return redirect(LIST, 'saved');
      },
      (state) => this.one(viewer, id, state),
    );
  }

  @Post(':id/delete')
  delete(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        await this.pictures.delete(viewer, id);
        return redirect(LIST, 'deleted');
      },
      (state) => this.one(viewer, id, state),
    );
  }

  private async all(viewer: Viewer, { search, cursor, ownerId }: FormValues, add: FormState): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const pictures = await this.pictures.list(viewer, {
      limit: 24,
      withTotal: true,
      ...(search && { search }),
      ...(cursor && { cursor }),
      ...(owner && { ownerId: owner }),
    });
    return page((t) => t.media.title, <PicturesPage pictures={pictures} add={add} />);
  }

  private async one(viewer: Viewer, id: number, given?: FormState): Promise<WebAnswer> {
    const picture = await this.pictures.get(viewer, id);
    const form = given ? { ...given, values: { alt: picture.alt, ...given.values } } : emptyForm({ alt: picture.alt });
    return page(
      () => picture.name,
      <PicturePage picture={picture} form={form} mayChange={mayChangeOf(viewer, picture.ownerId)} />,
    );
  }
}
