import { Body, Delete, Get, HttpCode, Inject, Patch, Post, Req } from '@nestjs/common';
import { IsArray, IsIn, IsString, MaxLength } from 'class-validator';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { roles, type TokenScope, tokenScopes, type Viewer } from '../domain/permissions';
import { TokensService } from '../features/users/tokens.service';
import { RegistrationService } from '../features/users/registration.service';
import { SessionsService } from '../features/users/sessions.service';
import { sessionTokenOf } from '../http/session-cookie';
import { UsersService } from '../features/users/users.service';
import { instant } from './dto/instant';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { EMPTY, Operation } from './openapi/operation';
import { flag, id, listOf, nullable, oneOf, pageOf, said, Shape, text, time } from './openapi/shape';
import { Id } from '../http/id.pipe';
import { CurrentViewer } from '../http/viewer';

class TokenDto {
  @IsString()
  name!: string;

  @Optional()
  @IsString()
  @Said({ format: 'date-time', description: 'With offset; never if absent.' })
  expiresAt?: string;

  @Optional()
  @IsArray()
  @IsIn(tokenScopes, { each: true })
  @Said({ description: '`inbound`, for managers: to hand in letters that came back, and nothing else.' })
  scopes?: TokenScope[];
}

class ProfileDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @Optional()
  @IsIn(['en', 'ru'])
  language?: 'en' | 'ru';

  @Optional()
  @IsString()
  @MaxLength(100)
  @Said({ description: 'An IANA zone.' })
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

  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'The current password.' })
  password!: string;
}

class MeAnswer extends Shape({
  id,
  email: text,
  fullName: text,
  role: oneOf(roles),
  language: oneOf(['en', 'ru']),
  timeZone: text,
  createdAt: time,
}) {}

class SessionAnswer extends Shape({
  id,
  ip: text,
  userAgent: text,
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time,
  current: said('The session of this very call.', flag),
}) {}

const token = {
  id,
  name: text,
  scopes: listOf(oneOf(tokenScopes)),
  createdAt: time,
  lastUsedAt: nullable(time),
  expiresAt: nullable(time),
};

class TokenAnswer extends Shape(token) {}

class NewTokenAnswer extends Shape({ ...token, token: said('In this answer only.', text) }) {}

@ApiController('', 'account')
export class ProfileController {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: TokensService,
    private readonly registration: RegistrationService,
    private readonly sessions: SessionsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('me')
  @Operation('The account of the caller', MeAnswer)
  async me(@CurrentViewer() viewer: Viewer) {
    return MeAnswer.of(await this.users.byId(viewer.userId));
  }

  @Patch('me')
  @Operation('Change the own profile', MeAnswer)
  async update(@CurrentViewer() viewer: Viewer, @Body() body: ProfileDto) {
    return MeAnswer.of(await this.users.updateProfile(viewer, body));
  }

  @Post('me/password')
  @Operation('Change the own password; all other sessions end, API tokens stay', EMPTY, {
    conflicts: ['PASSWORD_MISSING'],
  })
  @HttpCode(200)
  async changePassword(@CurrentViewer() viewer: Viewer, @Body() body: PasswordDto, @Req() request: Request) {
    const keep = viewer.via === 'session' ? sessionTokenOf(request, this.config) : undefined;
    await this.registration.changePassword(viewer, body, keep);
    return {};
  }

  @Post('me/email')
  @Operation('Change the own address; a letter to the new one confirms it', EMPTY, { conflicts: ['PASSWORD_MISSING'] })
  @HttpCode(202)
  async changeEmail(@CurrentViewer() viewer: Viewer, @Body() body: EmailChangeDto) {
    await this.registration.changeEmail(viewer, body);
    return {};
  }

  @Get('me/sessions')
  @Operation('The open sessions of the caller', pageOf(SessionAnswer))
  async listSessions(@CurrentViewer() viewer: Viewer) {
    return { items: await this.sessions.list(viewer), nextCursor: null };
  }

  @Delete('me/sessions')
  @Operation('End all sessions but that of this call', null)
  @HttpCode(204)
  endOtherSessions(@CurrentViewer() viewer: Viewer): Promise<void> {
    return this.sessions.end(viewer);
  }

  @Delete('me/sessions/:id')
  @Operation('End a session', null)
  @HttpCode(204)
  endSession(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.sessions.end(viewer, id);
  }

  @Get('tokens')
  @Operation('The own API tokens', pageOf(TokenAnswer))
  async list(@CurrentViewer() viewer: Viewer) {
    return { items: (await this.tokens.list(viewer.userId)).map((each) => TokenAnswer.of(each)), nextCursor: null };
  }

  @Post('tokens')
  @Operation('Make an API token', NewTokenAnswer)
  async create(@CurrentViewer() viewer: Viewer, @Body() body: TokenDto) {
    const { expiresAt } = instant('expiresAt', body.expiresAt);
    const input = { name: body.name, ...(expiresAt && { expiresAt }), ...(body.scopes && { scopes: body.scopes }) };
    const token = await this.tokens.create(viewer.userId, input, viewer);
    return NewTokenAnswer.of(token);
  }

  @Delete('tokens/:id')
  @Operation('Revoke an API token', null)
  @HttpCode(204)
  revoke(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.tokens.revoke(viewer.userId, id, viewer);
  }
}
