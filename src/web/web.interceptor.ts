import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Response } from 'express';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { CONFIG, type Config } from '../config/config.module';
import type { AuthenticatedRequest } from '../http/viewer';
import { renderAnswer, type WebAnswer } from './answers';
import { OnceService } from './once.service';
import { ReadersService } from './readers.service';
import type { Reader } from './reader';
import { setFlash } from './flash';
import { sendingOf } from './form-key';
import { KeptForms } from './kept-forms.service';

type WebRequest = AuthenticatedRequest & { reader?: Reader };

/** Determines the reader, then renders the handler's answer: a page, a part of one, or a redirect. */
@Injectable()
export class WebInterceptor implements NestInterceptor {
  constructor(
    private readonly readers: ReadersService,
    private readonly once: OnceService,
    private readonly kept: KeptForms,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<WebRequest>();
    const response = http.getResponse<Response>();
    const [found, draft] = await Promise.all([this.readers.of(request, response), this.kept.draftFor(request)]);
    const reader = (request.reader = { ...found, draft });
    const work = async () => {
      const answer = await lastValueFrom(next.handle() as Observable<WebAnswer>);
      await this.kept.done(request, answer);
      return answer;
    };
    const sending = reader.user ? sendingOf(request) : undefined;
    const answered = sending && reader.user ? this.once.answer(reader.user.id, sending, work) : work();
    return from(answered.then((answer) => (isAnswer(answer) ? this.write(reader, response, answer) : answer)));
  }

  private write(reader: Reader, response: Response, answer: WebAnswer): string {
    if (answer.kind === 'redirect') {
      if (answer.flash) setFlash(response, answer.flash, this.config.secureCookies);
      response.status(303).setHeader('Location', answer.to);
      return '';
    }
    if (answer.kind === 'page' && answer.retryAfterS !== undefined)
      response.setHeader('Retry-After', answer.retryAfterS);
    response.status(answer.status ?? 200).type('text/html; charset=utf-8');
    return renderAnswer(reader, answer);
  }
}

function isAnswer(value: unknown): value is WebAnswer {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
