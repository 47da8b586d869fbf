import { Get, Post } from '@nestjs/common';
import { languages } from '../../domain/language';
import { mayBlock, mayGrant, reach, roles, type Viewer } from '../../domain/permissions';
import { ClientsService } from '../../features/clients/clients.service';
import { MailingsService } from '../../features/mailings/mailings.service';
import { OutcomesService } from '../../features/runs/outcomes.service';
import { BlockingService } from '../../features/scheduling/blocking.service';
import { InvitationsService } from '../../features/users/invitations.service';
import { SecondFactorService } from '../../features/users/second-factor.service';
import { userStatuses } from '../../features/users/user.entity';
import { UsersService } from '../../features/users/users.service';
import { Id } from '../../http/id.pipe';
import { Allows, CurrentViewer } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController } from '../web-controller';
import { InvitePage, UserPage, UsersPage } from './users.page';

@Allows('users.manage')
@WebController('users')
export class UsersWebController {
  constructor(
    private readonly users: UsersService,
    private readonly invitations: InvitationsService,
    private readonly blocking: BlockingService,
    private readonly secondFactor: SecondFactorService,
    private readonly mailings: MailingsService,
    private readonly clients: ClientsService,
    private readonly outcomes: OutcomesService,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Ask() { search, status, role, cursor }: FormValues): Promise<WebAnswer> {
    const chosen = oneOf(userStatuses, status);
    const chosenRole = oneOf(roles, role);
    const users = await this.users.list(viewer, {
      limit: 50,
      withTotal: true,
      ...(search && { search }),
      ...(chosen && { status: chosen }),
      ...(chosenRole && { role: chosenRole }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.users.title, <UsersPage users={users} />);
  }

  @Get('invite')
  inviteForm(@CurrentViewer() viewer: Viewer, @CurrentReader() { language }: Reader): WebAnswer {
    return invitePage(viewer, emptyForm({ role: 'user', language }));
  }

  @Post('invite')
  invite(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const { email = '', fullName = '' } = form;
    const language = oneOf(languages, form.language) ?? reader.language;
    const role = oneOf(roles, form.role) ?? 'user';
    return submit(
      reader,
      { email, fullName, role, language },
      async () => {
        const id = await this.invitations.invite(viewer, { email, fullName, role, language });
        return redirect(`/users/${id}`, 'invited');
      },
      (state) => invitePage(viewer, state),
    );
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const user = await this.users.get(viewer, id);
    const [mailings, clients] = await Promise.all([
      this.mailings.list(viewer, { limit: 25, ownerId: id, ...(cursor && { cursor }) }),
      this.clients.list(viewer, { limit: 1, withTotal: true, ownerId: id }),
    ]);
    const outcomes = await this.outcomes.of(
      viewer,
      mailings.items.map((mailing) => mailing.id),
    );
    const may = {
      block: mayBlock(viewer, user),
      invite: mayGrant(viewer, user.role),
      role: reach(viewer, 'users.role') === 'all' && viewer.userId !== id,
    };
    return page(() => user.email, <UserPage {...{ user, mailings, outcomes, may }} clients={clients.total ?? 0} />);
  }

  @Post(':id/block')
  async block(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.blocking.block(viewer, id);
    return redirect(`/users/${id}`, 'blocked');
  }

  @Post(':id/unblock')
  async unblock(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.blocking.unblock(viewer, id);
    return redirect(`/users/${id}`, 'unblocked');
  }

  @Post(':id/let-in')
  async letIn(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.users.letIn(viewer, id);
    return redirect(`/users/${id}`, 'letIn');
  }

  @Post(':id/uninvite')
  async uninvite(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.invitations.withdraw(viewer, id);
    return redirect('/users', 'uninvited');
  }

  @Post(':id/second-factor/reset')
  async resetSecondFactor(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.secondFactor.reset(viewer, id);
    return redirect(`/users/${id}`, 'secondFactorReset');
  }

  @Allows('users.role')
  @Post(':id/role')
  async role(@CurrentViewer() viewer: Viewer, @Id() id: number, @Form() form: FormValues): Promise<WebAnswer> {
    const role = oneOf(roles, form.role);
    if (role) await this.users.setRole(viewer, id, role);
    return redirect(`/users/${id}`, 'saved');
  }
}

const invitePage = (viewer: Viewer, form: FormState) =>
  page((t) => t.invitations.title, <InvitePage form={form} roles={roles.filter((role) => mayGrant(viewer, role))} />);
