import { Controller, Get, HttpCode, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DomainError, ValidationError } from '../../domain/errors';
import type { PublicForm } from '../../features/signups/public-form';
import { SignupsService } from '../../features/signups/signups.service';
import { STATUS_OF_KIND } from '../../http/problem.filter';
import { FromAnywhere, originOf, Public, siteOf } from '../../http/viewer';
import { refusal } from '../codes';
import { emptyForm, type FormState } from '../form-state';
import { fieldProblems, preferredLanguage, textsOf } from '../texts/texts';
import { Form, type FormValues } from '../web-controller';
import { WebFilter } from '../web.filter';
import { confirmPage, invalidLinkPage, sentPage, signupPage, thanksPage, TRAP } from './signup.page';

type Done = Pick<PublicForm, 'language' | 'title' | 'thanks' | 'redirectUrl'>;

/**
 * The forms of owners as strangers use them: from anywhere, without cookies. A form is sent by its own page or by one of
 * its owner's site. GET changes nothing: scanners of mail open the links in letters.
 */
@Controller('f')
@ApiExcludeController()
@UseFilters(WebFilter)
export class SignupWebController {
  constructor(private readonly signups: SignupsService) {}

  /** Before the forms: no token looks like this. */
  @Public()
  @Get('confirm')
  look(@Query('token') given: unknown, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const link = linkOf(given);
    return this.ofLink(request, response, async () => {
      const waiting = await this.signups.look(link, originOf(request).ip);
      if (waiting.isConfirmed) return thanksPage(waiting.form);
      mayLeadTo(response, waiting.form.redirectUrl);
      return confirmPage(waiting, link);
    });
  }

  @Public()
  @FromAnywhere()
  @Post('confirm')
  @HttpCode(200)
  confirm(@Form() { token }: FormValues, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    return this.ofLink(request, response, async () => {
      const { form } = await this.signups.confirm(linkOf(token), originOf(request).ip);
      return done(response, form);
    });
  }

  @Public()
  @Get(':token')
  async show(@Param('token') token: string, @Res({ passthrough: true }) response: Response) {
    return this.page(response, await this.signups.open(token), emptyForm());
  }

  @Public()
  @FromAnywhere()
  @Post(':token')
  @HttpCode(200)
  async send(
    @Param('token') token: string,
    @Form() values: FormValues,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    const form = await this.signups.open(token);
    const { texts, problems } = { texts: textsOf(form.language), problems: {} };
    try {
      const sender = { ip: originOf(request).ip, origin: siteOf(request) };
      await this.signups.signUp(token, sentBy(form, values), sender);
    } catch (error) {
      if (error instanceof ValidationError) {
        response.status(400);
        return this.page(response, form, { values, problems: fieldProblems(error, texts) });
      }
      if (!(error instanceof DomainError) || !(error.kind === 'rate_limited' || error.kind === 'unavailable'))
        throw error;
      response.status(STATUS_OF_KIND[error.kind]).setHeader('Retry-After', error.details.retryAfterS ?? 60);
      const problem = error.kind === 'rate_limited' ? texts.signup.often : refusal(error, texts);
      return this.page(response, form, { values, problems, problem });
    }
    headers(response);
    return form.doubleOptIn ? sentPage(form) : done(response, form);
  }

  private page(response: Response, form: PublicForm, state: FormState): string {
    headers(response);
    if (!form.doubleOptIn) mayLeadTo(response, form.redirectUrl);
    return signupPage(form, state);
  }

  /** A link that is not good is answered in the language of the browser. */
  private async ofLink(request: Request, response: Response, work: () => Promise<string>): Promise<string> {
    headers(response);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'LINK_INVALID') throw error;
      response.status(400);
      return invalidLinkPage(preferredLanguage(request.get('accept-language')));
    }
  }
}

const linkOf = (given: unknown): string => (typeof given === 'string' && given.length <= 200 ? given : '');

function headers(response: Response): void {
  response
    .type('text/html; charset=utf-8')
    .setHeader('Referrer-Policy', 'no-referrer')
    .setHeader('X-Robots-Tag', 'noindex, nofollow');
}

/** Browsers follow a redirect after a form only where the policy of its page lets the form lead. */
function mayLeadTo(response: Response, url: string | null): void {
  if (url === null) return;
  const policy = String(response.getHeader('Content-Security-Policy') ?? '');
  response.setHeader('Content-Security-Policy', policy.replace(/form-action [^;]*/, `$& ${new URL(url).origin}`));
}

function done(response: Response, form: Done): string {
  if (form.redirectUrl === null) return thanksPage(form);
  response.status(303).setHeader('Location', form.redirectUrl);
  return '';
}

/** What a sent form means; topics are sent by id, because a browser sends a box that is not ticked not at all. */
function sentBy({ asked }: PublicForm, values: FormValues) {
  const fields = Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      name.startsWith('fields.') ? [[name.slice('fields.'.length), value] as const] : [],
    ),
  );
  return {
    email: values.email ?? '',
    fullName: values.fullName ?? '',
    fields,
    topics: asked.topics.filter(({ id }) => values[`topic.${id}`] !== undefined).map(({ name }) => name),
    proof: values.altcha ?? '',
    trap: values[TRAP] ?? '',
  };
}
