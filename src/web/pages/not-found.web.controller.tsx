import { Controller, Get, NotFoundException, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { Public, PublicAndKnown } from '../../http/viewer';
import { WebController } from '../web-controller';

/** Unknown paths under /api get an error of the API, not a page. */
@ApiExcludeController()
@Controller('api{/*path}')
export class NotFoundApiController {
  @Public()
  @Get()
  nothing(@Req() { method, originalUrl }: Request): never {
    throw new NotFoundException(`Cannot ${method} ${originalUrl}`);
  }
}

/** All other unknown paths, with the menu for who is signed in; must be the last controller. */
@WebController('/')
export class NotFoundWebController {
  @PublicAndKnown()
  @Get('{*path}')
  nothing(): never {
    throw new NotFoundException('Page does not exist.');
  }
}
