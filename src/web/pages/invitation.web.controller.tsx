import { Get, Post } from '@nestjs/common';
import { InvitationsService } from '../../features/users/invitations.service';
import type { Origin } from '../../features/users/sessions.service';
import { Public, RequestOrigin } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController } from '../web-controller';
import { InvitationPage } from './auth.page';
import { linkOver, onThisPage } from './auth.web.controller';

/** Where the link of an invitation leads. */
@Public()
@WebController('invitation')
export class InvitationWebController {
  constructor(private readonly invitations: InvitationsService) {}

  @Get()
  async show(@CurrentReader() { t }: Reader, @Ask() { token = '' }: FormValues): Promise<WebAnswer> {
    if (token && !(await this.invitations.linkWorks(token))) return linkOver(t.invitations.overInvitation);
    return invitationPage(emptyForm({ token }));
  }

  @Post()
  accept(
    @CurrentReader() reader: Reader,
    @Form() { token = '', password = '', fullName = '', timeZone = '' }: FormValues,
    @RequestOrigin() origin: Origin,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      { token, fullName },
      async () => {
        await this.invitations.accept(token, { password, fullName, timeZone }, origin).catch(onThisPage);
        return redirect('/sign-in', 'accepted');
      },
      invitationPage,
    );
  }
}

const invitationPage = (form: FormState) => page((t) => t.invitations.accept, <InvitationPage form={form} />);
