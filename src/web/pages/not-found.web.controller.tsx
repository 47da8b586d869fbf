import { Controller, Get, NotFoundException, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request } from 'express';
import { Public } from '../../http/viewer';
import { WebController } from '../web-controller';

/** Every address under /api that the API does not have: told as the API tells errors, not by a page. */
@ApiExcludeController()
@Controller('api{/*path}')
export class NotFoundApiController {
  @Public()
  @Get()
  nothing(@Req() { method, originalUrl }: Request): never {
    throw new NotFoundException(`Cannot ${method} ${originalUrl}`);
  }
}

/** Every other address that is nobody's; comes last. */
@WebController('/')
export class NotFoundWebController {
  @Public()
  @Get('{*path}')
  nothing(): never {
    throw new NotFoundException('Page does not exist.');
  }
}
