import { Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { DomainError } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { IdentitiesService } from '../../features/users/identities.service';
import { type Origin, SessionsService } from '../../features/users/sessions.service';
import { UsersService } from '../../features/users/users.service';
import { Id } from '../../http/id.pipe';
import { type OidcTrip, setTrip, takeTrip } from '../../http/oidc-cookie';
import { STATUS_OF_KIND } from '../../http/problem.filter';
import { sessionTokenOf, setSessionCookie } from '../../http/session-cookie';
import { CurrentViewer, Public, RequestOrigin } from '../../http/viewer';
import { OidcProvider, type ProvedIdentity } from '../../oidc/oidc-provider';
import { Limits } from '../../queue/limits';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { takeBrowserZone } from '../browser-zone';
import { refusal } from '../codes';
import { submit } from '../forms';
import { localPath } from '../local-path';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, WebController } from '../web-controller';
import { SaidPage, SignInPage } from './auth.page';
import { LeavingPage, PROVIDER, ProviderPage } from './provider.page';

/** Sign-in by an OpenID Connect provider, and the accounts linked to the user. */
@WebController('/')
export class ProviderWebController {
  constructor(
    private readonly provider: OidcProvider,
    private readonly identities: IdentitiesService,
    private readonly sessions: SessionsService,
    private readonly users: UsersService,
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Public()
  @Post('sign-in/oidc')
  signIn(
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @RequestOrigin() origin: Origin,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    const next = localPath(form.next);
    return this.orSignInPage(reader, response, next, async () => {
      await this.limits.take('signInAddress', origin.ip);
      return this.leave(response, { next });
    });
  }

  /**
   * The only GET that begins a session, because the protocol requires it: only for a browser that was sent from here
   * minutes ago, and once for each answer of the provider.
   */
  @Public()
  @Get('sign-in/oidc/callback')
  callback(
    @CurrentReader() reader: Reader,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    const trip = takeTrip(request, response, this.config);
    return this.orSignInPage(reader, response, localPath(trip?.next), async () => {
      await this.limits.take('signInAddress', origin.ip);
      if (!trip) throw oidcFailed();
      const { search } = new URL(request.originalUrl, 'http://local.invalid');
      const finish = () => this.provider.finish(search, trip);
      if (trip.link) return this.linkTo(trip.link.sessionId, finish, reader, request, origin);
      const identity = await finish();
      const previous = sessionTokenOf(request, this.config);
      const outcome = await this.identities.signIn(identity, origin, reader.language, previous);
      if (outcome.kind === 'waiting')
        return page((t) => t.auth.signIn, <SaidPage title={reader.t.auth.signIn} text={reader.t.auth.waiting} />);
      setSessionCookie(response, this.config, outcome);
      return redirect(localPath(trip.next), await takeBrowserZone(this.users, outcome.userId, request));
    });
  }

  @Get('account/provider')
  show(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    return this.links(viewer);
  }

  @Post('account/provider/link')
  link(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() { password = '', code = '' }: FormValues,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WebAnswer> {
    return this.change(reader, viewer, async () => {
      await this.identities.requireProof(viewer, { password, code });
      return this.leave(response, { next: PROVIDER, link: { sessionId: viewer.sessionId ?? 0 } });
    });
  }

  @Post('account/provider/:id/unlink')
  unlink(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() { password = '', code = '' }: FormValues,
  ): Promise<WebAnswer> {
    return this.change(reader, viewer, async () => {
      await this.identities.unlink(viewer, id, { password, code });
      return redirect(PROVIDER, 'unlinked');
    });
  }

  /** Errors are shown on the page of linked accounts. */
  private change(reader: Reader, viewer: Viewer, work: () => Promise<WebAnswer>): Promise<WebAnswer> {
    return submit(reader, {}, work, (form) => this.links(viewer, form));
  }

  /** By an intermediate page: the policy `form-action` forbids that a form leads to another site. */
  private async leave(response: Response, trip: Pick<OidcTrip, 'next' | 'link'>): Promise<WebAnswer> {
    const { host } = this.provider;
    if (host === null) throw oidcFailed();
    const { url, pending } = await this.provider.begin();
    setTrip(response, this.config, { ...pending, ...trip });
    response.setHeader('Refresh', `0; url=${url}`);
    return page((t) => t.provider.leaving(host), <LeavingPage host={host} url={url} />);
  }

  /** The browser that comes back must have the same session, still valid, as when it was sent. */
  private async linkTo(
    sessionId: number,
    finish: () => Promise<ProvedIdentity>,
    reader: Reader,
    request: Request,
    { ip }: Origin,
  ): Promise<WebAnswer> {
    const session = await this.sessions.authenticate(sessionTokenOf(request, this.config) ?? '');
    if (session?.sessionId !== sessionId) throw oidcFailed();
    const { userId, role } = session;
    const viewer: Viewer = { userId, role, via: 'session', ip, sessionId };
    return this.change(reader, viewer, async () => {
      await this.identities.link(viewer, await finish());
      return redirect(PROVIDER, 'linked');
    });
  }

  private async links(viewer: Viewer, form: FormState = emptyForm()): Promise<WebAnswer> {
    const [identities, user] = [await this.identities.list(viewer), await this.users.byId(viewer.userId)];
    const { host } = this.provider;
    const props = { host, issuer: this.config.oidcIssuer, identities, hasPassword: user.passwordHash !== null, form };
    return page((t) => t.provider.title, <ProviderPage {...props} />);
  }

  /** Errors on the way are shown on the sign-in page, where one can try again or sign in by password. */
  private async orSignInPage(
    reader: Reader,
    response: Response,
    next: string,
    work: () => Promise<WebAnswer>,
  ): Promise<WebAnswer> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const { retryAfterS } = error.details;
      if (retryAfterS !== undefined) response.setHeader('Retry-After', retryAfterS);
      const form = { ...emptyForm({ next }), problem: refusal(error, reader.t) };
      const { registration } = this.config;
      return page(
        (t) => t.auth.signIn,
        <SignInPage form={form} registration={registration} anyUser provider={this.provider.host} />,
        STATUS_OF_KIND[error.kind],
      );
    }
  }
}

const oidcFailed = () =>
  new DomainError('invalid', 'OIDC_FAILED', 'This sign-in was not begun in this browser, or took too long.');
