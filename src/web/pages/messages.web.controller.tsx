import { Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { NotFoundError, ValidationError } from '../../domain/errors';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { worded } from '../../domain/problems';
import { ClientsService } from '../../features/clients/clients.service';
import { isOffered } from '../../features/clients/field-definitions';
import { FieldsService } from '../../features/clients/fields.service';
import { MessageDeletion } from '../../features/mailings/message-deletion.service';
import { type MessageInput, MessagesService, type MessageWithUse } from '../../features/messages/messages.service';
import { TestNoticesService } from '../../features/messages/test-notices.service';
import { PreviewService } from '../../features/messages/preview.service';
import { Id } from '../../http/id.pipe';
import { MESSAGE_BYTES } from '../../http/body';
import { CurrentViewer, TakesBodies } from '../../http/viewer';
import { type FormState, fragment, page, redirect, type WebAnswer } from '../answers';
import { cut } from '../../domain/cut';
import { backOf, formPage } from '../../domain/form-pages';
import { framed } from '../framed';
import { opened, versionOf } from '../kept-form';
import { KeptForms } from '../kept-forms.service';
import { PreviewFrames } from '../preview-frames.service';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { messageTitle } from '../message-title';
import { MessagePage, MessagesPage, Preview } from './messages.page';
import { STARTER } from './starter-message';

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
    private readonly testNotices: TestNoticesService,
    private readonly fields: FieldsService,
    private readonly kept: KeptForms,
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

  @Get('new')
  blank(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    return this.editor(reader, viewer, opened(reader, { subject: '', body: STARTER[reader.language] }));
  }

  @Post('new')
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const { id } = await this.messages.create(viewer, input(form));
        const back = backOf(formPage(form.page));
        if (back === null) return redirect(`/messages/${id}`, 'saved');
        await this.kept.choose(viewer, back, { messageId: String(id) });
        return redirect(back, 'saved');
      },
      (state) => this.editor(reader, viewer, state),
    );
  }

  @Post('new/test')
  testNew(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return this.sendTest(reader, viewer, form);
  }

  /** Renders the draft as a client would get it, and stores it for the frame, which fetches it by its own URL. */
  @Post('preview')
  @HttpCode(200)
  async preview(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const previewId = PREVIEW_ID.test(form.previewId ?? '') ? (form.previewId ?? '') : this.frames.newId();
    const revision = Date.now();
    try {
      const clientId = await this.clientOf(viewer, form.previewClient);
      const messageId = wholeNumber(form.previewOf);
      const owner = messageId && { ownerId: (await this.messages.get(viewer, messageId)).ownerId };
      const content = await this.previews.ofDraft(viewer, input(form), { ...(clientId && { clientId }), ...owner });
      await this.frames.keep(viewer, previewId, content.html);
      return fragment(<Preview content={content} previewId={previewId} revision={revision} />);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      const problems = (error.details.errors ?? []).map((found) => worded(reader.t.problems, found));
      return fragment(<Preview previewId={previewId} revision={revision} problems={problems} />);
    }
  }

  @Get('preview/:name')
  async letter(
    @CurrentViewer() viewer: Viewer,
    @Param('name') name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const id = name.replace(/\.html$/, '');
    const html = PREVIEW_ID.test(id) ? await this.frames.read(viewer, id) : null;
    if (html === null) throw new NotFoundError('Preview', id.slice(0, 36));
    return framed(response, html);
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const message = await this.messages.get(viewer, id);
    return this.editor(reader, viewer, opened(reader, valuesOf(message), message.version), message);
  }

  @Post(':id')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    let message = await this.messages.get(viewer, id);
    return submit(
      reader,
      form,
      async () => {
        await this.messages.update(viewer, id, { ...input(form), ...versionOf(form) });
        return redirect(`/messages/${id}`, 'saved');
      },
      (state) => this.editor(reader, viewer, state, message),
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
    return this.sendTest(reader, viewer, form, await this.messages.get(viewer, id));
  }

  @Post(':id/copy')
  async copy(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const { name, subject } = await this.messages.get(viewer, id);
    const copyOf = (title: string, max: number) => cut(reader.t.mailings.copyOf(title), max);
    const called = name === '' ? { name, subject: copyOf(subject, 1_000) } : { name: copyOf(name, 200), subject };
    const made = await this.messages.copy(viewer, id, called);
    return redirect(`/messages/${made.id}`, 'copied');
  }

  @Post(':id/delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.deletion.delete(viewer, id);
    return redirect('/messages', 'deleted');
  }

  /** Sends what stands in the form, which stays there as a draft. */
  private sendTest(reader: Reader, viewer: Viewer, form: FormValues, message?: MessageWithUse): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.testNotices.sendDraft(viewer, input(form), message);
        const page = formPage(form.page);
        if (page) await this.kept.keep(viewer, page, form);
        return redirect(page ?? (message ? `/messages/${message.id}` : '/messages/new'), 'testSent');
      },
      (state) => this.editor(reader, viewer, state, message),
    );
  }

  private async editor(reader: Reader, viewer: Viewer, form: FormState, message?: MessageWithUse): Promise<WebAnswer> {
    const owner = writableOwner(viewer);
    const fields = await this.fields.of(viewer, message?.ownerId ?? viewer.userId);
    const mayChange = !message || owner === null || owner === message.ownerId;
    const body = (
      <MessagePage
        form={form}
        mayChange={mayChange}
        fields={fields.filter(isOffered)}
        previewId={this.frames.newId()}
        ownEmail={reader.user?.email ?? ''}
        {...(message && { message })}
      />
    );
    return page((t) => (message ? messageTitle(message, t) : t.messages.new), body);
  }

  private async clientOf(viewer: Viewer, search: string | undefined): Promise<number | undefined> {
    if (!search?.trim()) return undefined;
    const { items } = await this.clients.list(viewer, { limit: 1, search });
    return items[0]?.id;
  }
}

function input(form: FormValues): MessageInput {
  return { subject: form.subject ?? '', body: form.body ?? '', bodyText: form.bodyText ?? null };
}

const valuesOf = ({ subject, body, bodyText }: MessageWithUse): FormValues => ({
  subject,
  body,
  bodyText: bodyText ?? '',
});
