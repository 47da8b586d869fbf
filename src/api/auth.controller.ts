import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import type { Viewer } from '../domain/permissions';
import { RegistrationService } from '../features/users/registration.service';
import { type Origin, SessionsService } from '../features/users/sessions.service';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from '../http/session-cookie';
import { CurrentViewer, Public, RequestOrigin } from '../http/viewer';

class EmailDto {
  @IsString()
  @MaxLength(1_000)
  email!: string;
}

class SignInDto extends EmailDto {
  @IsString()
  @MaxLength(1_000)
  password!: string;
}

class RegisterDto extends SignInDto {
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @IsOptional()
  @IsIn(['en', 'ru'], { message: 'must be en or ru' })
  language?: 'en' | 'ru';
}

class LinkDto {
  /** The `token` of the letter's link. */
  @IsString()
  @MaxLength(200)
  token!: string;
}

class ResetDto extends LinkDto {
  @IsString()
  @MaxLength(1_000)
  password!: string;
}

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly registration: RegistrationService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The same answer for every address; a letter says the rest. */
  @Public()
  @Post('register')
  @HttpCode(202)
  async register(@Body() body: RegisterDto, @RequestOrigin() origin: Origin) {
    await this.registration.register(body, origin);
    return {};
  }

  /** `active`: may sign in; `waiting`: a manager has to let them in first. */
  @Public()
  @Post('confirm')
  @HttpCode(200)
  confirm(@Body() body: LinkDto, @RequestOrigin() origin: Origin) {
    return this.registration.confirm(body.token, origin);
  }

  /** Sets the session's cookie; `csrfToken` goes into the header X-CSRF-Token of every write. */
  @Public()
  @Post('login')
  @HttpCode(200)
  async signIn(
    @Body() body: SignInDto,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const previous = sessionTokenOf(request, this.config);
    const session = await this.sessions.signIn(body.email, body.password, origin, previous);
    setSessionCookie(response, this.config, session);
    return { csrfToken: session.csrfToken, expiresAt: session.expiresAt };
  }

  @Post('logout')
  @HttpCode(204)
  async signOut(
    @CurrentViewer() viewer: Viewer,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const sessionToken = viewer.via === 'session' ? sessionTokenOf(request, this.config) : undefined;
    if (sessionToken) await this.sessions.signOut(sessionToken, origin);
    clearSessionCookie(response, this.config);
  }

  /** The same answer for every address. */
  @Public()
  @Post('forgot')
  @HttpCode(202)
  async forgot(@Body() body: EmailDto, @RequestOrigin() origin: Origin) {
    await this.registration.forgot(body.email, origin);
    return {};
  }

  /** All sessions and API tokens end. */
  @Public()
  @Post('reset')
  @HttpCode(200)
  async reset(@Body() body: ResetDto, @RequestOrigin() origin: Origin) {
    await this.registration.reset(body.token, body.password, origin);
    return {};
  }

  @Public()
  @Post('confirm-email')
  @HttpCode(200)
  async confirmEmail(@Body() body: LinkDto, @RequestOrigin() origin: Origin) {
    await this.registration.confirmEmail(body.token, origin);
    return {};
  }
}
