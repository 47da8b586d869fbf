import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CONFIG, type Config } from '../../config/config.module';
import { NotFoundError } from '../../domain/errors';
import { isLanguage, type Language } from '../../domain/language';
import { UnsubscribeService, type WayOut } from '../../features/runs/unsubscribe.service';
import { PUBLIC_BODY_BYTES, readBytes } from '../../http/body';
import { FromAnywhere, Public, TakesUpload } from '../../http/viewer';
import { preferredLanguage } from '../texts/texts';
import { wholeNumber } from '../web-controller';
import { WebFilter } from '../web.filter';
import { unsubscribePage, type WayState } from './unsubscribe.page';

/**
 * The links in letters. Mail programs send the POST by themselves (RFC 8058): from anywhere, without a cookie, and they
 * follow no redirect. GET and HEAD change nothing: scanners of mail open every link.
 */
@Controller('u')
@ApiExcludeController()
@UseFilters(WebFilter)
export class UnsubscribeWebController {
  constructor(
    private readonly unsubscribes: UnsubscribeService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Public()
  @Get(':link')
  async show(@Param('link') link: string, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    return this.answer(request, response, await this.look(link), 'asks');
  }

  @Public()
  @FromAnywhere()
  @TakesUpload()
  @Post(':link')
  @HttpCode(200)
  async post(@Param('link') link: string, @Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const body = await readBytes(request, PUBLIC_BODY_BYTES, this.config.bodyIdleMs);
    const form = new URLSearchParams(request.is('application/x-www-form-urlencoded') ? body.toString() : '');
    const action = form.get('action');
    if (action === 'resubscribe') {
      if (!(await this.unsubscribes.comeBack(link))) throw noSuchLink();
      return this.answer(request, response, await this.look(link), 'back');
    }
    if (action === 'topics') {
      if (!(await this.unsubscribes.choose(link, chosenTopics(form)))) throw noSuchLink();
      return this.answer(request, response, await this.look(link), 'chosen');
    }
    const scope = form.get('scope') === 'mailing' ? 'mailing' : 'owner';
    const isPage = action === 'unsubscribe';
    if (!(await this.unsubscribes.leave(link, scope, isPage ? 'page' : 'one_click'))) throw noSuchLink();
    if (isPage) return this.answer(request, response, await this.look(link), 'left');
    response.type('text/plain; charset=utf-8');
    return 'Unsubscribed.\n';
  }

  private async look(link: string): Promise<WayOut> {
    const way = await this.unsubscribes.look(link);
    if (!way) throw noSuchLink();
    return way;
  }

  private answer(request: Request, response: Response, way: WayOut, state: WayState): string {
    response
      .type('text/html; charset=utf-8')
      .setHeader('Referrer-Policy', 'no-referrer')
      .setHeader('X-Robots-Tag', 'noindex, nofollow');
    return unsubscribePage(languageOf(request, way), way, state);
  }
}

/** The ticked topics, which are sent as `topic.ID`, and the ids of all that the page showed. */
const chosenTopics = (form: URLSearchParams) => ({
  shown: (form.get('shown') ?? '').split('-').flatMap((id) => wholeNumber(id) ?? []),
  ticked: [...form.keys()].flatMap((name) => wholeNumber(name.replace(/^topic\./, '')) ?? []),
});

const noSuchLink = () => new NotFoundError('Page', 'of this link');

/** As the reader asks by the page's own links, else the browser's, else the letter's. */
function languageOf(request: Request, way: WayOut): Language {
  if (isLanguage(request.query.lang)) return request.query.lang;
  const accepted = request.get('accept-language');
  return accepted === undefined || accepted === '*' ? (way.language ?? 'en') : preferredLanguage(accepted);
}
