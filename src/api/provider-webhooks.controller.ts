import { HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { CONFIG, type Config } from '../config/config.module';
import { DomainError } from '../domain/errors';
import { ProviderWebhooks, WEBHOOK_MAX_BYTES } from '../features/inbound/provider-webhooks.service';
import { readBytes, unsupported } from '../http/body';
import { FromAnywhere, Public, TakesUpload } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { count, said, Shape } from './openapi/shape';

class TakenAnswer extends Shape({ taken: said('How many reports it had that matter here.', count) }) {}

/** Where mail providers report. The secret in the URL is all that they have. */
@ApiController('inbound')
export class ProviderWebhooksController {
  constructor(
    private readonly webhooks: ProviderWebhooks,
    @Inject(CONFIG) private readonly config: Pick<Config, 'bodyIdleMs'>,
  ) {}

  @Post(':provider/:secret')
  @HttpCode(200)
  @Public()
  @FromAnywhere()
  @TakesUpload()
  @Operation('For mail providers: report bounces, complaints and wishes to unsubscribe', TakenAnswer, {
    description:
      'The whole URL is made by `POST /inbound/webhooks`, and its body is what the provider sends, at most 1 MB. What is ' +
      'answered 200 is kept; the same report, sent again, is there once.',
    upload: { 'application/json': { schema: { description: 'What the provider sends, of whatever type.' } } },
  })
  async take(@Param('provider') provider: string, @Param('secret') secret: string, @Req() request: Request) {
    const webhook = await this.webhooks.open(provider, secret);
    // As of a route that there is not.
    if (!webhook) throw new DomainError('not_found', 'NOT_FOUND', `Cannot POST ${request.path}`);
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
      throw unsupported('Send the body without Content-Encoding.');
    const raw = await readBytes(request, WEBHOOK_MAX_BYTES, this.config.bodyIdleMs);
    return TakenAnswer.of({ taken: await this.webhooks.take(webhook, singles(request), raw) });
  }
}

const singles = ({ headers }: Request): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
