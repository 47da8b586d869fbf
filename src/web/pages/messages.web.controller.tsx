import { Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { NotFoundError, ValidationError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { worded } from '../../domain/problems';
import { ClientsService } from '../../features/clients/clients.service';
import { MessageDeletion } from '../../features/mailings/message-deletion.service';
import { MessagesService } from '../../features/messages/messages.service';
import { PreviewService } from '../../features/messages/preview.service';
import { Id } from '../../http/id.pipe';
import { MESSAGE_BYTES } from '../../http/body';
import { CurrentViewer, TakesBodies } from '../../http/viewer';
import { fragment, page, redirect, type WebAnswer } from '../answers';
import { cut } from '../../domain/cut';
import { framed } from '../framed';
import { opened, versionOf } from '../kept-form';
import { PreviewFrames } from '../preview-frames.service';
import { submit } from '../forms';
import { isDeed, withDocument } from '../letter/letter-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { MessageParts, messageInput, plainly, valuesOf } from './message-parts.service';
import { Preview } from './message-preview';
import { MessagesPage } from './messages.page';

const PREVIEW_ID = /^[0-9a-f-]{36}$/;

@WebController('messages')
@TakesBodies(MESSAGE_BYTES)
export class MessagesWebController {
  constructor(
    private readonly messages: MessagesService,
    private readonly deletion: MessageDeletion,
    private readonly previews: PreviewService,
    private readonly clients: ClientsService,
    private readonly frames: PreviewFrames,
    private readonly parts: MessageParts,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Ask() { search, cursor, ownerId }: FormValues): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const messages = await this.messages.list(viewer, {
      limit: 50,
      withTotal: true,
      ...(owner && { ownerId: owner }),
      ...(search && { search }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.messages.title, <MessagesPage messages={messages} />);
  }

  /** Renders the draft as a client would get it, and stores it for the frame, which fetches it by its own URL. */
  @Post('preview')
  @HttpCode(200)
  async preview(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() given: FormValues,
  ): Promise<WebAnswer> {
    const form = withDocument(given);
    const previewId = PREVIEW_ID.test(form.previewId ?? '') ? (form.previewId ?? '') : this.frames.newId();
    const revision = Date.now();
    try {
      const clientId = await this.clientOf(viewer, form.previewClient);
      const messageId = wholeNumber(form.previewOf);
      const owner = messageId && { ownerId: (await this.messages.get(viewer, messageId)).ownerId };
      const content = await this.previews.ofDraft(viewer, messageInput(form), {
        ...(clientId && { clientId }),
        ...owner,
      });
      await this.frames.keep(viewer, previewId, content.html);
      return fragment(<Preview form={form} content={content} previewId={previewId} revision={revision} />);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      const problems = (error.details.errors ?? []).map((found) => worded(reader.t.problems, found));
      return fragment(<Preview form={form} previewId={previewId} revision={revision} problems={problems} />);
    }
  }

  @Get('preview/:name')
  async letter(
    @CurrentViewer() viewer: Viewer,
    @Param('name') name: string,
    @Ask() { pictures }: FormValues,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const id = name.replace(/\.html$/, '');
    const html = PREVIEW_ID.test(id) ? await this.frames.read(viewer, id) : null;
    if (html === null) throw new NotFoundError('Preview', id.slice(0, 36));
    return framed(response, html, pictures !== '0');
  }

  @Get(':id')
  async show(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Ask() asked: FormValues,
  ): Promise<WebAnswer> {
    const message = await this.messages.get(viewer, id);
    const form = opened(reader, valuesOf(message), message.version);
    return this.parts.form(reader, viewer, plainly(asked, form), message);
  }

  @Post(':id')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() given: FormValues,
  ): Promise<WebAnswer> {
    let message = await this.messages.get(viewer, id);
    const form = withDocument(given);
    if (isDeed(form.then)) return this.parts.form(reader, viewer, { values: form, problems: {} }, message);
    return submit(
      reader,
      form,
      async () => {
        await this.messages.update(viewer, id, { ...messageInput(form), ...versionOf(form) });
        return redirect(`/messages/${id}`, 'saved');
      },
      (state) => this.parts.form(reader, viewer, state, message),
      async () => {
        message = await this.messages.get(viewer, id);
        return { values: valuesOf(message), version: message.version };
      },
    );
  }

  @Post(':id/test')
  async test(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return this.parts.sendTest(reader, viewer, form, await this.messages.get(viewer, id));
  }

  @Post(':id/copy')
  async copy(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const { name, subject } = await this.messages.get(viewer, id);
    const copyOf = (title: string, max: number) => cut(reader.t.mailings.copyOf(title), max);
    const called = name === '' ? { name, subject: copyOf(subject, 1_000) } : { name: copyOf(name, 200), subject };
    const made = await this.messages.copy(viewer, id, called);
    return redirect(`/messages/${made.id}`, 'copied');
  }

  /** Once, and not back: from here its source is edited. */
  @Post(':id/html')
  async toHtml(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const { body, bodyText } = await this.messages.get(viewer, id);
    await this.messages.update(viewer, id, { body, bodyText });
    return redirect(`/messages/${id}`, 'isHtml');
  }

  @Post(':id/delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.deletion.delete(viewer, id);
    return redirect('/messages', 'deleted');
  }

  private async clientOf(viewer: Viewer, search: string | undefined): Promise<number | undefined> {
    if (!search?.trim()) return undefined;
    const { items } = await this.clients.list(viewer, { limit: 1, search });
    return items[0]?.id;
  }
}
