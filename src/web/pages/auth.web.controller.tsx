import { Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { DomainError } from '../../domain/errors';
import { type Origin, SessionsService } from '../../features/users/sessions.service';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from '../../http/session-cookie';
import { Public, RequestOrigin } from '../../http/viewer';
import { emptyForm, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { localPath } from '../local-path';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController } from '../web-controller';
import { SignInPage } from './auth.page';

@WebController('/')
export class AuthWebController {
  constructor(
    private readonly sessions: SessionsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Public()
  @Get('sign-in')
  signInForm(@Ask() { next = '' }: FormValues): WebAnswer {
    return page(
      (t) => t.auth.signIn,
      <SignInPage form={emptyForm({ next })} registration={this.config.registration} anyUser={true} />,
    );
  }

  @Public()
  @Post('sign-in')
  signIn(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const previous = sessionTokenOf(request, this.config);
        const session = await this.sessions
          .signIn(form.email ?? '', form.password ?? '', origin, previous)
          .catch((error: unknown) => {
            if (error instanceof DomainError && error.code === 'SIGN_IN_FAILED')
              throw new DomainError('conflict', error.code, error.message);
            throw error;
          });
        setSessionCookie(response, this.config, session);
        return redirect(localPath(form.next));
      },
      (state) =>
        page((t) => t.auth.signIn, <SignInPage form={state} registration={this.config.registration} anyUser={true} />),
    );
  }

  @Post('sign-out')
  async signOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<WebAnswer> {
    const sessionToken = sessionTokenOf(request, this.config);
    if (sessionToken) await this.sessions.signOut(sessionToken);
    clearSessionCookie(response, this.config);
    return redirect('/sign-in', 'signedOut');
  }
}
