import { Get, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { NotFoundError } from '../../domain/errors';
import { backOf, formPage } from '../../domain/form-pages';
import { starterIds, startersOf } from '../../domain/letter-document/starters';
import type { Viewer } from '../../domain/permissions';
import { FormDrafts } from '../../features/drafts/form-drafts.service';
import { MessagesService } from '../../features/messages/messages.service';
import { PreviewService } from '../../features/messages/preview.service';
import { MESSAGE_BYTES } from '../../http/body';
import { CurrentViewer, TakesBodies } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { framed } from '../framed';
import { opened } from '../kept-form';
import { KeptForms } from '../kept-forms.service';
import { documentField, isDeed, withDocument } from '../letter/letter-form';
import type { Reader } from '../reader';
import { CurrentReader } from '../readers.service';
import { Ask, Form, type FormValues, WebController } from '../web-controller';
import { MessageParts, messageInput, plainly } from './message-parts.service';
import { MessageStartPage, type Start } from './message-start.page';
import { STARTER } from './starter-message';

const EMPTY = { subject: '', document: { preheader: '', doc: { type: 'doc', content: [{ type: 'paragraph' }] } } };

/** A message that is being written: what it begins with, its form, and its first saving. */
@WebController('messages/new')
@TakesBodies(MESSAGE_BYTES)
export class NewMessageWebController {
  constructor(
    private readonly messages: MessagesService,
    private readonly parts: MessageParts,
    private readonly kept: KeptForms,
    private readonly drafts: FormDrafts,
    private readonly previews: PreviewService,
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
    const { subject, document } = startersOf(reader.language).find(({ id }) => id === asked.starter) ?? EMPTY;
    const values = { subject, preheader: document.preheader, document: documentField(document.doc) };
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

  /** How a letter looks that one may begin with, as a made-up client would get it. */
  @Get('starters/:name')
  async look(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Param('name') name: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    const starter = startersOf(reader.language).find(({ id }) => `${id}.html` === name);
    if (!starter) throw new NotFoundError('Page', name.slice(0, 40));
    return framed(response, (await this.previews.ofDraft(viewer, starter)).html);
  }

  private async choice(viewer: Viewer, reader: Reader): Promise<WebAnswer> {
    const { letterEditor } = reader.t;
    const back = backOf(formPage(reader.path));
    const toForm = (query: Record<string, string>) =>
      formPage(`/messages/new?${new URLSearchParams({ ...query, ...(back && { back }) })}`) ?? '/messages/new';
    const starts: Start[] = [
      { id: 'empty', name: letterEditor.start.empty, to: toForm({ as: 'blocks' }) },
      ...starterIds.map((id) => ({
        id,
        name: letterEditor.start.starters[id],
        to: toForm({ as: 'blocks', starter: id }),
        look: `/messages/new/starters/${id}.html`,
      })),
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
