import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { PublicPictures } from '../../features/messages/public-pictures.service';
import { Public } from '../../http/viewer';

/** A picture's hash; mail programs that go by endings may have one. */
const NAME = /^([0-9a-f]{64})(?:\.(?:jpe?g|png|gif))?$/;

/** Pictures as letters show them: for everybody who knows the address, whoever they are. */
@ApiExcludeController()
@Controller('media')
export class MediaWebController {
  constructor(private readonly pictures: PublicPictures) {}

  @Get(':name')
  @Public()
  async picture(@Param('name') name: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const hash = NAME.exec(name)?.[1];
    const picture = hash === undefined ? null : await this.pictures.get(hash);
    // Nothing of what users uploaded is ever taken for a page, whatever is in it.
    response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
    response.setHeader('X-Content-Type-Options', 'nosniff');
    // Mail programs in browsers show it in pages of other sites.
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    response.removeHeader('X-Frame-Options');
    response.removeHeader('Origin-Agent-Cluster');
    if (!picture) {
      response.status(404).setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end('No such picture.');
      return;
    }
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    response.setHeader('ETag', `"${hash}"`);
    // What is at an address never changes.
    if (request.get('if-none-match')?.includes(`"${hash}"`)) return void response.status(304).end();
    response.setHeader('Content-Type', picture.type);
    response.setHeader('Content-Length', picture.bytes.length);
    response.end(request.method === 'HEAD' ? undefined : picture.bytes);
  }
}
