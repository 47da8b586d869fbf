import { Get, HttpCode, Post, Query } from '@nestjs/common';
import { accountEvents } from '../domain/codes';
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

class SmtpAccountAnswer extends Shape(state) {}

class SmtpAccountLogEntryAnswer extends Shape({
  id,
  createdAt: time,
  event: oneOf(accountEvents),
  reason: nullable(text),
  detail: nullable(text),
}) {}

class SmtpAccountDetailAnswer extends Shape({ ...state, log: pageOf(SmtpAccountLogEntryAnswer) }) {}

@ApiController('transport')
export class SmtpAccountController {
  constructor(private readonly accounts: AccountsService) {}

  @Get()
  @Operation('The SMTP account: whether letters go out, why not, and what happened to it', SmtpAccountDetailAnswer)
  async get(@Query() query: PageDto) {
    return SmtpAccountDetailAnswer.of({ ...(await this.accounts.read()), log: await this.accounts.history(query) });
  }

  @Allows('account.resume')
  @Post('resume')
  @Operation('Admins: try a parked SMTP account anew', SmtpAccountAnswer)
  @HttpCode(200)
  async resume(@CurrentViewer() viewer: Viewer) {
    return SmtpAccountAnswer.of(await this.accounts.resume(viewer));
  }
}
