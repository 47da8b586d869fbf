import { Get, Inject, Post } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { mediaHash, mediaUrl } from '../../domain/media';
import type { Viewer } from '../../domain/permissions';
import { SendersService } from '../../features/consent/senders.service';
import { CurrentViewer } from '../../http/viewer';
import { type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { opened, type Opened, versionOf } from '../kept-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, WebController } from '../web-controller';
import { SenderPage } from './sender.page';

@WebController('sender')
export class SenderWebController {
  constructor(
    private readonly senders: SendersService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async show(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    const { values, version } = await senderValues(this.senders, viewer, this.config);
    return this.page(viewer, opened(reader, values, version));
  }

  @Post()
  update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const { name = '', replyTo = '', postalAddress = '', unsubscribeText = '' } = form;
    const { logo = '', accent = '', background = '', font = '' } = form;
    const hash = hashOf(logo, this.config.publicUrl);
    const brand = { logo: hash ? `media:${hash}` : logo, accent, background, font };
    return submit(
      reader,
      form,
      async () => {
        await this.senders.update(viewer, {
          name,
          replyTo,
          postalAddress,
          unsubscribeText,
          ...brand,
          ...versionOf(form),
        });
        return redirect('/sender', 'saved');
      },
      (state) => this.page(viewer, state),
      () => senderValues(this.senders, viewer, this.config),
    );
  }

  private async page(viewer: Viewer, form: FormState): Promise<WebAnswer> {
    const shown = await this.senders.shown(viewer);
    const logo = hashOf(form.values.logo ?? '', this.config.publicUrl);
    return page((t) => t.sender.title, <SenderPage form={form} shown={shown} logo={logo} />);
  }
}

/** What the form of a sender contains. A logo that was uploaded has its address in it, as its page says it. */
export async function senderValues(
  senders: SendersService,
  viewer: Viewer,
  { publicUrl }: Pick<Config, 'publicUrl'>,
): Promise<Opened> {
  const { version, updatedAt: _at, updatedBy: _by, ...values } = await senders.get(viewer);
  const hash = mediaHash(values.logo);
  return { values: { ...values, ...(hash && { logo: mediaUrl(publicUrl, hash) }) }, version };
}

/** The hash of a picture that was uploaded here, by its address; null for others. */
export function hashOf(address: string, publicUrl: string): string | null {
  const hash = address.trim().slice(-64);
  return mediaHash(`media:${hash}`) && address.trim() === mediaUrl(publicUrl, hash) ? hash : null;
}
