import { Get, Header, Res } from '@nestjs/common';
import type { Response } from 'express';
import type { Viewer } from '../../domain/permissions';
import { PreviewService } from '../../features/messages/preview.service';
import { type SentLetter, SentLetterService } from '../../features/runs/sent-letter.service';
import { Id } from '../../http/id.pipe';
import { LETTER_CSP } from '../../http/security-headers';
import { CurrentViewer } from '../../http/viewer';
import { page, type WebAnswer } from '../answers';
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
  @Header('X-Frame-Options', 'SAMEORIGIN')
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
  @Header('X-Frame-Options', 'SAMEORIGIN')
  async frameOfDelivery(
    @CurrentViewer() viewer: Viewer,
    @Id() id: number,
    @Res({ passthrough: true }) response: Response,
  ): Promise<string> {
    return framed(response, (await this.sent.ofDelivery(viewer, id)).html);
  }

  @Get('messages/:id/letter.html')
  @Header('X-Frame-Options', 'SAMEORIGIN')
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

function framed(response: Response, html: string): string {
  response.setHeader('Content-Security-Policy', LETTER_CSP);
  // A sandboxed frame has no origin, so browsers would warn about this header.
  response.removeHeader('Origin-Agent-Cluster');
  response.type('text/html; charset=utf-8');
  return html;
}
