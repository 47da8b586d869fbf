import { Body, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { type Language, languages } from '../domain/language';
import { requireMay, type Role, roles, type Viewer } from '../domain/permissions';
import { BlockingService } from '../features/scheduling/blocking.service';
import { InvitationsService } from '../features/users/invitations.service';
import { type UserStatus, userStatuses } from '../features/users/user.entity';
import { UsersService, type UserView } from '../features/users/users.service';
import { Id } from '../http/id.pipe';
import { Allows, CurrentViewer } from '../http/viewer';
import { PageDto } from './dto/list.dto';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { flag, id, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';

class UserQueryDto extends PageDto {
  @IsOptional()
  @IsString()
  @MaxLength(200)
  search?: string;

  @IsOptional()
  @IsIn(userStatuses)
  status?: UserStatus;

  @IsOptional()
  @IsIn(roles)
  role?: Role;
}

class UserPatchDto {
  @Optional()
  @IsIn(['active', 'blocked'])
  @Said({ description: '`blocked` blocks; `active` unblocks, and lets in a user who waits for it.' })
  status?: 'active' | 'blocked';

  @Optional()
  @IsIn(roles)
  @Said({ description: 'Only admins change it.' })
  role?: Role;
}

class InvitationDto {
  @IsString()
  @MaxLength(1_000)
  email!: string;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @Optional()
  @IsIn(roles)
  @Said({
    description:
      'If absent, that of an earlier invitation that was not accepted, else `user`; only admins give another.',
  })
  role?: Role;

  @Optional()
  @IsIn(languages)
  @Said({ description: "Of the letter; the caller's if absent." })
  language?: Language;
}

class UserAnswer extends Shape({
  id,
  email: text,
  fullName: text,
  role: oneOf(roles),
  status: oneOf(userStatuses),
  secondFactor: said('Whether a code is asked for beside the password.', flag),
  language: oneOf(['en', 'ru']),
  timeZone: text,
  invitedAt: said('When they were last invited; null if never.', nullable(time)),
  lastSeenAt: said('When a session of theirs was last used, to the minute.', nullable(time)),
  createdAt: time,
  updatedAt: time,
}) {}

@ApiController('users')
@Allows('users.manage')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly blocking: BlockingService,
    private readonly invitations: InvitationsService,
  ) {}

  @Post()
  @Operation(
    'Invite a user by a letter whose link sets their password, also while registration is closed',
    UserAnswer,
    {
      description:
        'Until they accept they are `unconfirmed`. For an address that was invited and has not accepted it sends another letter, and earlier links end.',
      conflicts: ['EMAIL_TAKEN'],
      problems: [429],
    },
  )
  async invite(@CurrentViewer() viewer: Viewer, @Body() body: InvitationDto) {
    return UserAnswer.of(await this.users.get(viewer, await this.invitations.invite(viewer, body)));
  }

  @Delete(':id/invitation')
  @Operation('Withdraw an invitation that was not accepted: the user is deleted', null, {
    conflicts: ['USER_NOT_INVITED'],
  })
  @HttpCode(204)
  async uninvite(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    await this.invitations.withdraw(viewer, id);
  }

  @Get()
  @Operation('Users, newest first; for managers and admins', pageOf(UserAnswer))
  async list(@CurrentViewer() viewer: Viewer, @Query() query: UserQueryDto) {
    const page = await this.users.list(viewer, query);
    return { ...page, items: page.items.map((user) => UserAnswer.of(user)) };
  }

  @Get(':id')
  @Operation('A user; for managers and admins', UserAnswer)
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return UserAnswer.of(await this.users.get(viewer, id));
  }

  @Patch(':id')
  @Operation('Let in, block or unblock a user; admins: give a role', UserAnswer, {
    conflicts: ['OWN_ROLE', 'USER_NOT_BLOCKED', 'USER_NOT_WAITING', 'USER_UNCONFIRMED'],
  })
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() { status, role }: UserPatchDto) {
    if (role !== undefined) requireMay(viewer, 'users.role');
    const user = await this.users.get(viewer, id);
    if (role !== undefined && role !== user.role) await this.users.setRole(viewer, id, role);
    if (status !== undefined && status !== user.status) await this.setStatus(viewer, user, status);
    return UserAnswer.of(await this.users.get(viewer, id));
  }

  private setStatus(viewer: Viewer, user: UserView, status: 'active' | 'blocked'): Promise<void> {
    if (status === 'blocked') return this.blocking.block(viewer, user.id);
    return user.status === 'waiting' ? this.users.letIn(viewer, user.id) : this.blocking.unblock(viewer, user.id);
  }
}
