import { Get, Post } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { SendersService } from '../../features/consent/senders.service';
import { CurrentViewer } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { opened, type Opened, versionOf } from '../kept-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, WebController } from '../web-controller';
import { SenderPage } from './sender.page';

@WebController('sender')
export class SenderWebController {
  constructor(private readonly senders: SendersService) {}

  @Get()
  async show(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    const { values, version } = await this.now(viewer);
    const shown = await this.senders.shown(viewer);
    return page((t) => t.sender.title, <SenderPage form={opened(reader, values, version)} shown={shown} />);
  }

  @Post()
  update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const { name = '', replyTo = '', postalAddress = '', unsubscribeText = '' } = form;
    const { logo = '', accent = '', background = '', font = '' } = form;
    const brand = { logo, accent, background, font };
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
      async (state) => {
        const shown = await this.senders.shown(viewer);
        return page((t) => t.sender.title, <SenderPage form={state} shown={shown} />);
      },
      () => this.now(viewer),
    );
  }

  private async now(viewer: Viewer): Promise<Opened> {
    const { version, updatedAt: _at, updatedBy: _by, ...values } = await this.senders.get(viewer);
    return { values, version };
  }
}
