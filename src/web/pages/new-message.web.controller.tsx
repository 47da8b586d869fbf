import { Get, Post } from '@nestjs/common';
import { backOf, formPage } from '../../domain/form-pages';
import type { Viewer } from '../../domain/permissions';
import { FormDrafts } from '../../features/drafts/form-drafts.service';
import { MessagesService } from '../../features/messages/messages.service';
import { MESSAGE_BYTES } from '../../http/body';
import { CurrentViewer, TakesBodies } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { opened } from '../kept-form';
import { KeptForms } from '../kept-forms.service';
import { documentField, isDeed, withDocument } from '../letter/letter-form';
import type { Reader } from '../reader';
import { CurrentReader } from '../readers.service';
import { Ask, Form, type FormValues, WebController } from '../web-controller';
import { MessageParts, messageInput, plainly } from './message-parts.service';
import { MessageStartPage, type Start } from './message-start.page';
import { STARTER } from './starter-message';

const EMPTY = { type: 'doc', content: [{ type: 'paragraph' }] };

/** A message that is being written: what it begins with, its form, and its first saving. */
@WebController('messages/new')
@TakesBodies(MESSAGE_BYTES)
export class NewMessageWebController {
  constructor(
    private readonly messages: MessagesService,
    private readonly parts: MessageParts,
    private readonly kept: KeptForms,
    private readonly drafts: FormDrafts,
  ) {}

  @Get()
  async begin(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Ask() asked: FormValues,
  ): Promise<WebAnswer> {
    // Drafts of before there was a choice are HTML.
    if (asked.as === 'html' || (asked.as === undefined && reader.draft))
      return this.parts.form(reader, viewer, opened(reader, { subject: '', body: STARTER[reader.language] }));
    if (asked.as !== 'blocks') return this.choice(viewer, reader);
    const values = { subject: '', preheader: '', document: documentField(EMPTY) };
    return this.parts.form(reader, viewer, plainly(asked, opened(reader, values)));
  }

  @Post()
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() given: FormValues,
  ): Promise<WebAnswer> {
    const form = withDocument(given);
    if (isDeed(form.then)) return this.parts.form(reader, viewer, { values: form, problems: {} });
    return submit(
      reader,
      form,
      async () => {
        const { id } = await this.messages.create(viewer, messageInput(form));
        const back = backOf(formPage(form.page));
        if (back === null) return redirect(`/messages/${id}`, 'saved');
        await this.kept.choose(viewer, back, { messageId: String(id) });
        return redirect(back, 'saved');
      },
      (state) => this.parts.form(reader, viewer, state),
    );
  }

  @Post('test')
  test(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Form() form: FormValues): Promise<WebAnswer> {
    return this.parts.sendTest(reader, viewer, form);
  }

  private async choice(viewer: Viewer, reader: Reader): Promise<WebAnswer> {
    const { letterEditor } = reader.t;
    const back = backOf(formPage(reader.path));
    const toForm = (query: Record<string, string>) =>
      formPage(`/messages/new?${new URLSearchParams({ ...query, ...(back && { back }) })}`) ?? '/messages/new';
    const starts: Start[] = [
      { id: 'empty', name: letterEditor.start.empty, to: toForm({ as: 'blocks' }) },
      { id: 'html', name: letterEditor.start.html, to: toForm({ as: 'html' }) },
    ];
    const kept = await this.drafts.keptAt(
      viewer.userId,
      starts.map(({ to }) => to),
    );
    const told = starts.map((start) => ({ ...start, draftAt: kept.get(start.to) }));
    return page(
      (t) => t.messages.new,
      <MessageStartPage blocks={told.filter(({ id }) => id !== 'html')} html={told.at(-1)!} />,
    );
  }
}
