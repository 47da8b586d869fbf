import { Injectable } from '@nestjs/common';
import { formPage } from '../../domain/form-pages';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { isOffered } from '../../features/clients/field-definitions';
import { FieldsService } from '../../features/clients/fields.service';
import type { MessageInput, MessageWithUse } from '../../features/messages/messages.service';
import { TestNoticesService } from '../../features/messages/test-notices.service';
import { type FormState, page, redirect, type WebAnswer } from '../answers';
import type { FormValues } from '../form-state';
import { submit } from '../forms';
import { KeptForms } from '../kept-forms.service';
import { documentField, givenDocument, hasBlocks, withDocument } from '../letter/letter-form';
import { messageTitle } from '../message-title';
import { PreviewFrames } from '../preview-frames.service';
import type { Reader } from '../reader';
import { MessagePage } from './messages.page';

/** The form of a message, new or not, and the letter by which its author looks at it. */
@Injectable()
export class MessageParts {
  constructor(
    private readonly frames: PreviewFrames,
    private readonly testNotices: TestNoticesService,
    private readonly fields: FieldsService,
    private readonly kept: KeptForms,
  ) {}

  async form(reader: Reader, viewer: Viewer, form: FormState, message?: MessageWithUse): Promise<WebAnswer> {
    const owner = writableOwner(viewer);
    const fields = await this.fields.of(viewer, message?.ownerId ?? viewer.userId);
    const mayChange = !message || owner === null || owner === message.ownerId;
    const body = (
      <MessagePage
        form={{ ...form, values: withDocument(form.values), problems: atFields(form.problems) }}
        mayChange={mayChange}
        fields={fields.filter(isOffered)}
        previewId={this.frames.newId()}
        ownEmail={reader.user?.email ?? ''}
        {...(message && { message })}
      />
    );
    return page((t) => (message ? messageTitle(message, t) : t.messages.new), body);
  }

  /** Sends what stands in the form, which stays there as a draft. */
  sendTest(reader: Reader, viewer: Viewer, given: FormValues, message?: MessageWithUse): Promise<WebAnswer> {
    const form = withDocument(given);
    return submit(
      reader,
      form,
      async () => {
        await this.testNotices.sendDraft(viewer, messageInput(form), message);
        const at = formPage(form.page);
        if (at) await this.kept.keep(viewer, at, form);
        return redirect(at ?? (message ? `/messages/${message.id}` : '/messages/new'), 'testSent');
      },
      (state) => this.form(reader, viewer, state, message),
    );
  }
}

/** The document's preview line is a field of its own. */
const atFields = (problems: FormState['problems']): FormState['problems'] =>
  Object.fromEntries(
    Object.entries(problems).map(([name, problem]) => [name.replace(/^document\.preheader$/, 'preheader'), problem]),
  );

/** What a form makes of a message. */
export function messageInput(form: FormValues): MessageInput {
  const { name = '', subject = '', body = '', bodyText = null } = form;
  const about = { name, subject };
  return hasBlocks(form) ? { ...about, document: givenDocument(form) } : { ...about, body, bodyText };
}

/** What the form of a message contains. */
export const valuesOf = ({ name, subject, body, bodyText, document }: MessageWithUse): FormValues =>
  document === null
    ? { name, subject, body, bodyText: bodyText ?? '' }
    : { name, subject, preheader: document.preheader, document: documentField(document.doc) };

/** With `?plain=1` in its address, a form shows blocks as fields also where there is a script. */
export const plainly = ({ plain }: FormValues, form: FormState): FormState =>
  plain ? { ...form, values: { ...form.values, plain: '1' } } : form;
