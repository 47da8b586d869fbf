import { Get, HttpCode, Post, Req } from '@nestjs/common';
import { invalid } from '../../domain/errors';
import { formPage, mailingForm } from '../../domain/form-pages';
import { problem } from '../../domain/problems';
import type { Viewer } from '../../domain/permissions';
import { FormDrafts } from '../../features/drafts/form-drafts.service';
import { MESSAGE_BYTES } from '../../http/body';
import { csrfTokenOf } from '../../http/csrf';
import { type AuthenticatedRequest, CurrentViewer, TakesBodies } from '../../http/viewer';
import { redirect, type WebAnswer } from '../answers';
import { keptFields } from '../kept-form';
import { Ask, Form, type FormValues, WebController } from '../web-controller';

/** What is typed into forms, before it is saved. Everybody has only their own drafts. */
@WebController('drafts')
@TakesBodies(MESSAGE_BYTES)
export class DraftsWebController {
  constructor(private readonly drafts: FormDrafts) {}

  /** For the script that keeps drafts. */
  @Post()
  @HttpCode(200)
  async keep(@CurrentViewer() viewer: Viewer, @Form() form: FormValues): Promise<{ keptAt: Date }> {
    return { keptAt: await this.drafts.keep(viewer.userId, pageOf(form.page), keptFields(form)) };
  }

  /** Who is signed in by now, and the token for a form that was opened before. */
  @Get('token')
  token(@CurrentViewer() viewer: Viewer, @Req() request: AuthenticatedRequest): { userId: number; csrfToken: string } {
    return { userId: viewer.userId, csrfToken: csrfTokenOf(request) };
  }

  @Post('discard')
  async discard(@CurrentViewer() viewer: Viewer, @Ask() { page }: FormValues): Promise<WebAnswer> {
    const known = pageOf(page);
    await this.drafts.drop(viewer.userId, known);
    return redirect(known);
  }

  /** A mailing's form waits while its message is being written. */
  @Post('new-message')
  async newMessage(@CurrentViewer() viewer: Viewer, @Form() form: FormValues): Promise<WebAnswer> {
    const page = pageOf(form.page);
    const back = mailingForm(page);
    if (back === null) throw invalid('page', problem('one_of', { options: ['/mailings/new', '/mailings/:id/edit'] }));
    await this.drafts.keep(viewer.userId, page, keptFields(form));
    return redirect(`/messages/new?back=${encodeURIComponent(back)}`);
  }

  /** A sender's form waits while its logo is being chosen. */
  @Post('logo')
  async logo(@CurrentViewer() viewer: Viewer, @Form() form: FormValues): Promise<WebAnswer> {
    await this.drafts.keep(viewer.userId, '/sender', keptFields(form));
    return redirect('/sender/logo');
  }
}

/** @throws ValidationError for what is no page of a form */
function pageOf(given: string | undefined): string {
  const page = formPage(given);
  if (page === null) throw invalid('page', problem('required'));
  return page;
}
