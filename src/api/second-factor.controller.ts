import { Body, Delete, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import type { Viewer } from '../domain/permissions';
import { SecondFactorService } from '../features/users/second-factor.service';
import type { Origin } from '../features/users/sessions.service';
import { SignInService } from '../features/users/sign-in.service';
import { Id } from '../http/id.pipe';
import { sessionTokenOf, setSessionCookie } from '../http/session-cookie';
import { Allows, CurrentViewer, Public, RequestOrigin } from '../http/viewer';
import { SignedInAnswer } from './auth.controller';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { count, flag, listOf, nullable, said, Shape, text, time } from './openapi/shape';

class CodeDto {
  @IsString()
  @MaxLength(100)
  @Said({ description: 'The six digits of the authenticator app, or a recovery code.' })
  code!: string;
}

class SecondStepDto extends CodeDto {
  @IsString()
  @MaxLength(200)
  @Said({ description: 'From the answer to `POST /auth/login`.' })
  challenge!: string;
}

class ProofDto extends CodeDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ description: 'The current password.' })
  password!: string;
}

class SecondFactorAnswer extends Shape({
  enabled: flag,
  since: nullable(time),
  recoveryCodesLeft: count,
}) {}

class NewSecretAnswer extends Shape({
  secret: said('For an authenticator app, in base32.', text),
  uri: said('The same as `otpauth://`, for a QR code.', text),
}) {}

class RecoveryCodesAnswer extends Shape({
  recoveryCodes: said('Each works once, in place of a code of the app. In this answer only.', listOf(text)),
}) {}

@ApiController('auth/second-factor', 'auth')
export class SecondStepController {
  constructor(
    private readonly signIns: SignInService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Public()
  @Post()
  @Operation("The second step of a sign-in; sets the session's cookie", SignedInAnswer, { problems: [401, 429] })
  @HttpCode(200)
  async answer(
    @Body() body: SecondStepDto,
    @RequestOrigin() origin: Origin,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const previous = sessionTokenOf(request, this.config);
    const session = await this.signIns.answer(body.challenge, body.code, origin, previous);
    setSessionCookie(response, this.config, session);
    return { csrfToken: session.csrfToken, expiresAt: session.expiresAt };
  }
}

@ApiController('me/second-factor', 'account')
export class SecondFactorController {
  constructor(private readonly secondFactor: SecondFactorService) {}

  @Get()
  @Operation('Whether the second factor of the caller is on', SecondFactorAnswer)
  state(@CurrentViewer() viewer: Viewer) {
    return this.secondFactor.state(viewer);
  }

  @Post()
  @Operation(
    'Make a secret for an authenticator app; nothing asks for a code before it is confirmed',
    NewSecretAnswer,
    {
      conflicts: ['SECOND_FACTOR_ON', 'PASSWORD_MISSING'],
    },
  )
  begin(@CurrentViewer() viewer: Viewer) {
    return this.secondFactor.begin(viewer);
  }

  @Post('confirm')
  @Operation('Switch the second factor on; all other sessions end', RecoveryCodesAnswer, {
    conflicts: ['SECOND_FACTOR_ON', 'SECOND_FACTOR_OFF', 'PASSWORD_MISSING'],
  })
  @HttpCode(200)
  async confirm(@CurrentViewer() viewer: Viewer, @Body() body: ProofDto) {
    return { recoveryCodes: await this.secondFactor.enable(viewer, body) };
  }

  @Post('recovery-codes')
  @Operation('Make new recovery codes; the old ones end', RecoveryCodesAnswer, {
    conflicts: ['SECOND_FACTOR_OFF', 'PASSWORD_MISSING'],
  })
  @HttpCode(200)
  async renewCodes(@CurrentViewer() viewer: Viewer, @Body() body: ProofDto) {
    return { recoveryCodes: await this.secondFactor.renewCodes(viewer, body) };
  }

  @Delete()
  @Operation('Switch the second factor off; all other sessions end', null, {
    conflicts: ['SECOND_FACTOR_OFF', 'PASSWORD_MISSING'],
  })
  @HttpCode(204)
  disable(@CurrentViewer() viewer: Viewer, @Body() body: ProofDto): Promise<void> {
    return this.secondFactor.disable(viewer, body);
  }
}

@ApiController('users/:id/second-factor', 'users')
@Allows('users.manage')
export class UserSecondFactorController {
  constructor(private readonly secondFactor: SecondFactorService) {}

  @Delete()
  @Operation('Switch the second factor of a user off who lost it; all sessions of that user end', null, {
    description: 'Managers for users, admins for everybody but themselves.',
    conflicts: ['SECOND_FACTOR_OFF'],
  })
  @HttpCode(204)
  reset(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    return this.secondFactor.reset(viewer, id);
  }
}
