import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { type Origin, SessionsService } from '../features/users/sessions.service';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from '../http/session-cookie';
import { Public, RequestOrigin } from '../http/viewer';

class SignInDto {
  @IsString()
  @MaxLength(1_000)
  email!: string;

  @IsString()
  @MaxLength(1_000)
  password!: string;
}

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly sessions: SessionsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

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
  async signOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const sessionToken = sessionTokenOf(request, this.config);
    if (sessionToken) await this.sessions.signOut(sessionToken);
    clearSessionCookie(response, this.config);
  }
}
