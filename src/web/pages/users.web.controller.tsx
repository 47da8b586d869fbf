import { Get, Post } from '@nestjs/common';
import { mayBlock, reach, roles, type Viewer } from '../../domain/permissions';
import { ClientsService } from '../../features/clients/clients.service';
import { MailingsService } from '../../features/mailings/mailings.service';
import { OutcomesService } from '../../features/runs/outcomes.service';
import { BlockingService } from '../../features/scheduling/blocking.service';
import { SecondFactorService } from '../../features/users/second-factor.service';
import { userStatuses } from '../../features/users/user.entity';
import { UsersService } from '../../features/users/users.service';
import { Id } from '../../http/id.pipe';
import { Allows, CurrentViewer } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { Ask, Form, type FormValues, oneOf, WebController } from '../web-controller';
import { UserPage, UsersPage } from './users.page';

@Allows('users.manage')
@WebController('users')
export class UsersWebController {
  constructor(
    private readonly users: UsersService,
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
