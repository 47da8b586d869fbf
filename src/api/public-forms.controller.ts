import {
  Body,
  type CallHandler,
  type ExecutionContext,
  Get,
  HttpCode,
  Injectable,
  type NestInterceptor,
  Options,
  Param,
  Post,
  Req,
  UseInterceptors,
} from '@nestjs/common';
import { IsArray, IsObject, IsString, MaxLength } from 'class-validator';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { absent } from '../domain/errors';
import { SignupGate } from '../features/signups/signup-gate.service';
import { SignupsService } from '../features/signups/signups.service';
import { FromAnywhere, originOf, Public, siteOf } from '../http/viewer';
import { Optional } from './dto/optional.dto';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { EMPTY, Operation } from './openapi/operation';
import { count, oneOf, Shape, text } from './openapi/shape';

class SignupDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ format: 'email' })
  email!: string;

  @Optional()
  @IsString()
  @MaxLength(1_000)
  fullName?: string;

  @Optional()
  @IsObject()
  @Said({
    description: 'Values of the fields that the form asks for, by key.',
    additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  })
  fields?: Record<string, unknown>;

  @Optional()
  @IsArray()
  @IsString({ each: true })
  @Said({ description: 'The names of the chosen topics, of those that the form offers.' })
  topics?: string[];

  @Optional()
  @IsString()
  @MaxLength(4_000)
  @Said({
    description: "A solved challenge, as ALTCHA's widget gives it. Without one far fewer are taken of a caller.",
  })
  altcha?: string;
}

class AltchaAnswer extends Shape({
  algorithm: oneOf(['SHA-1', 'SHA-256', 'SHA-512']),
  challenge: text,
  maxnumber: count,
  salt: text,
  signature: text,
}) {}

/**
 * The scripts of the sites that a form names may read its answers, also those that say what is wrong; no other site's
 * may.
 */
@Injectable()
class FormOrigins implements NestInterceptor {
  constructor(private readonly signups: SignupsService) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request<{ id?: string; token?: string }>>();
    const response = http.getResponse<Response>();
    // The route of the form itself has the pattern of the owner's routes, and so the name of their parameter.
    const form = await this.signups.open(request.params.token ?? request.params.id ?? '').catch(absent);
    const origin = request.get('origin');
    response.vary('Origin');
    if (form && origin !== undefined && form.allowedOrigins.includes(origin)) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      if (request.method === 'OPTIONS') {
        response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
        response.setHeader('Access-Control-Allow-Headers', 'Content-Type');
        response.setHeader('Access-Control-Max-Age', '600');
      }
    }
    return next.handle();
  }
}

/** The part of a form that strangers use, addressed by its token. */
@ApiController('forms')
@UseInterceptors(FormOrigins)
export class PublicFormsController {
  constructor(
    private readonly signups: SignupsService,
    private readonly gate: SignupGate,
  ) {}

  @Public()
  @FromAnywhere()
  @Post(':id')
  @HttpCode(202)
  @Operation('Sign up by a form, named by its token; the same answer for every address', EMPTY, { problems: [429] })
  async signUp(@Param('id') token: string, @Body() body: SignupDto, @Req() request: Request) {
    const { email, fullName = '', fields = {}, topics = [], altcha = '' } = body;
    const sender = { ip: originOf(request).ip, origin: siteOf(request) };
    await this.signups.signUp(token, { email, fullName, fields, topics, proof: altcha, trap: '' }, sender);
    return {};
  }

  @Public()
  @FromAnywhere()
  @Options(':id')
  @HttpCode(204)
  @Operation('Which sites may send a form, for browsers', null)
  preflight(@Param('id') _token: string): void {}

  @Public()
  @Get(':token/challenge')
  @Operation('A proof of work to be done for one sign-up by a form, named by its token', AltchaAnswer, {
    problems: [503],
  })
  async challenge(@Param('token') token: string) {
    await this.signups.open(token);
    const { algorithm, challenge, maxnumber = 0, salt, signature } = await this.gate.challenge(token);
    return AltchaAnswer.of({ algorithm, challenge, maxnumber, salt, signature });
  }
}
