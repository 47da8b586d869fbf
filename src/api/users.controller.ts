import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { requireMay, type Role, roles, type Viewer } from '../domain/permissions';
import { BlockingService } from '../features/scheduling/blocking.service';
import { type UserStatus, userStatuses } from '../features/users/user.entity';
import { UsersService, type UserView } from '../features/users/users.service';
import { Id } from '../http/id.pipe';
import { Allows, CurrentViewer } from '../http/viewer';
import { PageDto } from './dto/list.dto';

class UserQueryDto extends PageDto {
  @IsOptional()
  @IsString()
  @MaxLength(200)
  search?: string;

  @IsOptional()
  @IsIn(userStatuses, { message: `must be one of ${userStatuses.join(', ')}` })
  status?: UserStatus;

  @IsOptional()
  @IsIn(roles, { message: `must be one of ${roles.join(', ')}` })
  role?: Role;
}

class UserPatchDto {
  /** `blocked` blocks; `active` lets in who waits, and unblocks. */
  @IsOptional()
  @IsIn(['active', 'blocked'], { message: 'must be active or blocked' })
  status?: 'active' | 'blocked';

  /** For admins. */
  @IsOptional()
  @IsIn(roles, { message: `must be one of ${roles.join(', ')}` })
  role?: Role;
}

const userAnswer = (u: UserView) => ({
  id: u.id,
  email: u.email,
  fullName: u.fullName,
  role: u.role,
  status: u.status,
  language: u.language,
  timeZone: u.timeZone,
  lastSeenAt: u.lastSeenAt,
  createdAt: u.createdAt,
  updatedAt: u.updatedAt,
});

@ApiTags('users')
@ApiBearerAuth()
@Allows('users.manage')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly blocking: BlockingService,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Query() query: UserQueryDto) {
    const page = await this.users.list(viewer, query);
    return { ...page, items: page.items.map(userAnswer) };
  }

  @Get(':id')
  async get(@CurrentViewer() viewer: Viewer, @Id() id: number) {
    return userAnswer(await this.users.get(viewer, id));
  }

  @Patch(':id')
  async update(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() { status, role }: UserPatchDto) {
    if (role !== undefined) requireMay(viewer, 'users.role');
    const user = await this.users.get(viewer, id);
    if (role !== undefined && role !== user.role) await this.users.setRole(viewer, id, role);
    if (status !== undefined && status !== user.status) await this.setStatus(viewer, user, status);
    return userAnswer(await this.users.get(viewer, id));
  }

  private setStatus(viewer: Viewer, user: UserView, status: 'active' | 'blocked'): Promise<void> {
    if (status === 'blocked') return this.blocking.block(viewer, user.id);
    return user.status === 'waiting' ? this.users.letIn(viewer, user.id) : this.blocking.unblock(viewer, user.id);
  }
}
