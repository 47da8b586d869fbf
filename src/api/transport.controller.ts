import { Get, HttpCode, Post, Query } from '@nestjs/common';
import { transportEvents } from '../domain/codes';
import type { Viewer } from '../domain/permissions';
import { AccountsService } from '../features/accounts/accounts.service';
import { PageDto } from './dto/list.dto';
import { Allows, CurrentViewer } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { id, nullable, oneOf, pageOf, Shape, text, time } from './openapi/shape';

const state = {
  state: oneOf(['open', 'waiting', 'parked']),
  reason: nullable(text),
  detail: nullable(text),
  retryAt: nullable(time),
  since: time,
};

class TransportAnswer extends Shape(state) {}

class TransportLogEntryAnswer extends Shape({
  id,
  createdAt: time,
  event: oneOf(transportEvents),
  reason: nullable(text),
  detail: nullable(text),
}) {}

class TransportDetailAnswer extends Shape({ ...state, log: pageOf(TransportLogEntryAnswer) }) {}

@ApiController('transport')
export class TransportController {
  constructor(private readonly transport: AccountsService) {}

  @Get()
  @Operation('The SMTP account: whether letters go out, why not, and what happened to it', TransportDetailAnswer)
  async get(@Query() query: PageDto) {
    return TransportDetailAnswer.of({ ...(await this.transport.read()), log: await this.transport.history(query) });
  }

  @Allows('transport.resume')
  @Post('resume')
  @Operation('Admins: try a parked SMTP account anew', TransportAnswer)
  @HttpCode(200)
  async resume(@CurrentViewer() viewer: Viewer) {
    return TransportAnswer.of(await this.transport.resume(viewer));
  }
}
