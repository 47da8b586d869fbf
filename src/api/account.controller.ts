import { Body, Controller, Delete, Get, HttpCode, Inject, Patch, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { IsArray, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import type { Viewer } from '../domain/permissions';
import type { ApiToken, TokenScope } from '../features/users/api-token.entity';
import { TokensService } from '../features/users/tokens.service';
import { RegistrationService } from '../features/users/registration.service';
import { sessionTokenOf } from '../http/session-cookie';
import type { User } from '../features/users/user.entity';
import { UsersService } from '../features/users/users.service';
import { instant } from './attempts.controller';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';

class TokenDto {
  @IsString()
  name!: string;

  /** ISO-8601 with offset; never if absent. */
  @IsOptional()
  @IsString()
  expiresAt?: string;

  @IsOptional()
  @IsArray()
  @IsIn(['read', 'write'], { each: true, message: 'must hold read, write or both' })
  scopes?: TokenScope[];
}

class ProfileDto {
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @IsOptional()
  @IsIn(['en', 'ru'], { message: 'must be en or ru' })
  language?: 'en' | 'ru';

  /** An IANA zone. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  timeZone?: string;
}

class PasswordDto {
  @IsString()
  @MaxLength(1_000)
  currentPassword!: string;

  @IsString()
  @MaxLength(1_000)
  newPassword!: string;
}

class EmailChangeDto {
  @IsString()
  @MaxLength(1_000)
  email!: string;

  /** The present one. */
  @IsString()
  @MaxLength(1_000)
  password!: string;
}

const meAnswer = ({ id, email, fullName, role, language, timeZone, createdAt }: User) => ({
  id,
  email,
  fullName,
  role,
  language,
  timeZone,
  createdAt,
});

const tokenAnswer = ({ id, name, scopes, createdAt, lastUsedAt, expiresAt }: ApiToken) => ({
  id,
  name,
  scopes,
  createdAt,
  lastUsedAt,
  expiresAt,
});

@ApiTags('account')
@ApiBearerAuth()
@Controller()
export class AccountController {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: TokensService,
    private readonly registration: RegistrationService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('me')
  async me(@CurrentViewer() viewer: Viewer) {
    return meAnswer(await this.users.byId(viewer.userId));
  }

  @Patch('me')
  async update(@CurrentViewer() viewer: Viewer, @Body() body: ProfileDto) {
    return meAnswer(await this.users.updateProfile(viewer, body));
  }

  /** All other sessions end; API tokens stay. */
  @Post('me/password')
  @HttpCode(200)
  async changePassword(@CurrentViewer() viewer: Viewer, @Body() body: PasswordDto, @Req() request: Request) {
    const keep = viewer.via === 'session' ? sessionTokenOf(request, this.config) : undefined;
    await this.registration.changePassword(viewer, body, keep);
    return {};
  }

  /** A letter to the new address confirms it. */
  @Post('me/email')
  @HttpCode(202)
  async changeEmail(@CurrentViewer() viewer: Viewer, @Body() body: EmailChangeDto) {
    await this.registration.changeEmail(viewer, body);
    return {};
  }

  @Get('tokens')
  async list(@CurrentViewer() viewer: Viewer) {
    return { items: (await this.tokens.list(viewer.userId)).map(tokenAnswer), nextCursor: null };
  }

  /** The token itself is in this answer only. */
  @Post('tokens')
  async create(@CurrentViewer() viewer: Viewer, @Body() body: TokenDto) {
    const { expiresAt } = instant('expiresAt', body.expiresAt);
    const input = { name: body.name, ...(expiresAt && { expiresAt }), ...(body.scopes && { scopes: body.scopes }) };
    const token = await this.tokens.create(viewer.userId, input, viewer);
    return { ...tokenAnswer(token), token: token.token };
  }

  @Delete('tokens/:id')
  @HttpCode(204)
  revoke(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.tokens.revoke(viewer.userId, id, viewer);
  }
}
