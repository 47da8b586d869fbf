import { Get, Post } from '@nestjs/common';
import { invalid } from '../../domain/errors';
import type { Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import { type ProviderName, providerNames } from '../../domain/providers/provider';
import { WebhookSecrets } from '../../features/inbound/webhook-secrets.service';
import { Allows, CurrentViewer } from '../../http/viewer';
import { Id } from '../../http/id.pipe';
import { type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import type { Reader } from '../reader';
import { CurrentReader } from '../readers.service';
import { Form, type FormValues, oneOf, WebController } from '../web-controller';
import { InboundWebhookPage, InboundWebhooksPage } from './inbound-webhooks.page';

interface Parts {
  form?: FormState;
  made?: { id: number; provider: ProviderName; url: string };
}

@WebController('inbound/webhooks')
export class InboundWebhooksWebController {
  constructor(private readonly secrets: WebhookSecrets) {}

  @Get()
  @Allows('inbound.webhooks')
  list(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    return this.show(viewer);
  }

  /** The answer to this POST is a page and not a redirect: the URL is shown only once and not stored. */
  @Post()
  @Allows('inbound.webhooks')
  make(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Form() form: FormValues): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const provider = oneOf(providerNames, form.provider);
        if (!provider) throw invalid('provider', problem('one_of', { options: providerNames }));
        const { id, url } = await this.secrets.create(viewer, provider, form.signingKey?.trim() ?? '');
        return this.show(viewer, { made: { id, provider, url } });
      },
      (state) => this.show(viewer, { form: state }),
    );
  }

  @Get(':id')
  @Allows('inbound.webhooks')
  showOne(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return this.one(viewer, id);
  }

  @Post(':id/key')
  @Allows('inbound.webhooks')
  setKey(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.secrets.change(viewer, id, form.signingKey?.trim() ?? '');
        return redirect(`/inbound/webhooks/${id}`, 'saved');
      },
      (state) => this.one(viewer, id, state),
    );
  }

  @Post(':id/delete')
  @Allows('inbound.webhooks')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.secrets.delete(viewer, id);
    return redirect('/inbound/webhooks', 'deleted');
  }

  private async one(viewer: Viewer, id: number, form?: FormState): Promise<WebAnswer> {
    const webhook = await this.secrets.get(viewer, id);
    return page((t) => t.webhooks.title, <InboundWebhookPage webhook={webhook} {...(form && { form })} />);
  }

  private async show(viewer: Viewer, parts: Parts = {}): Promise<WebAnswer> {
    const webhooks = await this.secrets.list(viewer);
    return page((t) => t.webhooks.title, <InboundWebhooksPage webhooks={webhooks} {...parts} />);
  }
}
