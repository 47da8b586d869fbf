import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Response } from 'express';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../config/config.module';
import { methodError, problemOf } from '../http/problem.filter';
import type { AuthenticatedRequest } from '../http/viewer';
import { KeptForms } from './kept-forms.service';
import { page, renderAnswer } from './answers';
import { framed, isFramed } from './framed';
import { noticeOf, setNotice } from './notice';
import { ErrorPage } from './pages/error.page';
import { noLetterPage } from './pages/no-letter.page';
import { type Reader, readerOf } from './reader';
import { ReadersService } from './readers.service';
import { preferredLanguage } from './texts/texts';
import { isOnlyButtons, pageBefore } from './way-back';

/**
 * Errors lead back to the page on which a button was pressed, which says what was wrong. Where there is no such page, or
 * something was written in a form, they are pages: what happened, what to do, and the request's id. Visitors who are not
 * signed in are sent to the sign-in page, and forms of another session back to their page (KeptForms). A frame for a
 * letter shows why there is none.
 */
@Catch()
export class WebFilter implements ExceptionFilter {
  constructor(
    private readonly logger: PinoLogger,
    private readonly readers: ReadersService,
    private readonly kept: KeptForms,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async catch(thrown: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest & { id?: string; reader?: Reader }>();
    const response = http.getResponse<Response>();
    const { error, allow } = methodError(thrown, request);
    const { problem, retryAfterS } = problemOf(error, String(request.id ?? ''));
    if (problem.status >= 500)
      this.logger.error({ event: 'request.failed', requestId: problem.requestId, err: error }, 'Request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const live = request.get('hx-request') === 'true';
    if (!live && (await this.kept.ledBack(request, response, error))) return;
    if (retryAfterS !== undefined) response.setHeader('Retry-After', retryAfterS);
    if (allow !== undefined) response.setHeader('Allow', allow);
    const reader =
      request.reader ??
      // A guard refused the request before the interceptor ran, so the reader is not known yet; the database may be the
      // reason.
      (await this.readers.of(request, response).catch(() =>
        readerOf({
          user: null,
          owners: null,
          language: preferredLanguage(request.get('accept-language')),
          timeZone: 'UTC',
          csrfToken: '',
          path: request.originalUrl,
          flash: null,
          notice: null,
        }),
      ));
    if (isFramed(request.path)) {
      response.status(problem.status).send(framed(response, noLetterPage(reader, problem)));
      return;
    }
    const back = request.method === 'POST' ? pageBefore(request, this.config.publicUrl) : null;
    if (back !== null && !live && reader.user && reader.csrfToken && isOnlyButtons(request)) {
      setNotice(response, noticeOf(problem, reader.t), reader.csrfToken, this.config.secureCookies);
      response.status(303).setHeader('Location', back).end();
      return;
    }
    const body = <ErrorPage problem={problem} back={back} />;
    const answer = page((t) => t.errors.title(problem.status), body, problem.status);
    response
      .status(problem.status)
      .type('text/html; charset=utf-8')
      .send(answer.kind === 'redirect' ? '' : renderAnswer(reader, answer));
  }
}
