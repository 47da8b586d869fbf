import { Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { DomainError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { RegistrationService } from '../../features/users/registration.service';
import { type Origin, SessionsService } from '../../features/users/sessions.service';
import { SignInService } from '../../features/users/sign-in.service';
import { UsersService } from '../../features/users/users.service';
import {
  clearSession,
  cookieOf,
  dropCookie,
  sessionTokenOf,
  setCookie,
  setSessionCookie,
} from '../../http/session-cookie';
import { CurrentViewer, Public, RequestOrigin } from '../../http/viewer';
import { OidcProvider } from '../../oidc/oidc-provider';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { takeBrowserZone } from '../browser-zone';
import { submit } from '../forms';
import { localPath } from '../local-path';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController } from '../web-controller';
import {
  ConfirmPage,
  ForgotPage,
  LinkOverPage,
  RegisterPage,
  ResetPage,
  SaidPage,
  SecondStepPage,
  SignInPage,
} from './auth.page';

/** Sign-in, sign-out, registration and new passwords. */
@WebController('/')
export class AuthWebController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly registration: RegistrationService,
    private readonly signIns: SignInService,
    private readonly provider: OidcProvider,
    private readonly users: UsersService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Public()
  @Get('sign-in')
  signInForm(@Ask() { next = '', kept = '' }: FormValues): Promise<WebAnswer> {
    return this.signInPage(emptyForm({ next, kept }));
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
    const { password = '', ...shown } = form;
    return submit(
      reader,
      shown,
      async () => {
        const previous = sessionTokenOf(request, this.config);
        const outcome = await this.signIns.signIn(form.email ?? '', password, origin, previous).catch(onThisPage);
        if (outcome.kind === 'challenge') {
          setCookie(response, this.config, 'gonets_challenge', outcome.challenge, outcome.expiresAt);
          return redirect(`/sign-in/code?next=${encodeURIComponent(localPath(form.next))}`);
        }
        setSessionCookie(response, this.config, outcome);
        return redirect(localPath(form.next), await takeBrowserZone(this.users, outcome.userId, request));
      },
      (state) => this.signInPage(state),
    );
  }

  @Public()
  @Get('sign-in/code')
  codeForm(@Ask() { next = '' }: FormValues, @Req() request: Request): WebAnswer {
    if (cookieOf(request, this.config, 'gonets_challenge') === undefined) return redirect('/sign-in');
    return secondStepPage(emptyForm({ next }));
  }

  /** The second step: the challenge of the first is in a cookie, so that no page and no URL contains it. */
  @Public()
  @Post('sign-in/code')
  code(
    @CurrentReader() reader: Reader,
    @Form() { code = '', next = '' }: FormValues,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    let isOver = false;
    return submit(
      reader,
      { next },
      async () => {
        const challenge = cookieOf(request, this.config, 'gonets_challenge') ?? '';
        const previous = sessionTokenOf(request, this.config);
        const session = await this.signIns.answer(challenge, code, origin, previous).catch((error: unknown) => {
          isOver = error instanceof DomainError && error.code === 'SIGN_IN_OVER';
          return onThisPage(error);
        });
        dropCookie(response, this.config, 'gonets_challenge');
        setSessionCookie(response, this.config, session);
        return redirect(localPath(next), await takeBrowserZone(this.users, session.userId, request));
      },
      (state) => {
        if (!isOver) return secondStepPage(state);
        dropCookie(response, this.config, 'gonets_challenge');
        return this.signInPage(state);
      },
    );
  }

  @Post('sign-out')
  async signOut(
    @CurrentViewer() viewer: Viewer,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    const sessionToken = sessionTokenOf(request, this.config);
    if (sessionToken) await this.sessions.signOut(sessionToken, viewer);
    clearSession(response, this.config);
    return redirect('/sign-in', 'signedOut');
  }

  @Public()
  @Get('register')
  registerForm(): WebAnswer {
    return this.registerPage(emptyForm());
  }

  @Public()
  @Post('register')
  register(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
  ): Promise<WebAnswer> {
    const { password = '', email = '', fullName = '', timeZone = '' } = form;
    return submit(
      reader,
      { email, fullName },
      async () => {
        await this.registration.register({ email, password, fullName, timeZone, language: reader.language }, origin);
        return saidPage(reader.t.auth.register, reader.t.auth.registered);
      },
      (state) => this.registerPage(state),
    );
  }

  /**
   * The notice's link shows a button: only its POST confirms, so that a mail scanner that opens links does not confirm
   * anything.
   */
  @Public()
  @Get('confirm')
  async confirmForm(@CurrentReader() { t }: Reader, @Ask() { token = '' }: FormValues): Promise<WebAnswer> {
    if (token && !(await this.registration.linkWorks('confirm', token))) return linkOver(t.invitations.overConfirm);
    return page((t) => t.auth.confirmTitle, <ConfirmPage action="/confirm" form={emptyForm({ token })} />);
  }

  @Public()
  @Post('confirm')
  confirm(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const { status } = await this.registration.confirm(form.token ?? '', origin).catch(onThisPage);
        if (status === 'active') return redirect('/sign-in', 'confirmed');
        return saidPage(reader.t.auth.confirmTitle, reader.t.auth.waiting);
      },
      (state) => page((t) => t.auth.confirmTitle, <ConfirmPage action="/confirm" form={state} />),
    );
  }

  @Public()
  @Get('confirm-email')
  async confirmEmailForm(@CurrentReader() { t }: Reader, @Ask() { token = '' }: FormValues): Promise<WebAnswer> {
    if (token && !(await this.registration.linkWorks('change_email', token)))
      return linkOver(t.invitations.overConfirm);
    return page((t) => t.auth.confirmTitle, <ConfirmPage action="/confirm-email" form={emptyForm({ token })} />);
  }

  @Public()
  @Post('confirm-email')
  confirmEmail(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.registration.confirmEmail(form.token ?? '', origin).catch(onThisPage);
        return redirect('/account', 'saved');
      },
      (state) => page((t) => t.auth.confirmTitle, <ConfirmPage action="/confirm-email" form={state} />),
    );
  }

  @Public()
  @Get('forgot')
  forgotForm(): WebAnswer {
    return page((t) => t.auth.forgotTitle, <ForgotPage form={emptyForm()} />);
  }

  @Public()
  @Post('forgot')
  forgot(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.registration.forgot(form.email ?? '', origin);
        return saidPage(reader.t.auth.forgotTitle, reader.t.auth.linkSent);
      },
      (state) => page((t) => t.auth.forgotTitle, <ForgotPage form={state} />),
    );
  }

  @Public()
  @Get('reset')
  async resetForm(@CurrentReader() { t }: Reader, @Ask() { token = '' }: FormValues): Promise<WebAnswer> {
    if (token && !(await this.registration.linkWorks('reset', token)))
      return linkOver(t.invitations.overReset, { to: '/forgot', text: t.invitations.newLink });
    return page((t) => t.auth.resetTitle, <ResetPage form={emptyForm({ token })} />);
  }

  @Public()
  @Post('reset')
  reset(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
  ): Promise<WebAnswer> {
    const { token = '', password = '' } = form;
    return submit(
      reader,
      { token },
      async () => {
        await this.registration.reset(token, password, origin).catch(onThisPage);
        return redirect('/sign-in', 'passwordSet');
      },
      (state) => page((t) => t.auth.resetTitle, <ResetPage form={state} />),
    );
  }

  private async signInPage(form: FormState): Promise<WebAnswer> {
    const anyUser = await this.users.any();
    const { registration } = this.config;
    return page(
      (t) => t.auth.signIn,
      <SignInPage form={form} registration={registration} anyUser={anyUser} provider={this.provider.host} />,
    );
  }

  private registerPage(form: FormState): WebAnswer {
    return page((t) => t.auth.register, <RegisterPage form={form} closed={this.config.registration === 'closed'} />);
  }
}

export const linkOver = (text: string, again?: { to: string; text: string }) =>
  page((t) => t.invitations.over, <LinkOverPage text={text} {...(again && { again })} />);

const saidPage = (title: string, text: string) => page(() => title, <SaidPage title={title} text={text} />);

const secondStepPage = (form: FormState) => page((t) => t.secondFactor.step, <SecondStepPage form={form} />);

/** Turns a wrong password or an expired link into a problem of the form, instead of an error page. */
export function onThisPage(error: unknown): never {
  const known = ['SIGN_IN_FAILED', 'SIGN_IN_OVER', 'SECOND_FACTOR_FAILED', 'LINK_INVALID'];
  if (error instanceof DomainError && known.includes(error.code))
    throw new DomainError('conflict', error.code, error.message);
  throw error;
}
