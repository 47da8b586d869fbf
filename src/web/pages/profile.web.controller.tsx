import { Get, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import type { Viewer } from '../../domain/permissions';
import { parseLocal } from '../../domain/schedule-input';
import { timeZoneMeant } from '../../domain/time-zone';
import { RegistrationService } from '../../features/users/registration.service';
import { SessionsService } from '../../features/users/sessions.service';
import { TokensService } from '../../features/users/tokens.service';
import { UsersService } from '../../features/users/users.service';
import { Id } from '../../http/id.pipe';
import { sessionTokenOf } from '../../http/session-cookie';
import { CurrentViewer } from '../../http/viewer';
import { type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { isLanguage } from '../texts/texts';
import { Form, type FormValues, WebController } from '../web-controller';
import { ProfilePage } from './profile.page';
import { ProfileParts } from './profile-parts.service';

interface Parts {
  profile?: FormState;
  password?: FormState;
  email?: FormState;
  token?: FormState;
  made?: string;
}

@WebController('account')
export class ProfileWebController {
  constructor(
    private readonly users: UsersService,
    private readonly registration: RegistrationService,
    private readonly tokens: TokensService,
    private readonly sessions: SessionsService,
    private readonly profiles: ProfileParts,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  show(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    return this.profile(viewer, reader);
  }

  @Post()
  update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const { fullName = '', language } = form;
    const timeZone = timeZoneMeant(form.timeZone ?? '') ?? '';
    return submit(
      reader,
      form,
      async () => {
        await this.users.updateProfile(viewer, { fullName, timeZone, ...(isLanguage(language) && { language }) });
        return redirect('/account', 'saved');
      },
      (profile) => this.profile(viewer, reader, { profile }),
    );
  }

  @Post('password')
  changePassword(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() { currentPassword = '', newPassword = '' }: FormValues,
    @Req() request: Request,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        const change = { currentPassword, newPassword };
        await this.registration.changePassword(viewer, change, sessionTokenOf(request, this.config));
        return redirect('/account', 'saved');
      },
      (password) => this.profile(viewer, reader, { password }),
    );
  }

  @Post('email')
  changeEmail(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() { email = '', password = '' }: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      { email },
      async () => {
        await this.registration.changeEmail(viewer, { email, password });
        return redirect('/account', 'linkSent');
      },
      (state) => this.profile(viewer, reader, { email: state }),
    );
  }

  /** The answer to this POST is a page and not a redirect: the token is shown only once and not stored. */
  @Post('tokens')
  makeToken(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const end = form.expiresAt ? parseLocal(`${form.expiresAt}T00:00`, reader.timeZone) : null;
        const { token } = await this.tokens.create(
          viewer.userId,
          {
            name: form.name ?? '',
            scopes: form.scopes === 'read' || form.scopes === 'inbound' ? [form.scopes] : ['read', 'write'],
            expiresAt: end instanceof Date ? end : null,
          },
          viewer,
        );
        return this.profile(viewer, reader, { made: token });
      },
      (token) => this.profile(viewer, reader, { token }),
    );
  }

  @Post('tokens/:id/revoke')
  async revoke(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.tokens.revoke(viewer.userId, id, viewer);
    return redirect('/account', 'deleted');
  }

  @Post('sessions/end')
  async endOtherSessions(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    await this.sessions.end(viewer);
    return redirect('/account', 'sessionsEnded');
  }

  @Post('sessions/:id/end')
  async endSession(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.sessions.end(viewer, id);
    return redirect('/account', 'sessionsEnded');
  }

  private async profile(viewer: Viewer, reader: Reader, parts: Parts = {}): Promise<WebAnswer> {
    return page((t) => t.profile.title, <ProfilePage {...await this.profiles.of(viewer, reader)} {...parts} />);
  }
}
