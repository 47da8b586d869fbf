import { Get, Post, StreamableFile } from '@nestjs/common';
import { inboundKinds } from '../../domain/inbound-decision';
import type { Viewer } from '../../domain/permissions';
import { InboundLetters } from '../../features/inbound/inbound-letters.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { Ask, type FormValues, oneOf, WebController } from '../web-controller';
import { InboundListPage, InboundPage } from './inbound.page';

@WebController('inbound')
export class InboundWebController {
  constructor(private readonly letters: InboundLetters) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Ask() { kind, cursor }: FormValues): Promise<WebAnswer> {
    const chosen = oneOf(inboundKinds, kind);
    const letters = await this.letters.list(viewer, {
      limit: 50,
      ...(chosen && { kind: chosen }),
      ...(cursor && { cursor }),
    });
    return page((t) => t.inbound.title, <InboundListPage letters={letters} />);
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const letter = await this.letters.get(viewer, id);
    const content = await this.letters.content(viewer, id);
    return page((t) => t.inbound.one, <InboundPage letter={letter} content={content} />);
  }

  @Get(':id/letter.eml')
  async eml(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<StreamableFile> {
    const { raw, type, name } = await this.letters.raw(viewer, id);
    return new StreamableFile(raw, { type, disposition: `attachment; filename="${name}"` });
  }

  @Post(':id/judge')
  async judge(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.letters.judgeAnew(viewer, id);
    return redirect(`/inbound/${id}`, 'judgedAnew');
  }
}
