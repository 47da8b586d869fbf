import { Body, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { IsIn, IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import type { Viewer } from '../domain/permissions';
import { InvitationsService } from '../features/users/invitations.service';
import { RegistrationService } from '../features/users/registration.service';
import { type Origin, SessionsService } from '../features/users/sessions.service';
import { SignInService } from '../features/users/sign-in.service';
import { clearSession, sessionTokenOf, setSessionCookie } from '../http/session-cookie';
import { CurrentViewer, Public, RequestOrigin } from '../http/viewer';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { EMPTY, Operation } from './openapi/operation';
import { oneOf, said, Shape, text, time } from './openapi/shape';

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
  @Optional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @Optional()
  @IsIn(['en', 'ru'])
  language?: 'en' | 'ru';
}

class LinkDto {
  @IsString()
  @MaxLength(200)
  @Said({ description: "The `token` of the letter's link." })
  token!: string;
}

class ResetDto extends LinkDto {
  @IsString()
  @MaxLength(1_000)
  password!: string;
}

class AcceptDto extends ResetDto {
  @Optional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'If absent, the name that the invitation gave.' })
  fullName?: string;

  @Optional()
  @IsString()
  @MaxLength(100)
  @Said({ description: 'An IANA zone; UTC if absent.' })
  timeZone?: string;
}

class ConfirmedAnswer extends Shape({
  status: said('`active`: may sign in; `waiting`: a manager has to let them in first.', oneOf(['active', 'waiting'])),
}) {}

export class SignedInAnswer extends Shape({
  csrfToken: said('Goes into the header X-CSRF-Token of every write.', text),
  expiresAt: time,
}) {}

class ChallengeAnswer extends Shape({
  challenge: said('Goes to `POST /auth/second-factor` with a code.', text),
  expiresAt: time,
}) {}

@ApiController('auth')
export class AuthController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly registration: RegistrationService,
    private readonly signIns: SignInService,
    private readonly invitations: InvitationsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Public()
  @Post('register')
  @Operation('Register; the same answer for every address, a letter says the rest', EMPTY, { problems: [429] })
  @HttpCode(202)
  async register(@Body() body: RegisterDto, @RequestOrigin() origin: Origin) {
    await this.registration.register(body, origin);
    return {};
  }

  @Public()
  @Post('confirm')
  @Operation('Confirm an address by the token of a letter', ConfirmedAnswer, { problems: [429] })
  @HttpCode(200)
  confirm(@Body() body: LinkDto, @RequestOrigin() origin: Origin) {
    return this.registration.confirm(body.token, origin);
  }

  @Public()
  @Post('login')
  @Operation("Sign in; sets the session's cookie", SignedInAnswer, {
    answers: { 202: ChallengeAnswer },
    description: 'For a user with a second factor the answer is 202: a challenge for the code, and no session yet.',
    problems: [401, 429],
  })
  @HttpCode(200)
  async signIn(
    @Body() body: SignInDto,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const previous = sessionTokenOf(request, this.config);
    const outcome = await this.signIns.signIn(body.email, body.password, origin, previous);
    if (outcome.kind === 'challenge') {
      response.status(202);
      return { challenge: outcome.challenge, expiresAt: outcome.expiresAt };
    }
    setSessionCookie(response, this.config, outcome);
    return { csrfToken: outcome.csrfToken, expiresAt: outcome.expiresAt };
  }

  @Post('logout')
  @Operation('Sign out', null)
  @HttpCode(204)
  async signOut(
    @CurrentViewer() viewer: Viewer,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const sessionToken = viewer.via === 'session' ? sessionTokenOf(request, this.config) : undefined;
    if (sessionToken) await this.sessions.signOut(sessionToken, origin);
    clearSession(response, this.config);
  }

  @Public()
  @Post('forgot')
  @Operation('Ask for a new password; the same answer for every address', EMPTY, { problems: [429] })
  @HttpCode(202)
  async forgot(@Body() body: EmailDto, @RequestOrigin() origin: Origin) {
    await this.registration.forgot(body.email, origin);
    return {};
  }

  @Public()
  @Post('reset')
  @Operation('Set a new password by the token of a letter; all sessions and API tokens end', EMPTY, { problems: [429] })
  @HttpCode(200)
  async reset(@Body() body: ResetDto, @RequestOrigin() origin: Origin) {
    await this.registration.reset(body.token, body.password, origin);
    return {};
  }

  @Public()
  @Post('accept')
  @Operation('Accept an invitation by the token of a letter: sets the password', EMPTY, { problems: [429] })
  @HttpCode(200)
  async accept(@Body() { token, ...acceptance }: AcceptDto, @RequestOrigin() origin: Origin) {
    await this.invitations.accept(token, acceptance, origin);
    return {};
  }

  @Public()
  @Post('confirm-email')
  @Operation('Confirm a new address by the token of a letter', EMPTY, { problems: [429] })
  @HttpCode(200)
  async confirmEmail(@Body() body: LinkDto, @RequestOrigin() origin: Origin) {
    await this.registration.confirmEmail(body.token, origin);
    return {};
  }
}
