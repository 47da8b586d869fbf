import { Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Viewer } from '../../domain/permissions';
import { PreviewService } from '../../features/messages/preview.service';
import { type SentLetter, SentLetterService } from '../../features/runs/sent-letter.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
import { framed } from '../framed';
import { WebController } from '../web-controller';
import { LetterPage } from './letter.page';

/** Letters to look at: those that were sent, of a run or of one client, and saved messages. */
@WebController('/')
export class LettersWebController {
  constructor(
    private readonly sent: SentLetterService,
    private readonly previews: PreviewService,
  ) {}

  @Get('runs/:id/letter')
  async ofRun(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return shown(await this.sent.ofRun(viewer, id), `/runs/${id}/letter.html`);
  }

  @Get('runs/:id/letter.html')
  async frameOfRun(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return framed(response, (await this.sent.ofRun(viewer, id)).html);
  }

  @Get('deliveries/:id/letter')
  async ofDelivery(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return shown(await this.sent.ofDelivery(viewer, id), `/deliveries/${id}/letter.html`);
  }

  @Get('deliveries/:id/letter.html')
  async frameOfDelivery(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return framed(response, (await this.sent.ofDelivery(viewer, id)).html);
  }

  @Get('messages/:id/letter.html')
  async frameOfMessage(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return framed(response, (await this.previews.ofMessage(viewer, id)).html);
  }
}

const shown = (letter: SentLetter, frame: string): WebAnswer =>
  page(() => letter.subject, <LetterPage letter={letter} frame={frame} />);
