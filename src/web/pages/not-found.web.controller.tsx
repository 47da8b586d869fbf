import { Get } from '@nestjs/common';
import { NotFoundError } from '../../domain/errors';
import { Public } from '../../http/viewer';
import { WebController } from '../web-controller';

/** Every address that is nobody's; comes last. The API's own are answered by it. */
@WebController('/')
export class NotFoundWebController {
  @Public()
  @Get('{*path}')
  nothing(): never {
    throw new NotFoundError('Page', '');
  }
}
