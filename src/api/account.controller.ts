import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { IsArray, IsIn, IsOptional, IsString } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import type { ApiToken, TokenScope } from '../features/users/api-token.entity';
import { TokensService } from '../features/users/tokens.service';
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
  ) {}

  @Get('me')
  async me(@CurrentViewer() viewer: Viewer) {
    const { id, email, fullName, role, language, timeZone, createdAt } = await this.users.byId(viewer.userId);
    return { id, email, fullName, role, language, timeZone, createdAt };
  }

  @Get('tokens')
  async list(@CurrentViewer() viewer: Viewer) {
    return { items: (await this.tokens.list(viewer.userId)).map(tokenAnswer), nextCursor: null };
  }

  /** The token itself is in this answer only. */
  @Post('tokens')
  async create(@CurrentViewer() viewer: Viewer, @Body() body: TokenDto) {
    const { expiresAt } = instant('expiresAt', body.expiresAt);
    const token = await this.tokens.create(viewer.userId, {
      name: body.name,
      ...(expiresAt && { expiresAt }),
      ...(body.scopes && { scopes: body.scopes }),
    });
    return { ...tokenAnswer(token), token: token.token };
  }

  @Delete('tokens/:id')
  @HttpCode(204)
  revoke(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.tokens.revoke(viewer.userId, id);
  }
}
