import { Body, Delete, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Viewer } from '../domain/permissions';
import { type ProviderName, providerNames } from '../domain/providers/provider';
import { webhookRefusals, WebhookSecrets } from '../features/inbound/webhook-secrets.service';
import { Id } from '../http/id.pipe';
import { Allows, CurrentViewer } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Said } from './openapi/input-schema';
import { Operation } from './openapi/operation';
import { flag, id, listOf, nullable, oneOf, part, said, Shape, text, time } from './openapi/shape';

const KEY_SAID = 'What the provider signs with: the public key of SendGrid, the HTTP signing key of Mailgun.';

class NewWebhookDto {
  @IsIn(providerNames)
  provider!: ProviderName;

  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  @Said({ description: KEY_SAID })
  signingKey?: string;
}

class WebhookChangeDto {
  @IsString()
  @MaxLength(1_000)
  @Said({ description: `${KEY_SAID} Empty: calls need no signature.` })
  signingKey!: string;
}

const webhook = {
  id,
  provider: oneOf(providerNames),
  createdAt: time,
  hasSigningKey: flag,
  topicArn: said('The topic of Amazon SNS that was confirmed; no other is taken.', nullable(text)),
  lastUsedAt: nullable(time),
  refusal: said('Why a call was refused last.', nullable(oneOf(webhookRefusals))),
  refusedAt: nullable(time),
};

class WebhookAnswer extends Shape(webhook) {}
class NewWebhookAnswer extends Shape({
  ...webhook,
  url: said('Where the provider has to report; shown once.', text),
}) {}
class WebhooksAnswer extends Shape({ items: listOf(part(WebhookAnswer)) }) {}

/** The URLs by which mail providers report. */
@ApiController('inbound/webhooks', 'inbound')
export class InboundWebhooksController {
  constructor(private readonly secrets: WebhookSecrets) {}

  @Get()
  @Allows('inbound.webhooks')
  @Operation('Managers: the URLs by which mail providers report, newest first', WebhooksAnswer)
  async list(@CurrentViewer() viewer: Viewer) {
    return { items: (await this.secrets.list(viewer)).map((each) => WebhookAnswer.of(each)) };
  }

  @Post()
  @Allows('inbound.webhooks')
  @Operation('Managers: make a URL by which a mail provider reports', NewWebhookAnswer, {
    conflicts: ['WEBHOOKS_FULL'],
  })
  async create(@CurrentViewer() viewer: Viewer, @Body() { provider, signingKey }: NewWebhookDto) {
    return NewWebhookAnswer.of(await this.secrets.create(viewer, provider, signingKey ?? ''));
  }

  @Patch(':id')
  @Allows('inbound.webhooks')
  @Operation('Managers: set or remove what the provider signs with', WebhookAnswer)
  async change(@CurrentViewer() viewer: Viewer, @Id() id: number, @Body() { signingKey }: WebhookChangeDto) {
    return WebhookAnswer.of(await this.secrets.change(viewer, id, signingKey));
  }

  @Delete(':id')
  @HttpCode(204)
  @Allows('inbound.webhooks')
  @Operation('Managers: end a URL: nothing comes in by it any more', null)
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<void> {
    await this.secrets.delete(viewer, id);
  }
}
