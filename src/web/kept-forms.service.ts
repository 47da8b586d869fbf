import { Inject, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { DomainError } from '../domain/errors';
import { formPage, inWindow, pageOfNew } from '../domain/form-pages';
import type { Viewer } from '../domain/permissions';
import { type FormDraft, FormDrafts } from '../features/drafts/form-drafts.service';
import { SessionsService } from '../features/users/sessions.service';
import { MESSAGE_BYTES, readBody } from '../http/body';
import { CSRF_FIELD } from '../http/csrf';
import { sessionTokenOf } from '../http/session-cookie';
import type { AuthenticatedRequest } from '../http/viewer';
import { Limits } from '../queue/limits';
import type { WebAnswer } from './answers';
import { setFlash } from './flash';
import { formKey, KEY_PREFIX } from './form-key';
import { type FormValues, textsOnly } from './form-state';
import { isDraftOf, keptFields } from './kept-form';
import { hasBlocks } from './letter/letter-form';
import { localPath } from './local-path';
import { pageBefore } from './way-back';

/** Keeps what was typed into forms when it can't be saved: drafts, sessions that are over, tokens of another session. */
@Injectable()
export class KeptForms {
  constructor(
    private readonly drafts: FormDrafts,
    private readonly sessions: SessionsService,
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The reader's draft of the page that is asked for. */
  async draftFor({ method, originalUrl, viewer }: AuthenticatedRequest): Promise<FormDraft | null> {
    const page = method === 'GET' && viewer ? formPage(originalUrl) : null;
    return page && viewer ? this.drafts.read(viewer.userId, page) : null;
  }

  async keep(viewer: Viewer, page: string, form: FormValues): Promise<void> {
    await this.drafts.keep(viewer.userId, page, keptFields(form));
  }

  /** Puts values into a form that waits, if it waits. */
  async choose({ userId }: Viewer, page: string, values: FormValues): Promise<void> {
    const draft = await this.drafts.read(userId, page);
    if (draft) await this.drafts.keep(userId, page, { ...draft.fields, ...values });
  }

  /** What was typed is saved, so its draft goes: the one that the form showed, or had; not that of another window. */
  async done(request: AuthenticatedRequest, answer: WebAnswer): Promise<void> {
    const page = request.method === 'POST' ? pageIn(request.body) : null;
    if (!page || !request.viewer || answer.kind !== 'redirect' || page.split('?')[0] !== request.path) return;
    const { userId } = request.viewer;
    const draft = await this.drafts.read(userId, page);
    if (draft && isDraftOf(draft, textsOnly(request.body))) await this.drafts.drop(userId, page, draft.keptAt);
  }

  /**
   * Instead of an error: leads somebody whose session is over to sign in, and back to the page that they came from, a
   * form with the token of another session back to its page, and a form of a thing that was deleted meanwhile to one that
   * makes it anew. What was typed is kept, and nothing else is done.
   * @returns whether the request is answered
   */
  async ledBack(request: AuthenticatedRequest, response: Response, error: unknown): Promise<boolean> {
    if (!(error instanceof DomainError)) return false;
    const lead = (to: string) => void response.status(303).setHeader('Location', to).end();
    if (error.kind === 'unauthenticated') {
      lead(await this.signIn(request));
      return true;
    }
    const isGone = error.kind === 'not_found';
    const page = isGone
      ? await this.keepOfGone(request)
      : error.code === 'CSRF_TOKEN'
        ? await this.keepWithoutToken(request)
        : null;
    if (page === null) return false;
    setFlash(response, isGone ? 'keptOfGone' : 'keptNotSaved', this.config.secureCookies);
    lead(page);
    return true;
  }

  /** @returns the page of a form that makes a new thing of what was typed about one that is not there any more */
  private async keepOfGone({ viewer, body, method, path }: AuthenticatedRequest): Promise<string | null> {
    const page = pageIn(body);
    if (!page || !viewer || method !== 'POST' || page.split('?')[0] !== path) return null;
    const given = textsOnly(body);
    const { version: _version, was: _was, ...form } = given;
    const anew = pageOfNew(page, hasBlocks(form));
    if (anew === null) return null;
    const kept = await this.keepBeside(viewer.userId, anew, form);
    const draft = await this.drafts.read(viewer.userId, page);
    if (draft && isDraftOf(draft, given)) await this.drafts.drop(viewer.userId, page, draft.keptAt);
    return kept;
  }

  private async signIn(request: AuthenticatedRequest): Promise<string> {
    const kept = request.method === 'POST' ? await this.keepOfOver(request).catch(() => null) : null;
    const isRead = request.method === 'GET';
    const back =
      kept ?? (isRead ? localPath(request.originalUrl) : (pageBefore(request, this.config.publicUrl) ?? '/'));
    const query = new URLSearchParams({ ...(back !== '/' && { next: back }), ...(kept && { kept: '1' }) });
    return query.size > 0 ? `/sign-in?${query}` : '/sign-in';
  }

  /** The token is of an earlier session of the same user, whose form this is. @returns the form's page */
  private async keepWithoutToken({ viewer, body, method, headers }: AuthenticatedRequest): Promise<string | null> {
    const page = pageIn(body);
    // The guard has refused other sites; a browser that says nothing of the site is not trusted with a draft either.
    const isOurs = headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
    if (!page || !viewer || method !== 'POST' || !isOurs) return null;
    if ((body as FormValues).for !== String(viewer.userId)) return null;
    return this.keepBeside(viewer.userId, page, textsOnly(body));
  }

  /** The session has ended by itself, but its cookie still tells whose form this is. @returns the form's page */
  private async keepOfOver(request: AuthenticatedRequest): Promise<string | null> {
    const token = sessionTokenOf(request, this.config);
    const userId = token ? await this.sessions.userOfOver(token) : null;
    if (!token || userId === null || request.body !== undefined) return null;
    // As in the guard: nothing is read before it is known whose it is and how much that may be.
    await this.limits.take('callsUser', userId);
    await readBody(request, MESSAGE_BYTES, this.config.bodyIdleMs);
    const page = pageIn(request.body);
    if (!page || !this.sessions.csrfMatches(token, (request.body as FormValues)[CSRF_FIELD])) return null;
    return this.keepBeside(userId, page, textsOnly(request.body));
  }

  /**
   * Beside a draft that the form does not go on from: that is the text of another window, which nobody has seen since.
   * Windows with a script look after their texts themselves.
   * @returns the page that shows it
   */
  private async keepBeside(userId: number, page: string, form: FormValues): Promise<string> {
    const draft = await this.drafts.read(userId, page);
    const window = formKey(form.key)?.slice(KEY_PREFIX.length, KEY_PREFIX.length + 8);
    const own = draft && window && !isDraftOf(draft, form) ? inWindow(page, window) : page;
    await this.drafts.keep(userId, own, keptFields(form));
    return own;
  }
}

const pageIn = (body: unknown): string | null =>
  typeof body === 'object' && body !== null && 'page' in body ? formPage(body.page) : null;
