import { Get, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { NotFoundError } from '../../domain/errors';
import { mediaUrl, PICTURE_BYTES } from '../../domain/media';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { SendersService } from '../../features/consent/senders.service';
import { FormDrafts } from '../../features/drafts/form-drafts.service';
import { PicturesService } from '../../features/messages/pictures.service';
import { takeFiles } from '../../http/files';
import { UploadPlaces } from '../../http/upload-places';
import { CurrentViewer, TakesUpload } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { keptFields, opened } from '../kept-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { LogoPage } from './logo.page';
import { senderValues } from './sender.web.controller';

const SENDER = '/sender';

/** A picture for the logo of a sender, whose form waits as a draft meanwhile; it is saved there. */
@WebController('sender/logo')
export class LogoWebController {
  constructor(
    private readonly pictures: PicturesService,
    private readonly senders: SendersService,
    private readonly drafts: FormDrafts,
    private readonly places: UploadPlaces,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  list(@CurrentViewer() viewer: Viewer, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    return this.all(viewer, { ...(cursor && { cursor }) });
  }

  @Post()
  @TakesUpload()
  upload(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Req() request: Request,
  ): Promise<WebAnswer> {
    const tooLarge = problem('picture_too_large', { max: PICTURE_BYTES });
    const limits = { files: 1, bytes: PICTURE_BYTES, tooLarge, idleMs: this.config.bodyIdleMs };
    return submit(
      reader,
      {},
      () =>
        this.places.take(viewer.userId, async () => {
          await takeFiles(request, limits, async (file) => this.take(viewer, await this.pictures.add(viewer, file)));
          return redirect(SENDER);
        }),
      (add) => this.all(viewer, { add }),
    );
  }

  @Post('choose')
  choose(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const id = wholeNumber(form.picture) ?? 0;
        const picture = await this.pictures.get(viewer, id);
        if (picture.ownerId !== viewer.userId) throw new NotFoundError('Picture', id);
        await this.take(viewer, picture);
        return redirect(SENDER);
      },
      (state) => this.all(viewer, { form: state }),
    );
  }

  /** Puts it into the form that waits, or into one as it is saved. */
  private async take(viewer: Viewer, { hash }: { hash: string }): Promise<void> {
    const waiting = await this.drafts.read(viewer.userId, SENDER);
    const { values, version } = await senderValues(this.senders, viewer, this.config);
    const fields = waiting?.fields ?? keptFields(opened({ draft: null }, values, version).values);
    await this.drafts.keep(viewer.userId, SENDER, { ...fields, logo: mediaUrl(this.config.publicUrl, hash) });
  }

  private async all(
    viewer: Viewer,
    { cursor, form = emptyForm(), add = emptyForm() }: { cursor?: string; form?: FormState; add?: FormState },
  ): Promise<WebAnswer> {
    const pictures = await this.pictures.list(viewer, { limit: 24, ownerId: viewer.userId, ...(cursor && { cursor }) });
    return page((t) => t.brand.logoChoose, <LogoPage pictures={pictures} form={form} add={add} />);
  }
}
